"""A digest of a file in the page cache, and nothing else: ``python -m benchmarks.peers.hash_alone FILE ALGORITHM``."""

from __future__ import annotations

import json
import sys

from benchmarks.reading import Reading, forget_peak, used
from canvas_exports.core.packages.digests import Hasher

_PIECE = 8 * 1024 * 1024


def main(path: str, algorithm: str) -> None:
    """Digest the file, twice; the first time only fills the cache."""
    buffer = memoryview(bytearray(_PIECE))
    before, size = Reading.take(), 0
    for _ in range(2):
        digest, size = Hasher([algorithm]), 0
        forget_peak()
        before = Reading.take()
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - unbuffered
            while count := file.readinto(buffer):
                digest.update(buffer[:count])
                size += count
    sys.stdout.write(json.dumps(used(before, size)) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
