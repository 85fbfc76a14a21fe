"""What a remote file system has to offer besides streams, which are smart_open's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from canvas_exports.archive.capabilities import Capabilities


@dataclass(frozen=True)
class RemoteFile:
    """A file: absolute path, size in bytes, time of its last change (UTC)."""

    path: str
    size: int
    modified: datetime


class LinkError(PermissionError):
    """A link lies where a folder below the archive's root should be. It is not followed."""


class OccupiedError(PermissionError):
    """What bears the name of an object is no file: a link, a folder, a pipe."""


def no_matter(path: str, why: str) -> None:
    """Nobody wants to know."""


class Remote(ABC):
    """The file operations of one scheme. Paths are absolute. Used by several threads at once.

    Errors are the protocol's own; ``is_denied`` and ``is_missing`` tell them apart.
    """

    #: What a store on it can do.
    capabilities = Capabilities()
    #: Seconds a server may take to answer.
    TIMEOUT = 60

    @abstractmethod
    def uri(self, path: str) -> str:
        """The file's URI, as smart_open wants it."""

    def parameters(self) -> dict[str, Any]:
        """smart_open's ``transport_params``."""
        return {}

    def opened(self, stream: Any) -> None:  # noqa: B027 - most have nothing to do
        """A stream was opened: tune it."""

    def take(self, stream: Any, length: int) -> bytes:
        """The next bytes of a stream, at most so many; none at its end."""
        data: bytes = stream.read(length)
        return data

    def closed(self, stream: Any) -> None:  # noqa: B027 - as above
        """A stream was closed or given up: release what it leaves open."""

    @abstractmethod
    def stat(self, path: str) -> RemoteFile | None:
        """One file; ``None`` if there is none, or if it is a folder."""

    @abstractmethod
    def walk(
        self, folder: str, enters: Callable[[str], bool] = bool, odd: Callable[[str, str], None] = no_matter
    ) -> Iterator[RemoteFile]:
        """All files below a folder; none if there is no such folder. No link is followed, where the protocol tells.

        Args:
            folder: where to begin.
            enters: asked of the path of each folder below, whether to go into it, where it is cheaper not to.
            odd: told the path of what is neither file nor folder, or a folder that cannot be read, and why.
        """

    def check_folders(self, root: str, path: str) -> None:  # noqa: B027 - most protocols cannot tell
        """``LinkError`` if a link lies on the way from the root to a file."""

    @abstractmethod
    def make_folder(self, path: str) -> None:
        """Create a folder and those above it; no error if it exists."""

    @abstractmethod
    def rename(self, old: str, new: str) -> None:
        """Rename a file. ``FileExistsError`` if the new name is taken, as far as the protocol can tell."""

    @abstractmethod
    def replace(self, old: str, new: str) -> None:
        """Rename a file over another one; atomic where the protocol can."""

    @abstractmethod
    def delete(self, path: str) -> None:
        """Remove a file; no error if it is absent."""

    @abstractmethod
    def is_denied(self, error: Exception) -> bool:
        """Whether the error means: no credentials, no right, or an unknown host key."""

    def close(self) -> None:  # noqa: B027 - as above
        """Close connections."""
