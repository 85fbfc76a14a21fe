"""Check the include folder: whether it is there, and its backups are valid."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from canvas_exports.core.backups import LoadedBackups, load_backups
from canvas_exports.core.doctor.facts import Fact, ok, problem


def check_include(include: Path) -> tuple[LoadedBackups, list[Fact]]:
    """Return the backups of an include folder, and what is known of it."""
    if not (include / "backups").is_dir():
        missing = problem(
            "include",
            f"There is no folder {include / 'backups'}, so there is no backup.",
            f"canvas-archive init {include.parent}",
        )
        return LoadedBackups(), [missing]
    loaded = load_backups(include)
    return loaded, list(_facts(include, loaded))


def _facts(include: Path, loaded: LoadedBackups) -> Iterator[Fact]:
    names = [backup.name for backup in loaded.backups]
    if names:
        yield ok(
            "include",
            f"{include} has {len(names):,} valid backup{'' if len(names) == 1 else 's'}: {', '.join(names)}.",
        )
    elif not loaded.problems:
        yield problem(
            "include", f"{include} has no backup.", f"Write a backup file into {include / 'backups'}."
        )
    if loaded.problems:
        yield problem(
            "include",
            f"{include} has {len(loaded.problems):,} mistakes; the first: {loaded.problems[0]}",
            f"canvas-archive check {include}",
        )
