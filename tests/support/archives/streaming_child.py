"""A process that stores generated packages and says how much it grew: see ``test_memory``.

``python -m tests.support.archives.streaming_child <archive URI> <packages> <megabytes each>``
"""

from __future__ import annotations

import json
import struct
import sys
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support.packages.build import draft

from canvas_exports.core.archive.publishing.package_source import PackageSource
from canvas_exports.core.archive.publishing.publish import publish
from canvas_exports.core.packages.proof import Expectation
from canvas_exports.core.storage.buffers import BufferPool, MiB
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.store import Block

NAME = b"video.mp4"


def package(size: int) -> Iterator[Block]:
    """A file export of one stored member, through one buffer that is used again and again."""
    buffer = bytearray(range(256)) * (MiB // 256)
    count, crc = size // MiB, 0
    for _ in range(count):
        crc = zlib.crc32(buffer, crc)
    stored = count * MiB
    sizes = (crc, stored, stored, len(NAME), 0)
    yield struct.pack("<4s5HL2L2H", b"PK\x03\x04", 20, 0, 0, 0, 0, *sizes) + NAME
    for _ in range(count):
        yield memoryview(buffer)
    entry = struct.pack("<4s6HL2L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, *sizes, 0, 0, 0, 0, 0) + NAME
    yield entry
    yield struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(entry), 30 + len(NAME) + stored, 0)


def memory(field: str) -> int:
    """Bytes of this process: ``VmRSS`` now, ``VmHWM`` at most so far."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith(f"{field}:")).split()[1]) * 1024


def main(uri: str, packages: int, megabytes: int) -> None:
    pool = BufferPool()
    with open_store(uri) as store:

        def run(number: int) -> int:
            size = MiB if number == 0 else megabytes * MiB
            return publish(
                store,
                draft=draft(number + 1, export_type="zip"),
                source=PackageSource(lambda _: package(size), Expectation("zip"), pool),
            ).size

        run(0)  # imports, connections, threads: what a process has before it moves anything
        before = memory("VmRSS")
        with ThreadPoolExecutor(packages) as threads:
            stored = sum(threads.map(run, range(1, packages + 1)))
        sys.stdout.write(json.dumps({"stored": stored, "grown": memory("VmHWM") - before}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
