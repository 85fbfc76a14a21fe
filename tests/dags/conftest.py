from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

GOOD = """
name: {name}
schedule: "0 2 * * *"
timezone: America/Chicago
courses: {{ids: [101, sis_course_id:BIO-101]}}
archive: "{{{{ var.value.canvas_archive }}}}"
"""


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
