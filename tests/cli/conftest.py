"""The command line, run in the process of the test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from canvas_exports.cli.main import main


@pytest.fixture(autouse=True)
def cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command keeps nothing beyond the test."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


@pytest.fixture
def run_command(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Run ``canvas-archive`` with arguments for the archive at a URI; return its exit status and what it printed."""

    def run(uri: str, *arguments: str) -> tuple[int, str]:
        status = main([*arguments, "--archive", uri])
        printed = capsys.readouterr()
        return status, printed.out + printed.err

    return run
