from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.backups.backup_files import Write


@pytest.fixture
def include(tmp_path: Path) -> Path:
    folder = tmp_path / "include"
    (folder / "backups").mkdir(parents=True)
    return folder


@pytest.fixture
def write(include: Path) -> Write:
    """Write a backup file and return the include folder."""

    def write(text: str, name: str = "nightly.yaml") -> Path:
        (include / "backups" / name).write_text(text, encoding="utf-8")
        return include

    return write
