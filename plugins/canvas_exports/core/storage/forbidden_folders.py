"""Folders that no archive may overlap: files written there would be run, or read as configuration."""

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
    """Refuse a root that is one of these folders, lies in one of them, or contains one of them.

    Symbolic links, ``..`` and other names of the same folder (mounts, another case of letters) make no difference: real paths
    are compared, and existing folders by device and inode. Folders and links that are made later are not seen.

    Args:
        root: folder of an archive; it need not exist.
        forbidden: folders; they need not exist either.
        field: the name of the field to blame in an error.

    Raises:
        InputError: it is refused (permanent).
    """
    path, identities = _resolve(root)
    for folder in forbidden:
        other, others = _resolve(folder)
        if (
            path.is_relative_to(other)
            or other.is_relative_to(path)
            or _identity(other) & identities
            or _identity(path) & others
        ):
            raise InputError(
                field,
                f"{str(root)!r} lies in, or holds, a folder from which Airflow runs or configures itself",
                accepted=ACCEPTED,
            )


def _resolve(folder: Path) -> tuple[Path, set[tuple[int, int]]]:
    """Return the real path, and the identities of it and of the folders above it, as far as they exist."""
    real = Path(os.path.realpath(folder))
    return real, set().union(*map(_identity, (real, *real.parents)))


def _identity(path: Path) -> set[tuple[int, int]]:
    """Return device and inode; nothing if the path does not exist."""
    with suppress(OSError, ValueError):
        found = path.stat()
        return {(found.st_dev, found.st_ino)}
    return set()
