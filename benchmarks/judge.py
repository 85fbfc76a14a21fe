"""The process that is measured: ``python -m benchmarks.judge FILE LEVEL`` proves one package, as a night does.

At level ``directory`` the package streams by, and nothing of it is stored; at level ``full`` it lies in a folder. Prints what
that took, and what the proof found, as one line of JSON.
"""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from lxml import etree  # type: ignore[import-untyped]  # it has none of its own

from benchmarks.reading import Reading, forget_peak, used
from canvas_exports.core.archive.publishing.package_source import PackageSource
from canvas_exports.core.packages.proof import Expectation, Proof
from canvas_exports.core.packages.prove_stored import prove_stored
from canvas_exports.core.packages.random_access import BytesNotKeptError
from canvas_exports.core.storage.buffers import MIN_BLOCK_SIZE, BlockWriter, BufferPool
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.store import Block
from canvas_exports.errors import PackageError


def main() -> None:
    """Prove the package, and print what that took."""
    path, level = Path(sys.argv[1]), sys.argv[2]
    etree.XMLParser()  # what is imported is not measured
    with open_store(path.parent.as_uri()) as store:
        forget_peak()
        before = Reading.take()
        try:
            proof = (
                prove_stored(store, path.name, Expectation("common_cartridge")).proof
                if level == "full"
                else _passed(path)
            )
            found = f"{proof.verdict.value}: {', '.join(finding.code for finding in proof.findings[:3])}"
        except PackageError as error:
            found = f"corrupt: {error.message}"
        sys.stdout.write(json.dumps({**used(before, path.stat().st_size), "found": found}) + "\n")


def _passed(path: Path) -> Proof:
    def source(_: BlockWriter) -> Iterator[Block]:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                yield block

    expect = Expectation("common_cartridge", size=path.stat().st_size)
    pool = BufferPool(MIN_BLOCK_SIZE, block_size=MIN_BLOCK_SIZE)
    package = PackageSource(source, expect, pool)
    windows: tuple[range, ...] = ()
    while True:
        with package.open_stream(windows, algorithms=()) as stream:
            try:
                deque(stream, maxlen=0)  # no block may be kept when the next one is requested
            except BytesNotKeptError as error:
                windows += error.missing
            else:
                return stream.proof


if __name__ == "__main__":
    main()
