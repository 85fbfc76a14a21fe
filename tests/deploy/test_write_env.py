"""``make env``: a copy of .env.example with fresh secrets."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from tests.support.repository.compose import ROOT, settings

from canvas_demo.write_env import main


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(ROOT / ".env.example", tmp_path)
    return tmp_path


def test_every_secret_is_fresh_and_everything_else_is_as_it_was(folder: Path) -> None:
    example = settings((folder / ".env.example").read_text())
    assert main(folder) == 0
    first = settings((folder / ".env").read_text())
    (folder / ".env").unlink()
    assert main(folder) == 0
    second = settings((folder / ".env").read_text())
    for name, value in example.items():
        if value:
            assert first[name] == value
        else:
            assert len(first[name]) >= 32
            assert first[name] != second[name]
    Fernet(first["FERNET_KEY"])
    assert len(bytes.fromhex(first["JWT_SECRET"])) >= 64


def test_nobody_else_can_read_it(folder: Path) -> None:
    main(folder)
    assert stat.S_IMODE((folder / ".env").stat().st_mode) == 0o600


def test_one_that_is_there_is_left_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / ".env").write_text("FERNET_KEY=precious\n")
    assert main(folder) == 1
    assert (folder / ".env").read_text() == "FERNET_KEY=precious\n"
    assert "is there already" in capsys.readouterr().err
