"""Texts of backup files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from canvas_exports.core.backups import load_backups

GOOD = """
name: {name}
schedule: "0 2 * * *"
timezone: America/Chicago
courses: {{ids: [101, sis_course_id:BIO-101]}}
archive: "{{{{ var.value.canvas_archive }}}}"
"""
HEAD = "name: nightly\nschedule: '@daily'\narchive: file:///archive\n"
WHOLE = HEAD + "courses: {ids: [101]}\n"

#: Writes a backup file and returns the include folder.
Write = Callable[..., Path]


def messages(include: Path) -> list[str]:
    return [str(problem) for problem in load_backups(include).problems]
