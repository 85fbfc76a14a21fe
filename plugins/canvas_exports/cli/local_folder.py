"""Write a folder of this machine that appears whole or not at all."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from canvas_exports.errors import InputError

#: The file that says that a folder was written by this command, so that ``--force`` may replace it.
MARKER = "course.json"

_FIELD = "--output"
_MAX_MARKER = 1 << 16  # bytes
_SCHEMA = "urn:canvas-exports:course-folder:1"


class LocalFolder:
    """A folder that is being written.

    Args:
        path: of the folder, which is there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folders = {path}

    def write(self, path: str, blocks: Iterable[bytes]) -> int:
        """Write a file below the folder and return its size; see ``course_folder.Folder``.

        Raises:
            InputError: it cannot be written (permanent).
        """
        parts = path.split("/")
        assert not {"", ".", ".."} & set(parts), path
        target = self._path.joinpath(*parts)
        size = 0
        try:
            if target.parent not in self._folders:
                target.parent.mkdir(parents=True, exist_ok=True)
                self._folders.add(target.parent)
            with target.open("xb") as file:
                for block in blocks:
                    size += len(block)
                    file.write(block)
        except OSError as error:
            raise InputError(_FIELD, f"{path!r} cannot be written: {error.strerror}") from None
        except BaseException:
            with suppress(OSError):
                target.unlink()
            raise
        return size


@contextmanager
def new_folder(target: Path, marker: Mapping[str, Any], *, force: bool) -> Iterator[LocalFolder]:
    """Write a folder beside the target, which takes its name when the block ends; after an error, nothing is left.

    Args:
        target: there is none, or it is empty; with ``force``, also one that this command has written, which is replaced.
        marker: what is written to ``MARKER``.
        force: whether a folder may be replaced.

    Raises:
        InputError: the target is there, or cannot be written (permanent).
    """
    _check(target, force=force)
    part = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
    try:
        try:
            part.mkdir()
        except OSError as error:
            raise InputError(_FIELD, f"{str(target)!r} cannot be written: {error.strerror}") from None
        folder = LocalFolder(part)
        yield folder
        folder.write(MARKER, [json.dumps({"schema": _SCHEMA, **marker}, indent=2).encode() + b"\n"])
        _check(target, force=force)
        _put_in_place(part, target)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _check(target: Path, *, force: bool) -> None:
    if not target.parent.is_dir():
        raise InputError(_FIELD, f"there is no folder {str(target.parent)!r}")
    if not os.path.lexists(target):
        return
    if target.is_symlink() or not target.is_dir():
        raise InputError(_FIELD, f"{str(target)!r} exists and is no folder", accepted="a name that is free")
    if not any(target.iterdir()):
        return
    if not _is_ours(target):
        raise InputError(
            _FIELD,
            f"{str(target)!r} holds files that are not of this command",
            accepted="a name that is free",
        )
    if not force:
        raise InputError(_FIELD, f"{str(target)!r} exists", accepted="another name, or --force to replace it")


def _is_ours(folder: Path) -> bool:
    try:
        with (folder / MARKER).open("rb") as file:
            document = json.loads(file.read(_MAX_MARKER))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(document, dict) and document.get("schema") == _SCHEMA


def _put_in_place(part: Path, target: Path) -> None:
    """Rename the part to the target; an older folder there is moved away before, and back if that fails."""
    aside = target.with_name(f".{target.name}.{secrets.token_hex(8)}.old")
    try:
        is_replaced = target.is_dir() and any(target.iterdir())
        if is_replaced:
            target.rename(aside)
        try:
            part.rename(target)
        except OSError:
            if is_replaced:
                aside.rename(target)
            raise
    except OSError as error:
        raise InputError(_FIELD, f"{str(target)!r} cannot be written: {error.strerror}") from None
    shutil.rmtree(aside, ignore_errors=True)
