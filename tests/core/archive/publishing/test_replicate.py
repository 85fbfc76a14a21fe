"""One download into several archives: whatever fails in one, the others never notice."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.archives.publishing import BaselineOf, Canvas, Dying, files, manifest_far_from_end
from tests.support.packages.build import COURSE, HOST, PAGE, cartridge, context_xml, draft

from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.archive.publishing.package_source import PackageSource
from canvas_exports.core.archive.publishing.package_stream import Download
from canvas_exports.core.archive.publishing.published import Published
from canvas_exports.core.archive.publishing.replicate import Replica, publish_to_replicas
from canvas_exports.core.packages.digests import LABELS, SHA256, digests_of
from canvas_exports.core.packages.proof import Expectation
from canvas_exports.core.storage.buffers import MIN_BLOCK_SIZE, BlockWriter, BufferPool
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.store import Block, Store
from canvas_exports.errors import (
    ArchiveDeniedError,
    ArchiveUnavailableError,
    CanvasExportsError,
    CorruptPackageError,
    DownloadError,
    WrongPackageError,
)

VIDEO = hashlib.shake_128(b"v").digest(4 * MIN_BLOCK_SIZE)
PACKAGE = cartridge({PAGE: b"p", "web_resources/video.mp4": VIDEO})
DRAFT = draft()
BOTH = {DRAFT.key, manifest_key(DRAFT.key)}


def archive(folder: Path, name: str) -> FileStore:
    return FileStore((folder / name).as_uri(), folder / name)


def everywhere(
    download: Download, *stores: Store | Replica, pool: BufferPool | None = None
) -> list[Published | CanvasExportsError]:
    expect = Expectation("common_cartridge", None, COURSE, HOST)
    source = PackageSource(download, expect, pool or BufferPool(3 * MIN_BLOCK_SIZE, MIN_BLOCK_SIZE))
    replicas = [each if isinstance(each, Replica) else Replica(each) for each in stores]
    return publish_to_replicas(replicas, draft=DRAFT, source=source)


def has_all(store: Store) -> bool:
    return files(store) == BOTH and store.read(DRAFT.key) == PACKAGE


def test_one_download_fills_every_archive_and_each_has_its_manifest(tmp_path: Path) -> None:
    stores = [archive(tmp_path, name) for name in "abc"]
    canvas = Canvas(PACKAGE)
    results = everywhere(canvas.blocks, *stores)
    assert canvas.downloads == 1
    assert all(map(has_all, stores))
    assert [result.digests for result in results if isinstance(result, Published)] == 3 * [
        digests_of(PACKAGE)
    ]
    assert len({store.read(manifest_key(DRAFT.key)).partition(b'"stored_at"')[0] for store in stores}) == 1


def test_each_archive_states_the_digests_that_its_connection_allows(tmp_path: Path) -> None:
    stores = [archive(tmp_path, name) for name in "abc"]
    stores[1].required_digest = SHA256
    canvas = Canvas(PACKAGE)
    results = [result for result in everywhere(canvas.blocks, *stores) if isinstance(result, Published)]
    assert canvas.downloads == 1
    assert [result.digests for result in results] == [
        digests_of(PACKAGE, LABELS),
        digests_of(PACKAGE, [SHA256]),
        digests_of(PACKAGE, LABELS),
    ]


def test_only_the_archives_that_lack_it_are_filled(tmp_path: Path) -> None:
    stores = [archive(tmp_path, name) for name in "abc"]
    everywhere(Canvas(PACKAGE).blocks, stores[1])
    before = stores[1].read(manifest_key(DRAFT.key))
    results = everywhere(Canvas(PACKAGE).blocks, *stores)
    assert [result.was_stored for result in results if isinstance(result, Published)] == [False, True, False]
    assert all(map(has_all, stores))
    assert stores[1].read(manifest_key(DRAFT.key)) == before
    canvas = Canvas(PACKAGE)
    everywhere(canvas.blocks, *stores)
    assert canvas.downloads == 0


def test_a_leftover_in_one_archive_is_adopted_while_the_others_are_filled(tmp_path: Path) -> None:
    stores = [archive(tmp_path, name) for name in "abc"]
    stores[0].put(DRAFT.key, [PACKAGE])
    stores[2].put(DRAFT.key, [PACKAGE[:-3]])
    everywhere(Canvas(PACKAGE).blocks, *stores)
    assert all(map(has_all, stores))


def test_a_proof_that_needs_another_pass_gets_it_for_all(tmp_path: Path) -> None:
    stores = [archive(tmp_path, name) for name in "ab"]
    canvas = Canvas(manifest_far_from_end())
    everywhere(canvas.blocks, *stores)
    assert canvas.downloads == 2
    assert [files(store) for store in stores] == [BOTH, BOTH]


def test_unchanged_is_for_each_archive_to_say(tmp_path: Path) -> None:
    has, lacks = archive(tmp_path, "a"), archive(tmp_path, "b")
    earlier = draft(400)
    source = PackageSource(
        Canvas(PACKAGE).blocks, Expectation("common_cartridge", None, COURSE, HOST), BufferPool()
    )
    (first,) = publish_to_replicas([Replica(has)], draft=earlier, source=source)
    assert isinstance(first, Published)
    results = everywhere(Canvas(PACKAGE).blocks, Replica(has, BaselineOf(first.manifest)), Replica(lacks))
    assert [result.unchanged for result in results if isinstance(result, Published)] == [True, False]
    assert Manifest.from_json(has.read(manifest_key(DRAFT.key))).package.key == earlier.key
    assert has_all(lacks)


@pytest.mark.parametrize(
    ("data", "error"),
    [(PACKAGE[:-1], CorruptPackageError), (cartridge(context=context_xml(9)), WrongPackageError)],
)
def test_what_is_not_the_package_is_nowhere(tmp_path: Path, data: bytes, error: type[Exception]) -> None:
    stores = [archive(tmp_path, name) for name in "ab"]
    canvas = Canvas(data)
    with pytest.raises(error):
        everywhere(canvas.blocks, *stores)
    assert [files(store) for store in stores] == [set(), set()]
    assert canvas.open == 0


def test_a_download_that_breaks_leaves_nothing_anywhere(tmp_path: Path) -> None:
    def broken(_: BlockWriter) -> Iterator[Block]:
        yield PACKAGE[: 2 * MIN_BLOCK_SIZE]
        raise DownloadError("cut")

    stores = [archive(tmp_path, name) for name in "ab"]
    with pytest.raises(DownloadError, match="cut"):
        everywhere(broken, *stores)
    assert [files(store) for store in stores] == [set(), set()]


class Failing(Dying):
    """A store that fails at the n-th thing it is asked, for good: every later thing fails, too."""

    error: type[CanvasExportsError] = ArchiveUnavailableError

    def _die(self) -> None:
        self.survived = False
        raise self.error("away")

    def _do(self, action: Callable[[], object]) -> object:
        self._left -= 1
        if self._left <= 0:
            self._die()
        return action()


@pytest.mark.parametrize("at", [0, 1], ids=["the first", "the second"])
def test_an_archive_that_fails_at_any_step_harms_no_other_and_holds_nothing_half(
    tmp_path: Path, at: int
) -> None:
    steps = 0
    while True:
        steps += 1
        stores = [archive(tmp_path, f"{steps}-{name}") for name in "ab"]
        failing = Failing(stores[at], steps, after=False)
        canvas = Canvas(PACKAGE)
        results = everywhere(
            canvas.blocks, *[failing if n == at else store for n, store in enumerate(stores)]
        )
        assert isinstance(results[1 - at], Published)
        assert has_all(stores[1 - at])
        assert isinstance(results[at], Published) == failing.survived
        assert files(stores[at]) <= BOTH
        assert DRAFT.key not in files(stores[at]) or stores[at].read(DRAFT.key) == PACKAGE
        again = everywhere(Canvas(PACKAGE).blocks, *stores)
        assert all(isinstance(result, Published) for result in again)
        assert all(map(has_all, stores))
        if failing.survived:
            break
    assert steps > 8


def test_where_every_archive_fails_the_error_says_whether_a_retry_may_help(tmp_path: Path) -> None:
    denied, away = (Failing(archive(tmp_path, name), 1, after=False) for name in "ab")
    denied.error = ArchiveDeniedError
    with pytest.raises(ArchiveUnavailableError):
        everywhere(Canvas(PACKAGE).blocks, denied, away)
    with pytest.raises(ArchiveDeniedError):
        everywhere(Canvas(PACKAGE).blocks, denied, denied)


def test_where_every_archive_fails_in_the_middle_the_download_ends(tmp_path: Path) -> None:
    canvas = Canvas(PACKAGE * 3)
    stores = [Failing(archive(tmp_path, name), 5, after=False) for name in "ab"]
    with pytest.raises(ArchiveUnavailableError):
        everywhere(canvas.blocks, *stores)
    assert canvas.open == 0


class Seen(FileStore):
    """A store that counts the bytes it is handed, and takes none before it is allowed to."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder.as_uri(), folder)
        self.gate, self.second = threading.Event(), threading.Event()
        self.taken = 0

    def put(self, key: str, blocks: Iterable[Block]) -> None:
        def counted() -> Iterator[Block]:
            for block in blocks:
                assert self.gate.wait(30)
                if self.taken:
                    self.second.set()
                self.taken += len(block)
                yield block

        super().put(key, counted())


def test_the_slowest_archive_sets_the_pace_and_memory_stays_that_of_one(tmp_path: Path) -> None:
    slow, quick = Seen(tmp_path / "slow"), Seen(tmp_path / "quick")
    slow.gate, quick.gate = quick.second, threading.Event()  # not before the other one has its second block
    quick.gate.set()
    ahead: list[int] = []

    def source(_: BlockWriter) -> Iterator[Block]:
        for start in range(0, len(PACKAGE), 1 << 20):
            ahead.append(start - slow.taken)
            yield PACKAGE[start : start + (1 << 20)]

    everywhere(source, slow, quick)
    assert has_all(slow)
    assert has_all(quick)
    assert max(ahead) <= 3 * MIN_BLOCK_SIZE


@settings(max_examples=40)
@given(
    steps=st.lists(st.integers(1, 30), min_size=2, max_size=4),
    size=st.integers(0, 3 * MIN_BLOCK_SIZE),
    blocks=st.integers(2, 3),  # the failing store itself keeps one while it asks for the next
)
def test_whatever_fails_wherever_every_archive_has_all_or_nothing(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int], size: int, blocks: int
) -> None:
    folder = tmp_path_factory.mktemp("archives")
    package = cartridge({PAGE: b"p", "web_resources/video.mp4": VIDEO[:size]})
    stores = [archive(folder, str(n)) for n in range(len(steps))]
    canvas = Canvas(package)
    failing = [Failing(store, step, after=False) for store, step in zip(stores, steps, strict=True)]
    with suppress(ArchiveUnavailableError):
        results = everywhere(
            canvas.blocks, *failing, pool=BufferPool(blocks * MIN_BLOCK_SIZE, MIN_BLOCK_SIZE)
        )
        assert [isinstance(result, Published) for result in results] == [each.survived for each in failing]
    assert canvas.open == 0
    for store in stores:
        held = files(store)
        assert held in (set(), {DRAFT.key}, BOTH)
        assert DRAFT.key not in held or store.read(DRAFT.key) == package
