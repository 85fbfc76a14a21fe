"""Open the folders below a local root one by one, so that no link below the root is ever followed."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from stat import S_IMODE, S_ISGID, S_ISLNK
from typing import TypeVar

Result = TypeVar("Result")

FILE_MODE = 0o640
FOLDER_MODE = 0o750

# A folder that may be passed through need not be readable, where the system can tell the two apart.
_PASS = os.O_DIRECTORY | os.O_NOFOLLOW | getattr(os, "O_PATH", os.O_RDONLY)
_NO_FOLDER = (errno.ENOTDIR, errno.ELOOP)


class LinkError(OSError):
    """A link stands in the place of a folder."""


@dataclass(frozen=True)
class LocalFile:
    """A plain file: its key below the root, size in bytes, time of its last change in seconds since 1970."""

    key: str
    size: int
    modified: float


class Folders:
    """A root folder and the folders below it.

    An administrator chooses the root: it may be a link. Below it every program with write access could add a link to any other
    place, so each folder is opened relative to its parent, and none through a link.

    Args:
        root: absolute path.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    @contextmanager
    def open_folder(self, folder: str, *, make: bool = False) -> Iterator[int]:
        """Open a folder below the root, and yield its descriptor. ``""`` is the root.

        Args:
            folder: relative, segments set off by ``/``.
            make: make what is missing, with mode 0750 whatever the umask.

        Raises:
            LinkError: there is a link on the way.
            OSError: there is no such folder, or no right; its ``filename`` is the whole path of the folder that it is about.
        """
        if make:
            self._make_root()
        path = self._root
        here = self._named(path, lambda: os.open(path, _PASS & ~os.O_NOFOLLOW))
        try:
            for name in filter(None, folder.split("/")):
                deeper = self._open(here, path, name, make=make)
                os.close(here)
                here, path = deeper, path / name
            yield here
        finally:
            os.close(here)

    def walk(
        self, folder: str, *, opens: Callable[[str], bool], report: Callable[[str, str], None]
    ) -> Iterator[LocalFile]:
        """Yield all plain files below a folder, those of one folder together. Memory holds the names of one folder at a time.

        A folder that cannot be opened or read is reported and skipped; a file that has been deleted meanwhile is left out.

        Args:
            folder: where to begin; ``""`` for the root.
            opens: returns whether to open the folder with a key.
            report: called with the key of each link, and of each other entry that is neither file nor folder, and the reason.

        Raises:
            OSError: the first folder cannot be read.
        """
        waiting = [folder]
        while waiting:
            here = waiting.pop()
            try:
                files, folders = self._read(here, report)
            except FileNotFoundError:
                continue
            except OSError as error:
                if here == folder:
                    raise
                report(here, f"it cannot be read: {error.strerror}")
                continue
            yield from files
            waiting.extend(filter(opens, reversed(folders)))

    def _read(self, folder: str, report: Callable[[str, str], None]) -> tuple[list[LocalFile], list[str]]:
        files, folders = [], []
        with self.open_folder(folder) as here:
            readable = self._named(
                self._root / folder, lambda: os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=here)
            )
            try:
                with os.scandir(readable) as entries:
                    for entry in entries:
                        key = f"{folder}/{entry.name}" if folder else entry.name
                        if entry.is_symlink():
                            report(key, "it is a link")
                        elif entry.is_dir(follow_symlinks=False):
                            folders.append(key)
                        elif not entry.is_file(follow_symlinks=False):
                            report(key, "it is neither a file nor a folder")
                        else:
                            with suppress(FileNotFoundError):
                                found = entry.stat(follow_symlinks=False)
                                files.append(LocalFile(key, found.st_size, found.st_mtime))
            finally:
                os.close(readable)
        return files, sorted(folders)

    def _open(self, here: int, path: Path, name: str, *, make: bool) -> int:
        """Open a folder relative to the descriptor of its parent, whose path is given."""
        try:
            return os.open(name, _PASS, dir_fd=here)
        except FileNotFoundError as error:
            if not make:
                raise _at(error, path / name) from None
        except OSError as error:
            link = error.errno in _NO_FOLDER and _is_link(name, here)
            raise _at(LinkError(errno.ELOOP, "it is a link") if link else error, path / name) from None
        with suppress(FileExistsError):  # another task was quicker
            self._named(path, lambda: os.mkdir(name, FOLDER_MODE, dir_fd=here))
        made = self._named(path / name, lambda: os.open(name, _PASS, dir_fd=here))
        with suppress(OSError):  # not every file system has modes
            _set_mode(name, here)
        return made

    def _make_root(self) -> None:
        missing = []
        for path in (self._root, *self._root.parents):
            if path.exists():
                break
            missing.append(path)
        for path in reversed(missing):
            with suppress(FileExistsError):
                self._named(path.parent, lambda path=path: path.mkdir(FOLDER_MODE))  # type: ignore[misc]
                with suppress(OSError):
                    _set_mode(path)

    def _named(self, path: Path, act: Callable[[], Result]) -> Result:
        try:
            return act()
        except OSError as error:
            raise _at(error, path) from None


def _at(error: OSError, path: Path) -> OSError:
    """Return the error with the whole path that it is about."""
    error.filename = str(path)
    return error


def _is_link(name: str, folder: int) -> bool:
    try:
        return S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except OSError:
        return False


def _set_mode(path: str | Path, folder: int | None = None) -> None:
    """Set mode 0750, whatever the umask. The set-group-ID bit stays, if the parent folder has it."""
    mode = S_IMODE(os.stat(path, dir_fd=folder, follow_symlinks=False).st_mode)
    os.chmod(path, FOLDER_MODE | (mode & S_ISGID), dir_fd=folder)
