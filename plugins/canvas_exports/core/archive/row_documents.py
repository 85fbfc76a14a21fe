"""Read documents of any number of rows: JSON objects whose last field is a list, laid out with one of its rows in each line.

The head of such a document, all but the rows, is read alone; of the rows, one is in memory at a time. A document that was laid out
in another way is read as a whole, up to a limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from canvas_exports.core.archive.json_documents import MAX_REPORT_BYTES, MAX_WHOLE_BYTES, parse, read_bytes
from canvas_exports.core.storage.store import Block, Store
from canvas_exports.errors import UnreadableDocumentError

_HEAD = 64 * 1024
_LONGEST = 1024 * 1024  # bytes of a row
_MOST = 2_000_000  # rows; ten times those of the largest list


@dataclass(frozen=True)
class RowDocument:
    """A kind of such documents.

    Attributes:
        noun: what it is called in errors: ``run report``.
        rows: the field with the list.
    """

    noun: str
    rows: str

    def head(self, store: Store, key: str) -> Any:
        """Return the document without its rows; of one that is laid out in another way, the whole. Nothing is validated.

        Raises:
            ObjectNotFoundError: there is no such document (permanent).
            UnreadableDocumentError: it is no JSON, or too large (permanent).
            ArchiveDeniedError: no right to read it (permanent).
            ArchiveUnavailableError: the store failed (retryable).
        """
        opening = store.read(key, 0, _HEAD)
        if self._marker in opening:
            try:
                return parse(opening.partition(self._marker)[0].rstrip(b" ,\n") + b"}", self.noun, key=key)
            except UnreadableDocumentError:  # it was reformatted
                pass
        return parse(read_bytes(store, key, MAX_WHOLE_BYTES), self.noun, key=key)

    def read_rows(self, store: Store, key: str) -> Iterator[Any]:
        """Yield the rows in their order. Nothing is validated.

        Raises:
            ObjectNotFoundError: there is no such document (permanent).
            UnreadableDocumentError: it is not such a document; raised where the error is found (permanent).
            ArchiveDeniedError: no right to read it (permanent).
            ArchiveUnavailableError: the store failed (retryable).
        """
        for number, row in enumerate(self._rows(_lines(_bounded(store.blocks(key), key), key), key)):
            if number == _MOST:
                raise UnreadableDocumentError(f"it has more than {_MOST:,} rows", key=key)
            yield row

    @property
    def _marker(self) -> bytes:
        return f'"{self.rows}": ['.encode()

    def _rows(self, lines: Iterator[bytes], key: str) -> Iterator[Any]:
        first = next(lines, b"")
        if not first.endswith(self._marker):
            gathered = [first]
            size = 0
            for line in lines:
                gathered.append(line)
                size += len(line) + 1
                if size > MAX_WHOLE_BYTES:
                    raise _too_large(MAX_WHOLE_BYTES, key)
            document = parse(b"\n".join(gathered), self.noun, key=key)
            rows = document.get(self.rows) if isinstance(document, dict) else None
            if not isinstance(rows, list):
                raise UnreadableDocumentError(f"it is not a {self.noun}: it has no {self.rows}", key=key)
            yield from rows
            return
        for line in lines:
            if line == b"]}":
                return
            yield parse(line.removesuffix(b","), self.noun, key=key)
        raise UnreadableDocumentError("it ends early", key=key)


def _bounded(blocks: Iterator[Block], key: str) -> Iterator[bytes]:
    size = 0
    for block in blocks:
        size += len(block)
        if size > MAX_REPORT_BYTES:
            raise _too_large(MAX_REPORT_BYTES, key)
        yield bytes(block)


def _lines(blocks: Iterable[bytes], key: str) -> Iterator[bytes]:
    """Yield the lines of a document; raise if a line is too long, unless the whole document is one line."""
    rest = b""
    first = True
    for block in blocks:
        *whole, rest = (rest + block).split(b"\n")
        first = first and not whole
        if len(rest) > (MAX_WHOLE_BYTES if first else _LONGEST):
            raise _too_large(MAX_WHOLE_BYTES if first else _LONGEST, key)
        yield from whole
    if rest:
        yield rest


def _too_large(most: int, key: str) -> UnreadableDocumentError:
    return UnreadableDocumentError(f"it, or a line of it, has more than {most:,} bytes", key=key)
