"""Read ranges of a package that lies in Canvas's storage, without downloading the rest."""

from __future__ import annotations

from canvas_exports.core.canvas.files.download import Download
from canvas_exports.errors import DownloadError

TAIL = 1024 * 1024  # bytes of the first read: the directory of a zip, and the bytes before it


class RemotePackage:
    """A package in Canvas's storage, read in ranges.

    Args:
        download: of the package.
        size: of the package, in bytes.
        tail: its last bytes.
    """

    def __init__(self, download: Download, size: int, tail: bytes) -> None:
        self.size = size
        self._download = download
        self._tail = tail

    def read(self, window: range) -> bytes:
        """Return the bytes of a window: one request to storage, unless they lie in the tail.

        Raises:
            DownloadError: storage does not serve them (any more).
        """
        begins = self.size - len(self._tail)
        if window.start >= begins:
            return self._tail[window.start - begins : window.stop - begins]
        found = self._download.read_range(window.start, window.stop)
        if found is None:
            raise DownloadError("storage no longer serves ranges of the package")
        return found


def open_package(download: Download, size: int) -> RemotePackage | None:
    """Read the end of a package, and return the package; ``None`` where storage does not serve ranges.

    Raises:
        DownloadError: bounded attempts failed.
    """
    tail = download.read_range(max(0, size - TAIL), size)
    return None if tail is None else RemotePackage(download, size, tail)
