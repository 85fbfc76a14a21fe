"""Folders in which no archive may lie: what is written there would be run or read as configuration."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from canvas_exports.errors import InputError

ACCEPTED = (
    "a folder of its own, that neither lies in nor holds the folders of DAGs, plugins and configuration"
)


def check_root(root: Path, forbidden: Iterable[Path], *, field: str = "archive") -> None:
    """Refuse a root that lies in one of these folders, is one of them, or holds one of them.

    Symbolic links, ``..``, other names for the same folder (mounts, letters of another case) change nothing: real paths are
    compared, and what exists is compared by device and inode. What is made or linked later is not seen.

    Args:
        root: folder of an archive; it need not exist.
        forbidden: folders that need not exist either.
        field: the name of the field to blame in an error.

    Raises:
        InputError: it is refused (permanent).
    """
    path, seen = _line(root)
    for folder in forbidden:
        other, others = _line(folder)
        if (
            path.is_relative_to(other)
            or other.is_relative_to(path)
            or _self(other) & seen
            or _self(path) & others
        ):
            raise InputError(
                field,
                f"{str(root)!r} lies in, or holds, a folder from which Airflow runs or configures itself",
                accepted=ACCEPTED,
            )


def _line(folder: Path) -> tuple[Path, set[tuple[int, int]]]:
    """The real path, and the identity of it and of each folder above it, as far as they exist."""
    real = Path(os.path.realpath(folder))
    return real, set().union(*map(_self, (real, *real.parents)))


def _self(path: Path) -> set[tuple[int, int]]:
    with suppress(OSError, ValueError):
        found = path.stat()
        return {(found.st_dev, found.st_ino)}
    return set()
