"""Packages in memory: as a store that counts what is read of it, and as what is kept of a stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone

from tests.support.packages.build import COURSE, HOST

from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.packages.digests import LABELS
from canvas_exports.core.packages.proof import Expectation, Proof
from canvas_exports.core.packages.prove_directory import prove_directory
from canvas_exports.core.packages.prove_stored import ReadLimit, StoredProof, prove_stored
from canvas_exports.core.packages.random_access import TailBuffer
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.store import Block, ObjectInfo

KEY = "courses/101/package.imscc"
CARTRIDGE = Expectation("common_cartridge", course_id=COURSE, canvas_host=HOST)


class InMemory(FileStore):
    """One object; like a real store, it writes every block over the one before."""

    def __init__(self, data: bytes, block: int = 1 << 20) -> None:
        self.data = data
        self.block = block
        self.requests = 0
        self.yielded = 0

    def stat(self, key: str) -> ObjectInfo | None:
        return ObjectInfo(key, len(self.data), datetime.now(timezone.utc))

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        assert (key, length is not None) == (KEY, True)
        self.requests += 1
        return self.data[start : start + (length or 0)]

    def blocks(self, key: str) -> Iterator[Block]:
        assert key == KEY
        self.requests += 1
        buffer = bytearray(self.block)
        for start in range(0, len(self.data), self.block):
            piece = self.data[start : start + self.block]
            buffer[: len(piece)] = piece
            self.yielded += len(piece)
            yield memoryview(buffer)[: len(piece)]


def proven(
    data: bytes,
    expect: Expectation = CARTRIDGE,
    *,
    level: ProofLevel = ProofLevel.FULL,
    block: int = 1 << 20,
    limit: ReadLimit | None = None,
) -> StoredProof:
    """The proof of a package that is stored in blocks of a size."""
    return prove_stored(InMemory(data, block), KEY, expect, level=level, limit=limit, algorithms=LABELS)


def buffered(data: bytes, windows: Sequence[range] = (), tail: int | None = None) -> TailBuffer:
    """What is kept of a package that has streamed by: all of it, or its tail and some windows."""
    kept = TailBuffer(len(data), windows, tail=tail or max(1, len(data)))
    list(kept.record(iter([data])))
    return kept


def prove_buffered(data: bytes, export_type: str = "common_cartridge", **expected: object) -> Proof:
    """The proof of a package at level ``directory``, from all of its bytes."""
    expect = Expectation(export_type, **{"course_id": COURSE, "canvas_host": HOST, **expected})  # type: ignore[arg-type]
    return prove_directory(buffered(data), expect)


def codes_of(proof: Proof) -> list[str]:
    """The codes of its findings, in order."""
    return [finding.code for finding in proof.findings]


def codes(found: StoredProof) -> list[str]:
    """The codes of its findings, in order."""
    return codes_of(found.proof)
