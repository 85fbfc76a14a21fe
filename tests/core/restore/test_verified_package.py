"""The bytes of a copy leave the archive only if they are those that were stored, by every kind of digest."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.archives.stored import package, spoil, stored
from tests.support.packages.algorithms import OF_LATER, restate, without_blake3

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.catalog.read import copies_of
from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.archive.verification.candidates import candidate_of
from canvas_exports.core.archive.verification.records import put_record
from canvas_exports.core.archive.verification.verify_package import verify_package
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.packages.digests import BLAKE3, LABELS, SHA256, digests_of
from canvas_exports.core.restore.verified_package import prove_copy, verified_blocks
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import PackageError, UnknownDigestError

DIGESTS = digests_of(package(), LABELS)
STATED: dict[str, dict[str, str]] = {
    "of the release before": {SHA256: DIGESTS[SHA256]},
    "of a slow processor": {BLAKE3: DIGESTS[BLAKE3]},
    "of a later release": {**DIGESTS, **OF_LATER},
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"file://{tmp_path}/canvas") as opened:
        yield opened


@pytest.fixture
def written(store: Store) -> Manifest:
    return stored(store)


def copy(store: Store) -> Copy:
    return copies_of(store, "course", 101).copies[0]


def redated(data: bytes) -> bytes:
    """The same package but for the time in a member's header, which no check of the zip reads."""
    return data[:10] + bytes([data[10] ^ 1]) + data[11:]


@pytest.mark.parametrize("stated", STATED.values(), ids=STATED)
def test_what_was_stored_is_read(store: Store, written: Manifest, stated: dict[str, str]) -> None:
    restate(store, written, stated)
    assert b"".join(map(bytes, verified_blocks(store, copy(store)))) == package()
    assert prove_copy(store, copy(store), "full").level is ProofLevel.FULL


@pytest.mark.parametrize("stated", STATED.values(), ids=STATED)
def test_other_bytes_are_never_read_to_their_end(
    store: Store, written: Manifest, stated: dict[str, str]
) -> None:
    restate(store, written, stated)
    spoil(store, written.package.key, redated(package()))
    read: list[int] = []
    with pytest.raises(PackageError, match="another digest"):
        read.extend(len(block) for block in verified_blocks(store, copy(store)))
    assert sum(read) < len(package())
    with pytest.raises(PackageError, match="another digest"):
        prove_copy(store, copy(store), "full")


@pytest.mark.parametrize("level", ["directory", "full"])
def test_what_cannot_be_compared_is_refused_before_anything_is_read(
    store: Store, written: Manifest, level: str
) -> None:
    restate(store, written, OF_LATER)
    with pytest.raises(UnknownDigestError):
        next(verified_blocks(store, copy(store)))
    with pytest.raises(UnknownDigestError, match="update this software"):
        prove_copy(store, copy(store), level)


def test_without_blake3_the_record_of_a_verification_has_the_digest(store: Store, written: Manifest) -> None:
    restate(store, written, {BLAKE3: DIGESTS[BLAKE3]})
    with without_blake3(), pytest.raises(UnknownDigestError):
        deque(verified_blocks(store, copy(store)), maxlen=0)
    verification = verify_package(store, candidate_of(copy(store), ProofLevel.FULL), ProofLevel.FULL)
    put_record(store, verification, RunFacts("canvas_exports 0.2.0"))
    with without_blake3():
        assert b"".join(map(bytes, verified_blocks(store, copy(store)))) == package()
        spoil(store, written.package.key, redated(package()))
        with pytest.raises(PackageError, match="another digest"):
            deque(verified_blocks(store, copy(store)), maxlen=0)
