"""The repository holds no link to a folder of the machine on which it was made."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments],  # noqa: S607 - whichever git made the checkout
        cwd=ROOT,
        check=True,
        capture_output=True,
        encoding="utf-8",
    ).stdout


pytestmark = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no checkout of the repository")


def test_no_link_leads_out_of_the_repository() -> None:
    tracked = [line.split(maxsplit=3) for line in git("ls-files", "--stage").splitlines()]
    links = {name for mode, _, _, name in tracked if mode == "120000"}
    assert len(tracked) > 500
    assert {
        name: target for name in links if not (target := (ROOT / name).resolve()).is_relative_to(ROOT)
    } == {}
