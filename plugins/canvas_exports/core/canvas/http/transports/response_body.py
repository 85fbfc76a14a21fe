"""The body of an answer: unpacked, and bounded in bytes however well it was packed."""

from __future__ import annotations

import zlib

LARGEST = 64 * 1024 * 1024  # bytes; a page of a hundred rows has less than one
LARGEST_ERROR = 1024 * 1024  # the same where nothing but a message is of interest

_GZIP = 16 + zlib.MAX_WBITS
_NONE, _PACKED = frozenset({"", "identity"}), frozenset({"gzip", "x-gzip"})
ACCEPTED = "gzip"  #: what is asked for


class Body:
    """Takes what arrives, as long as it is wanted.

    Args:
        packing: ``Content-Encoding``. What was not asked for, or is damaged, is no text: what could be read of it remains.
        most: bytes, packed and unpacked.

    Attributes:
        is_full: there is more than that.
    """

    def __init__(self, packing: str, most: int) -> None:
        packing = packing.strip().lower()
        self._inflate = zlib.decompressobj(_GZIP) if packing in _PACKED else None
        self._readable = packing in _NONE or packing in _PACKED
        self._most = most
        self._arrived = 0
        self._found = bytearray()
        self.is_full = False

    @property
    def found(self) -> bytes:
        """What has arrived, unpacked, up to the bound."""
        return bytes(self._found[: self._most])

    def take(self, arrived: bytes) -> bool:
        """Some more; whether anything further is wanted."""
        self._arrived += len(arrived)
        if self._readable:
            self._unpack(arrived)
        self.is_full = max(self._arrived, len(self._found)) > self._most
        return self._readable and not self.is_full

    def _unpack(self, arrived: bytes) -> None:
        if self._inflate is None:
            self._found += arrived
            return
        try:
            while arrived and len(self._found) <= self._most:
                if self._inflate.eof:
                    self._inflate = zlib.decompressobj(_GZIP)
                self._found += self._inflate.decompress(arrived, self._most + 1 - len(self._found))
                arrived = self._inflate.unconsumed_tail or self._inflate.unused_data
        except zlib.error:
            self._readable = False
