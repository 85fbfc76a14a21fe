"""Storage that serves ranges of one package, and a caller's memory that finds blocks which are not returned."""

from __future__ import annotations

import hashlib
import re
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from tests.support.canvas.scripted_canvas import Seen

ETAG = '"abc"'
BLOCK = 1000
PACKAGE = b"PK\x03\x04" + hashlib.shake_128(b"package").digest(10 * BLOCK + 123)


class Memory:
    """So many blocks; who takes what and never gives it back is found out."""

    def __init__(self, blocks: int, size: int = BLOCK) -> None:
        self._free = [bytearray(size) for _ in range(blocks)]
        self._freed = threading.Condition()
        self._taken: set[int] = set()
        self._part = memoryview(bytearray(size))
        self.blocks = blocks

    def free_space(self) -> memoryview:
        return self._part

    def acquire(self, *, wait: bool) -> memoryview | None:
        with self._freed:
            assert not wait or not self._taken, "waits for memory while it holds some"
            if not self._free:
                return None
            block = self._free.pop()
            self._taken.add(id(block))
            return memoryview(block)

    def release(self, buffer: memoryview) -> None:
        with self._freed:
            block = buffer.obj
            assert isinstance(block, bytearray)
            self._taken.remove(id(block))
            block[:] = b"\xee" * len(block)  # whoever still writes or reads here would be seen
            self._free.append(block)

    def yielded(self, block: memoryview) -> bytes:
        """What a pipeline does with a block: use it, and free it."""
        data = bytes(block)
        if block.obj is not self._part.obj:
            self.release(block)
        return data

    @property
    def is_whole(self) -> bool:
        return len(self._free) == self.blocks


def storage_of(
    package: bytes = PACKAGE,
    *,
    etag: str | None = ETAG,
    trouble: Callable[[int, int], Mapping[str, Any] | None] = lambda _start, _count: None,
) -> dict[str, Any]:
    """Storage that serves ranges, and does what ``trouble`` says of a start and how often it was asked for."""
    asked: Counter[int] = Counter()

    def then(seen: Seen) -> Mapping[str, Any]:
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", seen.headers.get("range", ""))
        start = int(found[1]) if found else -1
        asked[start] += 1
        if (reply := trouble(start, asked[start])) is not None and "cut" not in reply:
            return reply
        headers = {"ETag": etag, "Accept-Ranges": "bytes"}
        answer: dict[str, Any] = {"body": package, "headers": headers}
        if found and seen.headers.get("if-range") == etag:
            stop = min(int(found[2] or len(package) - 1) + 1, len(package))
            span = {"Content-Range": f"bytes {start}-{stop - 1}/{len(package)}"}
            answer = {"status": 206, "body": package[start:stop], "headers": headers | span}
        return {**answer, **(reply or {})}

    return {"then": then}
