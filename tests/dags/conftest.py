from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.backups.backup_files import GOOD


@pytest.fixture
def include(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An include folder of its own, that the files in dags/ are pointed to."""
    folder = tmp_path / "include"
    (folder / "backups").mkdir(parents=True)
    monkeypatch.setenv("CANVAS_EXPORTS_INCLUDE", str(folder))
    return folder


@pytest.fixture
def write(include: Path) -> Callable[[str, str], None]:
    def write(name: str, text: str = "") -> None:
        (include / "backups" / f"{name}.yaml").write_text(text or GOOD.format(name=name), encoding="utf-8")

    return write
