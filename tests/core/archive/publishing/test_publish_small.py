"""A small package is stored without looking first whether it is there: the store refuses it if it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.archives.publishing import (
    BOTH,
    DRAFT,
    BaselineOf,
    Canvas,
    Dying,
    Killed,
    Quicker,
    files,
    store_package,
)
from tests.support.packages.build import PAGE, cartridge, cartridge_files, context_xml, draft, zipped
from tests.support.store_servers.places import BUCKET, s3_options
from tests.support.store_servers.wild_s3 import Habits, WildS3

from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.archive.probe import check_writable
from canvas_exports.core.archive.publishing.published import Published
from canvas_exports.core.export.baseline import newest_proven
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.storage.buffers import SMALL
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import (
    AlreadyStoredError,
    ArchiveError,
    ArchiveUnavailableError,
    PackageError,
    UnreadableDocumentError,
)

PACKAGE = cartridge({PAGE: b"a small course"})
OTHER = zipped(cartridge_files({PAGE: b"another course"}, day="2026-11-24"))
MARKER = manifest_key(DRAFT.key)
EARLIER = draft(400)


def store_small(store: Store, canvas: Canvas, **changes: Any) -> Published:
    return store_package(store, canvas, size=len(canvas.packages[0]), **changes)


@pytest.fixture
def server() -> Iterator[WildS3]:
    server = WildS3(BUCKET, Habits())
    yield server
    server.close()


@pytest.fixture
def s3(server: WildS3) -> Iterator[Store]:
    with open_store(f"s3://{BUCKET}/canvas", s3_options(server.endpoint, retries=0)) as store:
        check_writable(store)
        server.seen.clear()
        yield store


def requests(server: WildS3) -> list[tuple[str, str]]:
    """The requests since the last call: verb, and what about."""
    seen = [
        (verb, "list" if "list-type" in query else "manifest" if name.endswith(".json") else "package")
        for verb, name, query in server.seen
    ]
    server.seen.clear()
    return seen


class TestRequests:
    """How many requests to the store a small package takes."""

    def test_a_new_one_takes_two(self, s3: Store, server: WildS3) -> None:
        store_small(s3, Canvas(PACKAGE))
        assert requests(server) == [("PUT", "package"), ("PUT", "manifest")]

    def test_and_a_third_where_it_is_compared_with_earlier_copies(self, s3: Store, server: WildS3) -> None:
        store_small(s3, Canvas(PACKAGE), baseline=newest_proven(s3, DRAFT, ProofLevel.DIRECTORY))
        assert requests(server) == [("GET", "list"), ("PUT", "package"), ("PUT", "manifest")]

    def test_an_unchanged_one_takes_five(self, s3: Store, server: WildS3) -> None:
        store_small(s3, Canvas(PACKAGE), draft=EARLIER)
        server.seen.clear()
        assert store_small(
            s3, Canvas(PACKAGE), baseline=newest_proven(s3, DRAFT, ProofLevel.DIRECTORY)
        ).unchanged
        looks = [("GET", "list"), ("GET", "manifest"), ("HEAD", "package")]
        assert requests(server) == [*looks, ("PUT", "manifest"), ("HEAD", "package")]

    def test_one_of_one_part_that_is_not_small_takes_six_and_seven_if_it_is_unchanged(
        self, s3: Store, server: WildS3
    ) -> None:
        large = cartridge({"web_resources/film.mp4": hashlib.shake_128(b"film").digest(SMALL)})
        for number, count in ((501, 6), (502, 7)):
            tonight = draft(number)
            baseline = newest_proven(s3, tonight, ProofLevel.DIRECTORY)
            store_small(s3, Canvas(large), draft=tonight, baseline=baseline)
            assert len(requests(server)) == count

    def test_a_large_one_and_a_retry_are_looked_up_first(self, s3: Store, server: WildS3) -> None:
        large = cartridge({"web_resources/film.mp4": hashlib.shake_128(b"film").digest(SMALL)})
        for package, is_retry in ((PACKAGE, True), (large, False)):
            canvas = Canvas(package)
            store_small(s3, canvas, is_retry=is_retry)
            assert requests(server)[:2] == [("HEAD", "manifest"), ("HEAD", "package")]
            store_small(s3, canvas, is_retry=is_retry)
            assert canvas.downloads == 1
            s3.delete(MARKER)
            s3.delete(DRAFT.key)
            server.seen.clear()

    def test_one_that_is_there_is_downloaded_in_vain_and_never_replaced(
        self, s3: Store, server: WildS3
    ) -> None:
        first = store_small(s3, Canvas(PACKAGE))
        things = dict(server.things)
        again = store_small(s3, Canvas(PACKAGE))
        assert again.was_stored
        assert again.manifest.package == first.manifest.package
        assert server.things == things

    @pytest.mark.parametrize("condition", ["501", "400", "ignored"])
    def test_a_store_without_conditional_requests_is_looked_up_before_each_write(
        self, s3: Store, server: WildS3, condition: Any
    ) -> None:
        server.habits.condition = condition
        with open_store(s3.uri, s3_options(server.endpoint, retries=0)) as store:
            check_writable(store)
            server.seen.clear()
            store_small(store, Canvas(PACKAGE))
            looks = [("HEAD", "package"), ("PUT", "package"), ("HEAD", "manifest"), ("PUT", "manifest")]
            assert requests(server) == looks
            assert store_small(store, Canvas(PACKAGE)).was_stored

    @pytest.mark.parametrize("condition", ["honoured", "501", "400", "ignored"])
    def test_a_store_that_nobody_has_checked_is_looked_up_until_it_has_refused_something(
        self, s3: Store, server: WildS3, condition: Any
    ) -> None:
        server.habits.condition = condition
        with open_store(s3.uri, s3_options(server.endpoint, retries=0)) as store:
            store_small(store, Canvas(PACKAGE))
            assert requests(server)[0] == ("HEAD", "package")
            store_small(store, Canvas(PACKAGE), draft=draft(502))
            looks = {verb for verb, _ in requests(server)}
            assert looks == ({"PUT"} if condition == "honoured" else {"HEAD", "PUT"})
            assert store.capabilities.one_winner == (condition == "honoured")

    def test_its_size_is_looked_up_where_the_answer_does_not_show_that_it_was_kept(
        self, s3: Store, server: WildS3, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("canvas_exports.core.storage.cloud.object_store.md5_of", lambda _: None)
        store_small(s3, Canvas(PACKAGE))
        assert requests(server) == [("PUT", "package"), ("HEAD", "package"), ("PUT", "manifest")]

    def test_a_store_that_kept_other_bytes_than_it_was_sent_is_not_believed(
        self, s3: Store, server: WildS3
    ) -> None:
        change = server.change

        def forgetful(name: str, data: bytes | None) -> None:
            change(name, data[:-1] if data and name.endswith(".imscc") else data)

        server.change = forgetful  # type: ignore[method-assign]
        with pytest.raises(ArchiveUnavailableError, match="did not keep"):
            store_small(s3, Canvas(PACKAGE))
        assert server.things == {}


@pytest.mark.parametrize(
    "left_before", [None, PACKAGE, PACKAGE[:-1]], ids=["nothing", "orphan", "broken orphan"]
)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("is_retry", [False, True], ids=["again", "retried"])
def test_killed_between_any_two_steps_nothing_half_is_left_and_the_next_run_ends_well(
    tmp_path: Path, left_before: bytes | None, after: bool, is_retry: bool
) -> None:
    steps = 0
    while True:
        steps += 1
        with open_store(f"file://{tmp_path}/{steps}") as store:
            if left_before is not None:
                store.put(DRAFT.key, [left_before])
            dying = Dying(store, steps, after=after)
            with suppress(Killed):
                store_small(dying, Canvas(PACKAGE))
            visible = files(store)
            assert visible <= BOTH
            package = store.read(DRAFT.key) if DRAFT.key in visible else None
            assert package in (None, PACKAGE, left_before)
            assert package == PACKAGE or MARKER not in visible

            canvas = Canvas(PACKAGE)
            published = store_small(store, canvas, is_retry=is_retry)
            assert published.was_stored == (MARKER in visible)
            assert files(store) == BOTH
            assert store.read(DRAFT.key) == PACKAGE
            if is_retry:
                assert canvas.downloads == (0 if package == PACKAGE else 1)
        if dying.survived:
            break
    assert steps > 3


@pytest.mark.parametrize("key", [DRAFT.key, MARKER], ids=["package", "manifest"])
def test_two_attempts_at_one_export_end_in_one_package(store: Store, key: str) -> None:
    first: list[Published] = []

    class Overtaken(Quicker):
        def put_if_absent(self, taken: str, data: bytes) -> bool:
            if taken == key:
                self._overtaken("put_if_absent")
            return self._store.put_if_absent(taken, data)

    def overtake() -> None:
        first.append(store_small(store, Canvas(PACKAGE)))

    second = store_small(Overtaken(store, "put_if_absent", overtake), Canvas(PACKAGE))
    assert second.was_stored
    assert second.manifest.package == first[0].manifest.package
    assert files(store) == BOTH
    assert store.read(DRAFT.key) == PACKAGE


class TestAManifestThatNamesAnotherPackage:
    """The manifest was written when the course was unchanged; the same export is transferred again, and compared with nothing."""

    @pytest.fixture
    def referring(self, store: Store) -> set[str]:
        copy = store_small(store, Canvas(PACKAGE), draft=EARLIER).manifest
        referred = store_small(store, Canvas(PACKAGE), baseline=BaselineOf(copy))
        assert referred.unchanged
        return files(store)

    def test_stays_and_the_package_is_not_kept_twice(self, store: Store, referring: set[str]) -> None:
        again = store_small(store, Canvas(PACKAGE))
        assert (again.was_stored, again.unchanged, again.key) == (True, True, EARLIER.key)
        assert files(store) == referring

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    def test_stays_wherever_the_attempt_is_killed(self, tmp_path: Path, after: bool) -> None:
        steps = 0
        while True:
            steps += 1
            with open_store(f"file://{tmp_path}/{steps}") as store:
                copy = store_small(store, Canvas(PACKAGE), draft=EARLIER).manifest
                store_small(store, Canvas(PACKAGE), baseline=BaselineOf(copy))
                document = store.read(MARKER)
                dying = Dying(store, steps, after=after)
                with suppress(Killed):
                    store_small(dying, Canvas(PACKAGE))
                assert store.read(EARLIER.key) == PACKAGE
                assert store.read(MARKER) == document
                again = store_small(store, Canvas(PACKAGE))
                assert (again.was_stored, again.key) == (True, EARLIER.key)
            if dying.survived:
                break
        assert steps > 3

    def test_is_written_anew_if_that_package_is_gone(self, store: Store, referring: set[str]) -> None:
        store.delete(EARLIER.key)
        again = store_small(store, Canvas(PACKAGE))
        assert again.key == DRAFT.key
        assert files(store) == (referring | {DRAFT.key}) - {EARLIER.key}
        assert Manifest.from_json(store.read(MARKER)).package.key == DRAFT.key


class TestAManifestThatIsThereAlone:
    """Somebody has removed a package, or written a manifest; the package is put before the manifest is read."""

    def manifest(self, store: Store, **changes: Any) -> bytes:
        found = store_small(store, Canvas(PACKAGE)).manifest
        store.delete(MARKER)
        store.delete(DRAFT.key)
        document = replace(found, **changes).to_json()
        store.put_if_absent(MARKER, document)
        return document

    def test_of_another_export_is_never_replaced_and_gets_no_package(self, store: Store) -> None:
        foreign = replace(DRAFT.export, canvas_host="other.example.edu")
        document = self.manifest(store, export=foreign)
        with pytest.raises(AlreadyStoredError, match=r"other\.example\.edu"):
            store_small(store, Canvas(PACKAGE))
        assert files(store) == {MARKER}
        assert store.read(MARKER) == document

    def test_that_cannot_be_read_is_reported_and_may_be_that_of_the_package(self, store: Store) -> None:
        store.put_if_absent(MARKER, b"not JSON")
        for _ in range(2):
            with pytest.raises(UnreadableDocumentError):
                store_small(store, Canvas(PACKAGE))
        assert store.read(MARKER) == b"not JSON"

    def test_gets_its_own_bytes_back(self, store: Store) -> None:
        document = self.manifest(store)
        assert store_small(store, Canvas(PACKAGE)).was_stored
        assert (store.read(DRAFT.key), store.read(MARKER)) == (PACKAGE, document)

    @pytest.mark.parametrize(
        "package", [OTHER, cartridge({PAGE: b"a small coursf"})], ids=["longer", "as long"]
    )
    def test_never_gets_other_bytes(self, store: Store, package: bytes) -> None:
        document = self.manifest(store)
        with pytest.raises(ArchiveError, match="gone or cut"):
            store_small(store, Canvas(package))
        assert files(store) == {MARKER}
        assert store.read(MARKER) == document

    def test_what_another_attempt_has_stored_under_the_key_is_not_removed(self, store: Store) -> None:
        foreign = replace(DRAFT.export, canvas_host="other.example.edu")
        self.manifest(store, export=foreign)

        def replaced() -> None:
            store.delete(DRAFT.key)
            store.put(DRAFT.key, [OTHER])

        class Slow(Dying):
            def blocks(self, key: str) -> Any:
                replaced()
                return self._store.blocks(key)

        with pytest.raises(AlreadyStoredError):
            store_small(Slow(store, 0, after=True), Canvas(PACKAGE))
        assert store.read(DRAFT.key) == OTHER


def test_what_is_not_the_package_is_never_visible(store: Store) -> None:
    for data in (PACKAGE[:-1], cartridge(context=context_xml(999)), b"<html>"):
        with pytest.raises(PackageError):
            store_small(store, Canvas(data))
        assert files(store) == set()
