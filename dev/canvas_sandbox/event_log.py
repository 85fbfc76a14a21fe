"""The event log: what came from outside, one JSON line each, so that another process can continue after a kill."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

_FILE = "journal.jsonl"  # the name in state folders of every release


class StateError(ValueError):
    """The state folder cannot be used by this sandbox."""


class EventLog:
    """An append-only file of JSON lines in a folder.

    The operating system has each line before the sandbox answers, so the process may be killed at any moment. Lines are
    not synced to the disk: a power failure may lose the last ones. One process writes at a time.

    Raises:
        StateError: the file is damaged before its end, or cannot be read and written.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        self.entries: list[dict[str, Any]] = []
        """The lines of the file when it was opened, oldest first."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = self._open()
        except OSError as error:
            raise StateError(f"the state cannot be kept: {error}") from error

    def write(self, kind: str, **fields: Any) -> None:
        """Append a line, in one system call."""
        os.write(self._file, json.dumps({"kind": kind, **fields}, separators=(",", ":")).encode() + b"\n")

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _open(self) -> int:
        """Read the lines and cut off an incomplete last one: its event never took effect."""
        whole = 0
        with self._path.open("a+b") as file:
            self._path.chmod(0o600)
            file.seek(0)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self.entries.append(self._parse(line, whole))
                whole += len(line)
            file.truncate(whole)
            return os.dup(file.fileno())

    def _parse(self, line: bytes, place: int) -> dict[str, Any]:
        try:
            entry: dict[str, Any] = json.loads(line)
        except ValueError as error:
            raise StateError(f"{self._path} is damaged at byte {place}") from error
        return entry
