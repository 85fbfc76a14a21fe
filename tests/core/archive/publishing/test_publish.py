from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.archives.publishing import (
    BOTH,
    DRAFT,
    PACKAGE,
    Canvas,
    Dying,
    Killed,
    Quicker,
    files,
    manifest_far_from_end,
    store_package,
)
from tests.support.packages.build import (
    HOST,
    cartridge,
    cartridge_files,
    context_xml,
    draft,
    zipped,
)

from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.archive.publishing.published import Published
from canvas_exports.core.packages.digests import digests_of
from canvas_exports.core.packages.proof import Verdict
from canvas_exports.core.storage.buffers import MIN_BLOCK_SIZE
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.store import Block, Store
from canvas_exports.errors import (
    AlreadyStoredError,
    ArchiveDeniedError,
    ArchiveError,
    ArchiveUnavailableError,
    CorruptPackageError,
    UnreadableDocumentError,
    WrongPackageError,
)


def test_a_package_and_its_manifest_are_stored(store: Store) -> None:
    canvas = Canvas(PACKAGE)
    published = store_package(store, canvas, size=len(PACKAGE))
    assert files(store) == BOTH
    assert store.read(DRAFT.key) == PACKAGE
    assert published.digests == digests_of(PACKAGE)
    assert (published.size, published.verdict, published.was_stored) == (len(PACKAGE), Verdict.WHOLE, False)
    assert Manifest.from_json(store.read(published.manifest_key)) == replace(
        published.manifest, stored_at=published.manifest.stored_at.replace(microsecond=0)
    )
    assert canvas.open == 0


def test_what_is_stored_is_not_transferred_again(store: Store) -> None:
    canvas = Canvas(PACKAGE)
    first = store_package(store, canvas)
    again = store_package(store, canvas)
    assert canvas.downloads == 1
    assert again.was_stored
    assert (again.digests, again.findings) == (first.digests, first.findings)


@pytest.mark.parametrize(
    ("data", "changes", "error"),
    [
        (PACKAGE[:-1], {}, CorruptPackageError),
        (PACKAGE, {"size": len(PACKAGE) + 1}, CorruptPackageError),
        (PACKAGE, {"size": len(PACKAGE) - 1}, CorruptPackageError),
        (b"<html>", {}, CorruptPackageError),
        (b"", {}, CorruptPackageError),
        (cartridge(context=context_xml(999)), {}, WrongPackageError),
        (cartridge(context=context_xml(host="elsewhere")), {}, WrongPackageError),
    ],
)
def test_what_is_not_the_package_is_never_visible(
    store: Store, data: bytes, changes: dict[str, Any], error: type[Exception]
) -> None:
    canvas = Canvas(data)
    with pytest.raises(error):
        store_package(store, canvas, **changes)
    assert files(store) == set()
    assert canvas.open == 0


def test_another_export_under_the_key_is_never_replaced(store: Store) -> None:
    store_package(store, Canvas(PACKAGE))
    before = store.read(manifest_key(DRAFT.key))
    other = replace(DRAFT, export=replace(DRAFT.export, canvas_host="other.example.edu"))
    canvas = Canvas(PACKAGE)
    with pytest.raises(AlreadyStoredError, match=HOST):
        store_package(store, canvas, draft=other)
    assert canvas.downloads == 0
    assert store.read(manifest_key(DRAFT.key)) == before


def test_a_key_taken_by_a_stranger_is_reported(store: Store) -> None:
    store.put_if_absent(manifest_key(DRAFT.key), b"not JSON")
    with pytest.raises(ArchiveError, match="not a manifest"):
        store_package(store, Canvas(PACKAGE))


def test_a_manifest_without_its_package_is_reported_and_not_papered_over(store: Store) -> None:
    store_package(store, Canvas(PACKAGE))
    store.delete(DRAFT.key)
    with pytest.raises(ArchiveError, match="gone or cut"):
        store_package(store, Canvas(PACKAGE))
    store.put(DRAFT.key, [PACKAGE[:-5]])
    with pytest.raises(ArchiveError, match="gone or cut"):
        store_package(store, Canvas(PACKAGE))


def test_a_package_that_a_killed_run_left_is_proven_and_not_fetched_again(store: Store) -> None:
    store.put(DRAFT.key, [PACKAGE])
    canvas = Canvas(PACKAGE)
    published = store_package(store, canvas, size=len(PACKAGE))
    assert canvas.downloads == 0
    assert published.digests == digests_of(PACKAGE)
    assert not published.was_stored
    assert files(store) == BOTH


class Racing(FileStore):
    """A store in which another task sweeps the package just before its manifest is written."""

    def put_if_absent(self, key: str, data: bytes) -> bool:
        self.delete(DRAFT.key)
        return super().put_if_absent(key, data)


def racing(tmp_path: Path) -> Racing:
    return Racing(tmp_path.as_uri(), tmp_path)


def test_a_manifest_of_a_package_that_was_swept_meanwhile_is_taken_back(tmp_path: Path) -> None:
    store = racing(tmp_path)
    store.put(DRAFT.key, [PACKAGE])
    with pytest.raises(ArchiveUnavailableError, match="swept") as raised:
        store_package(store, Canvas(PACKAGE))
    assert raised.value.retryable
    assert files(store) == set()


def test_a_process_that_slept_for_days_does_not_vouch_for_a_package_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 3 * 86_400.0])
    monkeypatch.setattr("canvas_exports.core.archive.publishing.publish.time.time", lambda: next(clock))
    store = racing(tmp_path)
    with pytest.raises(ArchiveUnavailableError, match="swept"):
        store_package(store, Canvas(PACKAGE))
    assert files(store) == set()


@pytest.mark.parametrize(
    "left", [PACKAGE[:-9], PACKAGE[: MIN_BLOCK_SIZE + 5], cartridge(context=context_xml(9)), b""]
)
def test_what_was_left_and_is_not_the_package_is_removed_and_fetched(store: Store, left: bytes) -> None:
    store.put(DRAFT.key, [left])
    canvas = Canvas(PACKAGE)
    store_package(store, canvas, size=len(PACKAGE))
    assert canvas.downloads == 1
    assert store.read(DRAFT.key) == PACKAGE


def test_a_manifest_far_from_the_end_costs_one_more_download_and_is_proven_all_the_same(store: Store) -> None:
    canvas = Canvas(manifest_far_from_end())
    assert store_package(store, canvas).verdict is Verdict.WHOLE
    assert canvas.downloads == 2
    assert files(store) == BOTH


def test_a_directory_longer_than_the_tail_is_proven_too(store: Store) -> None:
    members = cartridge_files({f"web_resources/{n:05}-{'x' * 180}": b"" for n in range(20_000)})
    members = {"imsmanifest.xml": members.pop("imsmanifest.xml"), **members}
    canvas = Canvas(zipped(members))
    assert store_package(store, canvas).verdict is Verdict.WHOLE
    assert canvas.downloads == 3


def test_downloads_that_differ_every_time_are_given_up(store: Store) -> None:
    packages = []
    for size in (6, 7, 8, 9):
        members = cartridge_files({"web_resources/a": bytes(size << 19), "web_resources/b": bytes(5 << 20)})
        first = {
            "web_resources/a": members.pop("web_resources/a"),
            "imsmanifest.xml": members.pop("imsmanifest.xml"),
        }
        packages.append(zipped({**first, **members}, method=0))
    canvas = Canvas(*packages)
    with pytest.raises(CorruptPackageError, match="different"):
        store_package(store, canvas)
    assert canvas.downloads == 3
    assert files(store) == set()


@pytest.mark.parametrize(
    "left_before", [None, PACKAGE, PACKAGE[:-1]], ids=["nothing", "orphan", "broken orphan"]
)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_between_any_two_steps_nothing_half_is_left_and_the_next_run_ends_well(
    tmp_path: Path, left_before: bytes | None, after: bool
) -> None:
    steps = 0
    while True:
        steps += 1
        with open_store(f"file://{tmp_path}/{steps}") as store:
            if left_before is not None:
                store.put(DRAFT.key, [left_before])
            dying = Dying(store, steps, after=after)
            with suppress(Killed):
                store_package(dying, Canvas(PACKAGE))
            visible = files(store)
            assert visible <= BOTH
            package = store.read(DRAFT.key) if DRAFT.key in visible else None
            assert package in (None, PACKAGE, left_before)
            assert package == PACKAGE or manifest_key(DRAFT.key) not in visible

            canvas = Canvas(PACKAGE)
            published = store_package(store, canvas)
            assert published.was_stored == (manifest_key(DRAFT.key) in visible)
            assert canvas.downloads == (0 if package == PACKAGE else 1)
            assert files(store) == BOTH
            assert store.read(DRAFT.key) == PACKAGE
        if dying.survived:
            break
    assert steps > 5


@pytest.mark.parametrize("step", ["put", "put_if_absent"])
def test_two_attempts_at_one_export_end_in_one_package(store: Store, step: str) -> None:
    first: list[Published] = []
    quicker = Quicker(store, step, lambda: first.append(store_package(store, Canvas(PACKAGE))))
    second = store_package(quicker, Canvas(PACKAGE))
    assert second.was_stored
    assert second.manifest.package == first[0].manifest.package
    assert files(store) == BOTH


def test_a_package_that_another_attempt_left_without_a_manifest_is_adopted(store: Store) -> None:
    quicker = Quicker(store, "put", lambda: store.put(DRAFT.key, [PACKAGE]))
    canvas = Canvas(PACKAGE)
    assert not store_package(quicker, canvas).was_stored
    assert canvas.downloads == 0
    assert files(store) == BOTH


def test_a_manifest_of_another_export_that_appears_meanwhile_is_never_replaced(store: Store) -> None:
    foreign = replace(DRAFT, export=replace(DRAFT.export, id=999))
    document: list[bytes] = []

    def other() -> None:
        manifest = store_package(store, Canvas(PACKAGE), draft=replace(foreign, key=draft(999).key)).manifest
        document.append(replace(manifest, package=replace(manifest.package, key=DRAFT.key)).to_json())
        store.put_if_absent(manifest_key(DRAFT.key), document[0])

    with pytest.raises(UnreadableDocumentError, match="another export"):
        store_package(Quicker(store, "put_if_absent", other), Canvas(PACKAGE))
    assert store.read(manifest_key(DRAFT.key)) == document[0]


class Forgetful(Dying):
    """A store that accepts everything and keeps only a part, or denies what it said."""

    def __init__(self, store: Store, *, keeps: int) -> None:
        super().__init__(store, 0, after=True)
        self._keeps = keeps

    def put(self, key: str, blocks: Iterable[Block]) -> None:
        self._store.put(key, [b"".join(bytes(block) for block in blocks)[: self._keeps]])


def test_a_store_that_kept_less_than_it_accepted_is_not_believed(store: Store) -> None:
    with pytest.raises(ArchiveUnavailableError, match="did not keep"):
        store_package(Forgetful(store, keeps=100), Canvas(PACKAGE))
    assert files(store) == set()


class Vanishing(Dying):
    def blocks(self, key: str) -> Iterator[Block]:
        self._store.delete(key)
        return self._store.blocks(key)


def test_what_was_left_and_vanishes_while_it_is_looked_at_is_fetched(store: Store) -> None:
    store.put(DRAFT.key, [PACKAGE])
    canvas = Canvas(PACKAGE)
    store_package(Vanishing(store, 0, after=True), canvas)
    assert canvas.downloads == 1
    assert files(store) == BOTH


class Contradicting(Dying):
    def put_if_absent(self, key: str, data: bytes) -> bool:  # noqa: ARG002 - it does not even look
        return False


def test_a_store_that_contradicts_itself_is_not_believed(store: Store) -> None:
    with pytest.raises(ArchiveUnavailableError, match="is not"):
        store_package(Contradicting(store, 0, after=True), Canvas(PACKAGE))


class AlwaysTaken(Dying):
    def put(self, key: str, blocks: Iterable[Block]) -> None:  # noqa: ARG002 - it does not even look
        raise AlreadyStoredError("the key is taken", key=key)


def test_a_key_that_is_always_taken_and_never_there_ends(store: Store) -> None:
    with pytest.raises(AlreadyStoredError):
        store_package(AlwaysTaken(store, 0, after=True), Canvas(PACKAGE))


class TestAMistakeOfOurs:
    """Only ``ObjectNotFoundError`` means that an object is absent; the ``KeyError`` of a mistake is raised as it is."""

    @pytest.mark.parametrize("step", ["lock", "put_if_absent", "read", "stat", "put"])
    def test_a_bare_key_error_is_never_reported_as_a_package_that_was_swept(
        self, store: Store, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        def mistaken(*_: object, **__: object) -> None:
            raise KeyError("a name that nobody knows")

        monkeypatch.setattr(FileStore, step, mistaken)
        with pytest.raises(KeyError, match="a name that nobody knows") as caught:
            store_package(store, Canvas(PACKAGE))
        assert type(caught.value) is KeyError

    def test_nor_is_one_that_happens_while_what_a_killed_run_left_is_proven(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store.put(DRAFT.key, [PACKAGE])

        def mistaken(*_: object, **__: object) -> None:
            raise KeyError("a name that nobody knows")

        monkeypatch.setattr(FileStore, "blocks", mistaken)
        with pytest.raises(KeyError, match="a name that nobody knows"):
            store_package(store, Canvas(PACKAGE))


def test_a_store_that_kept_too_little_is_reported_though_it_cannot_even_delete(tmp_path: Path) -> None:
    class Forgetful(FileStore):
        def put(self, key: str, blocks: Iterable[Block]) -> None:
            super().put(key, [b"".join(bytes(block) for block in blocks)[:-1]])

        def delete(self, key: str) -> None:
            raise ArchiveDeniedError("no right to delete", key=key)

    with pytest.raises(ArchiveUnavailableError, match="did not keep"):
        store_package(Forgetful(tmp_path.as_uri(), tmp_path), Canvas(PACKAGE))
