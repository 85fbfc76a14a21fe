from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from tests.support.packages.build import COURSE, HOST, PAGE, cartridge, draft

from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.archive.publishing.package_source import PackageSource
from canvas_exports.core.archive.publishing.publish import publish
from canvas_exports.core.archive.publishing.published import Published
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.packages.digests import SHA256, digests_of
from canvas_exports.core.packages.proof import Expectation
from canvas_exports.core.storage.buffers import MIN_BLOCK_SIZE, BufferPool
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.store import Block
from canvas_exports.errors import (
    ArchiveDeniedError,
    ArchiveError,
    ArchiveUnavailableError,
    CorruptPackageError,
    LockedError,
)

TEXT = b"<p>Welcome to the course</p>" * 50
PACKAGE = cartridge({PAGE: TEXT})
DRAFT = draft()


class Damaging(FileStore):
    """Does something to an object once it has been put."""

    def __init__(self, folder: Path, damage: Callable[[Path], object] = lambda _: None) -> None:
        super().__init__(folder.as_uri(), folder)
        self.damage = damage
        self.reads = 0

    def put(self, key: str, blocks: Iterable[Block]) -> None:
        super().put(key, blocks)
        self.damage(self._root / key)

    def blocks(self, key: str) -> Iterator[Block]:
        self.reads += 1
        return super().blocks(key)


def store_package(store: FileStore, data: bytes, level: ProofLevel = ProofLevel.FULL) -> Published:
    return publish(
        store,
        draft=DRAFT,
        source=PackageSource(
            lambda _: iter([data]),
            Expectation("common_cartridge", None, COURSE, HOST),
            BufferPool(2 * MIN_BLOCK_SIZE, MIN_BLOCK_SIZE),
            level=level,
        ),
    )


def rot(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[data.index(PAGE.encode()) + len(PAGE) + 5] ^= 1
    path.write_bytes(data)


def test_a_full_proof_is_made_of_what_lies_in_the_store(tmp_path: Path) -> None:
    store = Damaging(tmp_path)
    published = store_package(store, PACKAGE)
    assert store.reads == 1
    proof = Manifest.from_json(store.read(published.manifest_key)).proof
    assert proof.level is ProofLevel.FULL
    assert proof.counts["announcements"] == 0


def redate(path: Path) -> None:
    """Change the time in a member's header, which no check of the zip reads."""
    data = bytearray(path.read_bytes())
    data[10] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("required", [None, SHA256])
def test_other_bytes_in_the_store_are_found_by_the_digest_alone(tmp_path: Path, required: str | None) -> None:
    store = Damaging(tmp_path, redate)
    store.required_digest = required
    with pytest.raises(CorruptPackageError, match="other bytes than it was given"):
        store_package(store, PACKAGE)
    assert not list(store.list())
    store.damage = lambda _: None
    digests = store_package(store, PACKAGE).manifest.package.digests
    assert digests == digests_of(PACKAGE, [SHA256] if required else None)


def test_a_directory_proof_reads_nothing_back(tmp_path: Path) -> None:
    store = Damaging(tmp_path)
    assert store_package(store, PACKAGE, ProofLevel.DIRECTORY).manifest.proof.level is ProofLevel.DIRECTORY
    assert store.reads == 0


def test_what_the_store_has_spoilt_is_removed_and_the_next_attempt_stores_it(tmp_path: Path) -> None:
    store = Damaging(tmp_path, rot)
    with pytest.raises(CorruptPackageError, match=PAGE) as caught:
        store_package(store, PACKAGE)
    assert caught.value.retryable
    assert list(store.list()) == []
    store.damage = lambda _: None
    assert not store_package(store, PACKAGE).was_stored


def test_a_byte_that_belongs_to_no_member_is_seen_by_the_digest(tmp_path: Path) -> None:
    def change_the_time_of_the_first_member(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[10] ^= 1
        path.write_bytes(data)

    store = Damaging(tmp_path, change_the_time_of_the_first_member)
    with pytest.raises(CorruptPackageError, match="other bytes than it was given"):
        store_package(store, PACKAGE)
    assert list(store.list()) == []


def test_a_member_that_was_damaged_before_it_arrived_is_refused_only_by_a_full_proof(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    whole.write_bytes(PACKAGE)
    rot(whole)
    shallow, deep = Damaging(tmp_path / "shallow"), Damaging(tmp_path / "deep")
    store_package(shallow, whole.read_bytes(), ProofLevel.DIRECTORY)
    with pytest.raises(CorruptPackageError, match=PAGE):
        store_package(deep, whole.read_bytes())
    assert list(deep.list()) == []


def test_what_a_killed_run_left_is_proven_as_deeply(tmp_path: Path) -> None:
    store = Damaging(tmp_path)
    store.put(DRAFT.key, iter([PACKAGE]))
    rot(store._root / DRAFT.key)
    with pytest.raises(CorruptPackageError, match=PAGE):
        store_package(store, PACKAGE)
    assert list(store.list()) == []


def test_a_package_that_vanishes_before_it_is_proven_is_fetched_again(tmp_path: Path) -> None:
    class Vanishing(Damaging):
        def blocks(self, key: str) -> Iterator[Block]:
            self.delete(key)
            return super().blocks(key)

    with pytest.raises(ArchiveUnavailableError, match="vanished"):
        store_package(Vanishing(tmp_path), PACKAGE)


def test_what_another_attempt_has_published_meanwhile_is_left_alone(tmp_path: Path) -> None:
    def publish_first(path: Path) -> None:
        rot(path)
        path.with_suffix(".json").write_bytes(b"{}")

    store = Damaging(tmp_path, publish_first)
    with pytest.raises(CorruptPackageError):
        store_package(store, PACKAGE)
    assert {info.key for info in store.list()} == {DRAFT.key, manifest_key(DRAFT.key)}


def test_a_lock_on_what_is_damaged_does_not_hide_the_damage(tmp_path: Path) -> None:
    class Locking(Damaging):
        def delete(self, key: str) -> None:
            raise LockedError("it is locked", key=key)

    with pytest.raises(CorruptPackageError, match=PAGE):
        store_package(Locking(tmp_path, rot), PACKAGE)


@pytest.mark.parametrize("call", ["stat", "delete"])
@pytest.mark.parametrize("error", [ArchiveUnavailableError, ArchiveDeniedError])
def test_a_store_that_fails_at_the_clean_up_does_not_hide_what_is_wrong_with_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, error: type[ArchiveError]
) -> None:
    store = Damaging(tmp_path, rot)
    real = getattr(store, call)

    def failing(key: str) -> object:
        if store.reads:  # the proof has been made
            raise error("now it is down", key=key)
        return real(key)

    monkeypatch.setattr(store, call, failing)
    with pytest.raises(CorruptPackageError, match=PAGE):
        store_package(store, PACKAGE)
    monkeypatch.setattr(store, call, real)
    store.damage = lambda _: None
    with pytest.raises(CorruptPackageError, match=PAGE):  # what was left is proven before it is used
        store_package(store, PACKAGE)
    assert not store_package(store, PACKAGE).was_stored
