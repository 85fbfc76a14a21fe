"""Read the body of a response within bounds: unpacked, and never larger in memory than any of Canvas's."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

from canvas_exports.core.canvas.http.messages import Failure, Response, Result

LARGEST = 64 * 1024 * 1024  # bytes; a page of a hundred rows has less than one
LARGEST_ERROR = 1024 * 1024  # the same where nothing but a message is of interest
ACCEPTED = "gzip"  #: the ``Accept-Encoding`` of our requests

_GZIP = 16 + zlib.MAX_WBITS
_NONE, _PACKED = frozenset({"", "identity"}), frozenset({"gzip", "x-gzip"})


class ResponseBody:
    """Takes the bytes of a response, as long as more of them are wanted.

    A body that is too large fails a call. Of an error, and of storage's response to an upload, only the beginning is kept. An
    encoding that was not asked for, or is damaged, ends the reading: the bytes decoded before it are kept.

    Args:
        status: the HTTP status.
        headers: the headers, by lower-case names.
        is_upload: the request was an upload.
    """

    def __init__(self, status: int, headers: Mapping[str, str], *, is_upload: bool = False) -> None:
        self._status, self._headers = status, headers
        self._must_fit = Response(status, headers).is_success and not is_upload
        self._most = LARGEST if self._must_fit else LARGEST_ERROR
        encoding = headers.get("content-encoding", "").strip().lower()
        self._inflate = zlib.decompressobj(_GZIP) if encoding in _PACKED else None
        self._readable = encoding in _NONE or encoding in _PACKED
        self._arrived = 0
        self._content = bytearray()

    @property
    def is_too_large(self) -> bool:
        """Return whether more has arrived than is kept, packed or unpacked."""
        return max(self._arrived, len(self._content)) > self._most

    def add(self, arrived: bytes) -> bool:
        """Add some bytes. Return whether more are wanted."""
        self._arrived += len(arrived)
        if self._readable:
            self._unpack(arrived)
        return self._readable and not self.is_too_large

    def result(self) -> Result:
        """Return the response with the body that was added, or ``Failure.TOO_LARGE``."""
        if self.is_too_large and self._must_fit:
            return Failure.TOO_LARGE
        return Response(self._status, self._headers, bytes(self._content[: self._most]))

    def _unpack(self, arrived: bytes) -> None:
        if self._inflate is None:
            self._content += arrived
            return
        try:
            while arrived and len(self._content) <= self._most:
                if self._inflate.eof:
                    self._inflate = zlib.decompressobj(_GZIP)
                self._content += self._inflate.decompress(arrived, self._most + 1 - len(self._content))
                arrived = self._inflate.unconsumed_tail or self._inflate.unused_data
        except zlib.error:
            self._readable = False
