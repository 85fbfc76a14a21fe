"""The command line, run in the process of the test."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from canvas_exports.cli.main import main


@pytest.fixture
def run_command(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Run ``canvas-archive`` with arguments for the archive at a URI; return its exit status and what it printed."""

    def run(uri: str, *arguments: str) -> tuple[int, str]:
        status = main([*arguments, "--archive", uri])
        printed = capsys.readouterr()
        return status, printed.out + printed.err

    return run
