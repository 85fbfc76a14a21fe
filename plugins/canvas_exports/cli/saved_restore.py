"""Keep the state of a restore on this machine, so that a command that was interrupted goes on and imports nothing twice."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from canvas_exports.cli.local_file import write_file
from canvas_exports.errors import InputError

_MAX_STATE = 1 << 20  # bytes; a state has up to 40 KB


class SavedRestore:
    """The file with the state of one restore. Holds no link and no credential.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> Any:
        """Return the state that an earlier command saved; ``None`` if there is none.

        Raises:
            InputError: the file cannot be read (permanent).
        """
        try:
            with self._path.open("rb") as file:
                return json.loads(file.read(_MAX_STATE))
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            raise InputError(
                "restore",
                f"the state of an earlier command cannot be read: {self._path}",
                accepted="--start-over, after you have checked the imports of the course in Canvas",
            ) from None

    def save(self, document: dict[str, Any]) -> None:
        """Replace the state, on the disk."""
        write_file(self._path, [json.dumps(document).encode()], force=True)

    def remove(self) -> None:
        """Remove the state: the restore is over."""
        self._path.unlink(missing_ok=True)


@contextmanager
def saved_restore(*identity: str) -> Iterator[SavedRestore]:
    """Open the state of the restore with an identity. One process at a time has it.

    The files are in ``$XDG_STATE_HOME/canvas-archive``, by default in ``~/.local/state``.

    Args:
        identity: the Canvas, the archive, the course, the copy and the target, as they were written.

    Raises:
        InputError: another process does this restore, or the folder cannot be written (permanent).
    """
    folder = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "canvas-archive"
    name = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:32]
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InputError(
            "XDG_STATE_HOME", f"the state of the restore cannot be kept in {folder}: {error.strerror}"
        ) from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InputError("restore", "another command does the same restore at the moment") from None
        yield SavedRestore(folder / f"{name}.json")
    finally:
        os.close(descriptor)
