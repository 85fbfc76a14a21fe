"""Publishing into an archive that locks: what is proven is locked, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from urllib.parse import unquote

import pytest
from tests.support.packages.build import COURSE, HOST, cartridge, draft
from tests.support.store_servers.gcs import GcsServer
from tests.support.store_servers.places import gcs_place
from tests.support.store_servers.stores import GcsPlace

from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.archive.publishing.package_source import PackageSource
from canvas_exports.core.archive.publishing.publish import publish
from canvas_exports.core.archive.publishing.published import Published
from canvas_exports.core.archive.sweep import sweep
from canvas_exports.core.packages.proof import Expectation
from canvas_exports.core.storage.buffers import BlockWriter, BufferPool
from canvas_exports.core.storage.options import Protection
from canvas_exports.core.storage.store import Block
from canvas_exports.errors import ArchiveDeniedError, LockedError

MONTH = timedelta(days=30)
DRAFT = draft(501)
MANIFEST = manifest_key(DRAFT.key)


@pytest.fixture
def locking(gcs: GcsServer) -> Iterator[GcsPlace]:
    place = gcs_place(gcs, protection=Protection(lock_mode="compliance", lock_for=MONTH))
    with place.store:
        yield place


def store(place: GcsPlace, number: int = 501, *, copy: Manifest | None = None) -> Published:
    data = cartridge(day=f"2026-11-{number - 480}")

    def blocks(_: BlockWriter) -> Iterator[Block]:
        yield data

    expect = Expectation("common_cartridge", len(data), COURSE, HOST)
    source = PackageSource(blocks, expect, BufferPool())
    return publish(place.store, draft=draft(number), source=source, baseline=lambda: copy)


def unlock(place: GcsPlace, *keys: str) -> None:
    for key in keys:
        place.server.blobs[place.prefix + key].retention.clear()


def asked(place: GcsPlace, *verbs: str) -> list[str]:
    seen = [
        (verb, unquote(target.partition("?")[0]).partition(place.prefix)[2])
        for verb, target, _ in place.server.seen
    ]
    return [f"{verb} {key}" for verb, key in seen if key and verb in verbs]


def test_a_package_is_locked_before_its_manifest_is_written_and_the_manifest_after(
    locking: GcsPlace,
) -> None:
    store(locking)
    assert asked(locking, "PUT", "PATCH") == [
        f"PUT {DRAFT.key}",
        f"PATCH {DRAFT.key}",
        f"PUT {MANIFEST}",
        f"PATCH {MANIFEST}",
    ]
    for key in (DRAFT.key, MANIFEST):
        until = locking.store.lock_of(key)
        assert until is not None
        assert until - datetime.now(timezone.utc) > MONTH - timedelta(minutes=1)
        with pytest.raises(LockedError):
            locking.store.delete(key)


def test_whoever_was_killed_before_the_manifest_was_locked_has_it_locked_by_the_next(
    locking: GcsPlace,
) -> None:
    store(locking)
    unlock(locking, MANIFEST)
    assert store(locking).was_stored
    assert locking.store.lock_of(MANIFEST) is not None


def test_what_was_left_without_a_manifest_is_proven_and_then_locked(locking: GcsPlace) -> None:
    store(locking)
    unlock(locking, DRAFT.key, MANIFEST)
    locking.store.delete(MANIFEST)
    assert not store(locking).was_stored
    assert locking.store.lock_of(DRAFT.key) is not None
    assert locking.store.lock_of(MANIFEST) is not None


def test_a_later_manifest_makes_the_lock_of_its_package_longer(locking: GcsPlace) -> None:
    copy = store(locking).manifest
    held = locking.server.blobs[locking.prefix + DRAFT.key].retention
    held["retainUntilTime"] = soon = f"{datetime.now(timezone.utc) + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
    assert store(locking, 502, copy=copy).unchanged
    assert locking.server.blobs[locking.prefix + DRAFT.key].retention["retainUntilTime"] > soon


def test_a_longer_lock_than_asked_for_is_left_as_it_is(locking: GcsPlace) -> None:
    locking.store.put(DRAFT.key, [b"x"])
    later = {"mode": "Locked", "retainUntilTime": "2126-01-01T00:00:00Z"}
    locking.server.blobs[locking.prefix + DRAFT.key].retention = dict(later)
    locking.store.lock(DRAFT.key)
    assert locking.server.blobs[locking.prefix + DRAFT.key].retention == later


def test_what_cannot_be_locked_is_no_backup() -> None:
    server = GcsServer("plain", lockable=False)
    try:
        place = gcs_place(server, protection=Protection(lock_mode="compliance", lock_for=MONTH))
        with place.store, pytest.raises(ArchiveDeniedError, match="cannot lock objects"):
            store(place)
        assert place.objects() == {DRAFT.key}
    finally:
        server.close()


def test_a_sweep_of_an_archive_that_locks_takes_what_was_never_proven(locking: GcsPlace) -> None:
    store(locking)
    stale = draft(499).key
    locking.store.put(stale, [b"never proven"])
    swept = sweep(locking.store, grace=timedelta(seconds=-2))
    assert (swept.keys, swept.problem) == ([stale], None)
    assert locking.objects() == {DRAFT.key, MANIFEST}
