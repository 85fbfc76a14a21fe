"""Write a file of this machine that appears whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from canvas_exports.errors import InputError

_LONGEST = 255  # bytes of a file name
_FIELD = "--output"


def target_file(output: str | None, name: str, *, force: bool) -> Path:
    """Return the file to write, before anything is read.

    Args:
        output: what a person named: a file, or a folder that exists; ``None`` for the current folder.
        name: of the file within a folder, from an archive or a package; it may be hostile.
        force: whether a file that exists may be replaced.

    Raises:
        InputError: the file exists, its folder does not, or the name cannot be that of a file here (permanent).
    """
    named = Path(output) if output else Path()
    is_file = output and not output.endswith("/") and not named.is_dir()
    target = named if is_file else named / _safe_name(name)
    if not target.parent.is_dir():
        raise InputError(_FIELD, f"there is no folder {str(target.parent)!r}")
    if target.is_dir():
        raise InputError(_FIELD, f"{str(target)!r} is a folder")
    if os.path.lexists(target) and not force:
        raise _exists(target)
    return target


def write_file(target: Path, blocks: Iterable[bytes | bytearray | memoryview], *, force: bool) -> int:
    """Write blocks to a temporary file beside the target, force it to the disk, and rename it. Return its size in bytes.

    If the blocks end in an error, nothing is left. Without ``force``, a file that appeared meanwhile is not replaced.

    Raises:
        InputError: the file exists, or cannot be written (permanent).
    """
    part = target.with_name(f".{secrets.token_hex(8)}.part")
    size = 0
    try:
        with open(part, "xb") as file:  # noqa: PTH123 - as below
            for block in blocks:
                size += len(block)
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        _put_in_place(part, target, force=force)
    except OSError as error:
        raise InputError(_FIELD, f"{str(target)!r} cannot be written: {error.strerror}") from None
    finally:
        with suppress(OSError):
            part.unlink()
    return size


def _put_in_place(part: Path, target: Path, *, force: bool) -> None:
    if force:
        part.replace(target)
        return
    try:
        os.link(part, target)  # fails if the name is taken, which a rename does not
    except FileExistsError:
        raise _exists(target) from None
    except OSError:  # a file system without links
        if os.path.lexists(target):
            raise _exists(target) from None
        part.rename(target)


def _exists(target: Path) -> InputError:
    return InputError(_FIELD, f"{str(target)!r} exists", accepted="another name, or --force to replace it")


def _safe_name(name: str) -> str:
    """Return the last part of a name, if it can be the name of a file here and shows what it is."""
    last = name.replace("\\", "/").rpartition("/")[2]
    if (
        not last.strip(". ")
        or last.startswith((".", "-"))
        or not last.isprintable()
        or ":" in last
        or len(last.encode(errors="replace")) > _LONGEST
    ):
        raise InputError(
            _FIELD, "the name of this file cannot be used here", accepted="a file name of your own"
        )
    return last
