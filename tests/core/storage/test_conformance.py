"""The contract of a store, checked on every store."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from threading import Barrier

import pytest
import requests
from tests.support.store_servers.stores import MiB, Place

from canvas_exports.core.archive.catalog.read import every_context
from canvas_exports.core.archive.probe import check_writable
from canvas_exports.core.archive.sweep import sweep
from canvas_exports.core.storage.remote.smart_open_store import SmartOpenStore
from canvas_exports.core.storage.store import Block
from canvas_exports.errors import AlreadyStoredError, ObjectNotFoundError
from canvas_exports.foreign_text import harmless

KEY = "courses/101/20261123T020000Z-common_cartridge-501.imscc"


class SourceBrokeError(Exception):
    """Not one of ours: what the producer raises has to come through as it is."""


def assert_tidy(place: Place) -> None:
    """Nothing invisible is left, unless the store declares that it forgets such things by itself."""
    assert not place.store.capabilities.sweeps or place.leftovers() == []


@lru_cache
def noise(size: int) -> bytes:
    return hashlib.shake_128(size.to_bytes(8, "big")).digest(size)


def reused(data: bytes, step: int = 700_001) -> Iterator[Block]:
    """The data through one buffer, as a download hands it over: every block is gone when the next one is asked for."""
    buffer = bytearray(step)
    for start in range(0, len(data), step):
        part = data[start : start + step]
        buffer[: len(part)] = part
        yield memoryview(buffer)[: len(part)]
        buffer[:] = b"\xee" * step


def broken(data: bytes, error: BaseException) -> Iterator[Block]:
    yield from reused(data)
    raise error


def test_a_stream_is_read_back_as_it_was_stored_though_its_blocks_were_reused(place: Place) -> None:
    data = noise(place.large)
    place.store.put(KEY, reused(data))
    assert place.objects() == {KEY}
    assert place.store.read(KEY) == data
    assert b"".join(bytes(block) for block in place.store.blocks(KEY)) == data
    assert_tidy(place)


def test_a_stream_of_one_small_block_is_stored(place: Place) -> None:
    place.store.put(KEY, iter([b"PK"]))
    assert place.store.read(KEY) == b"PK"
    assert_tidy(place)


@pytest.mark.parametrize("blocks", [[], [b""]])
def test_an_empty_stream_is_an_empty_object(place: Place, blocks: list[bytes]) -> None:
    place.store.put(KEY, iter(blocks))
    assert place.store.read(KEY) == b""
    assert list(place.store.blocks(KEY)) == []


@pytest.mark.parametrize("share", [0.0, 0.01, 0.6, 1.0], ids=["start", "early", "middle", "end"])
def test_nothing_is_visible_or_left_when_the_source_breaks(place: Place, share: float) -> None:
    error = SourceBrokeError()
    with pytest.raises(SourceBrokeError) as raised:
        place.store.put(KEY, broken(noise(int(place.large * share)), error))
    assert raised.value is error
    assert place.objects() == set()
    assert_tidy(place)
    assert place.store.stat(KEY) is None


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), FileNotFoundError("of the source"), FileExistsError("too")]
)
def test_an_error_of_the_source_is_never_taken_for_one_of_the_store(
    place: Place, error: BaseException
) -> None:
    with pytest.raises(type(error)) as raised:
        place.store.put(KEY, broken(noise(place.large // 2), error))
    assert raised.value is error
    assert place.objects() == set()
    assert_tidy(place)


def test_a_taken_key_is_refused_before_the_first_block_is_taken(place: Place) -> None:
    place.store.put(KEY, [b"first"])

    untouched = iter([b"second"])
    with pytest.raises(AlreadyStoredError):
        place.store.put(KEY, untouched)
    assert next(untouched) == b"second"
    assert place.store.read(KEY) == b"first"


def test_a_document_is_replaced_only_if_it_is_of_the_version_that_was_read(place: Place) -> None:
    store = place.store
    assert store.version("m.json") is None
    store.replace_version("m.json", b"1", None)
    first = store.version("m.json")
    assert first is not None
    store.replace_version("m.json", b"2", first)
    second = store.version("m.json")
    assert second not in (None, first)
    for stale in (first, None):
        with pytest.raises(AlreadyStoredError):
            store.replace_version("m.json", b"3", stale)
    assert store.read("m.json") == b"2"
    store.replace_version("m.json", b"4", second)
    assert store.read("m.json") == b"4"
    assert_tidy(place)


def test_a_writer_between_the_look_and_the_write_is_noticed_where_the_store_can(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = place.store
    store.replace("m.json", b"0")
    read = store.version("m.json")
    store.replace("m.json", b"by another")
    monkeypatch.setattr(store, "version", lambda _: read)
    if place.replaces_conditionally:
        with pytest.raises(AlreadyStoredError):
            store.replace_version("m.json", b"by us", read)
        assert store.read("m.json") == b"by another"
    else:
        store.replace_version("m.json", b"by us", read)
        assert store.read("m.json") == b"by us"
    assert_tidy(place)


def test_put_if_absent_stores_once(place: Place) -> None:
    assert place.store.put_if_absent("m.json", b"{}")
    assert not place.store.put_if_absent("m.json", b"[]")
    assert place.store.read("m.json") == b"{}"
    assert_tidy(place)


def test_a_small_package_is_stored_once_and_whole_if_the_answer_says_so(place: Place) -> None:
    data = noise(100_000)
    kept = [place.store.put_small(f"courses/1/{number}.zip", data) for number in range(3)]
    assert kept[1] == kept[2]
    assert kept[2] == place.tags_are_md5
    with pytest.raises(AlreadyStoredError):
        place.store.put_small("courses/1/1.zip", b"another")
    assert [place.store.read(f"courses/1/{number}.zip") for number in range(3)] == [data] * 3
    assert_tidy(place)


def test_replace_replaces(place: Place) -> None:
    for document in (b"one", b"two, longer", b"3"):
        place.store.replace("runs/report.json", document)
        assert place.store.read("runs/report.json") == document
    assert place.objects() == {"runs/report.json"}
    assert_tidy(place)


def test_any_range_can_be_read(place: Place) -> None:
    place.store.put(KEY, [b"0123456789"])
    read = place.store.read
    assert read(KEY, 2, 3) == b"234"
    assert read(KEY, 8) == b"89"
    assert read(KEY, 8, 100) == b"89"
    assert read(KEY, -4) == b"6789"
    assert read(KEY, -4, 2) == b"67"
    assert read(KEY, -100, 2) == b"01"
    assert read(KEY, 10) == b""
    assert read(KEY, 100, 5) == b""
    assert read(KEY, 3, 0) == b""


def test_an_absent_object_has_an_error_of_its_own_that_names_it_and_its_stat_is_none(place: Place) -> None:
    store = place.store
    for read in (
        lambda: store.read(KEY),
        lambda: store.read(KEY, 1, 2),
        lambda: store.read(KEY, -1),
        lambda: list(store.blocks(KEY)),
    ):
        with pytest.raises(ObjectNotFoundError, match=re.escape(KEY)) as raised:
            read()
        assert isinstance(raised.value, KeyError)
        assert raised.value.key == KEY
        assert not raised.value.retryable
    assert store.stat(KEY) is None


def test_stat_knows_size_and_time_and_that_a_folder_is_no_object(place: Place) -> None:
    place.store.put(KEY, [b"12345"])
    info = place.store.stat(KEY)
    assert info is not None
    assert (info.key, info.size) == (KEY, 5)
    assert abs(info.modified - datetime.now(timezone.utc)) < timedelta(minutes=1)
    assert place.store.stat("courses/101") is None


def test_list_finds_what_starts_with_the_prefix_and_nothing_else(place: Place) -> None:
    keys = {"courses/1/a.json", "courses/10/b.json", "courses/1/sub/c.json", "groups/1/d.json"}
    for key in keys:
        place.store.put_if_absent(key, key.encode())
    place.die_while_writing("courses/1/dead.json")

    def listed(prefix: str) -> set[str]:
        return {info.key for info in place.store.list(prefix)}

    assert listed("") == keys
    assert listed("courses/1/") == {"courses/1/a.json", "courses/1/sub/c.json"}
    assert listed("courses/1") == keys - {"groups/1/d.json"}
    assert listed("courses/10/b") == {"courses/10/b.json"}
    assert listed("users/") == set()
    assert {info.size for info in place.store.list("groups/")} == {len("groups/1/d.json")}


def test_what_is_foreign_is_passed_over_told_once_and_left_alone_whatever_it_is_called(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    names = place.lay_foreign()
    if not names:
        pytest.skip("nothing foreign can be laid here")
    keys = {"courses/1/ours.json", "courses/10/ours.json", "runs/ours.json"}
    for key in keys:
        assert place.store.put_if_absent(key, b"{}")
    before = place.foreign()
    for _ in range(2):
        assert {info.key for info in place.store.list()} == keys
        assert {info.key for info in place.store.list("courses/1/")} == {"courses/1/ours.json"}
        assert {info.key for info in place.store.list("courses/")} == keys - {"runs/ours.json"}
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert {name for name in names if sum(f"'{harmless(name)}'" in each for each in told) == 1} == names
    assert len(told) == len(names)
    assert all(line.isprintable() for line in told)
    assert [holding.name for holding in every_context(place.store)] == ["course:1", "course:10"]
    assert place.store.sweep(timedelta(0)) == []
    assert sweep(place.store, grace=timedelta(seconds=-2)).problem is None
    check_writable(place.store)
    assert place.foreign() == before


def test_a_temporary_name_is_never_listed_wherever_it_came_from(place: Place) -> None:
    place.store.put_if_absent("courses/1/.a.zip.0badf00d.part", b"copied here with its folder")
    assert list(place.store.list()) == []


def test_delete_removes_and_minds_no_absence(place: Place) -> None:
    place.store.put(KEY, [b"x"])
    place.store.delete(KEY)
    place.store.delete(KEY)
    assert place.objects() == set()


def test_sweep_removes_what_died_long_ago_and_nothing_else(place: Place) -> None:
    place.store.put("courses/1/whole.zip", [b"whole"])
    place.die_while_writing("courses/1/dead.zip")
    if place.tells_age:
        assert place.store.sweep(timedelta(days=7)) == []
    assert len(place.leftovers()) == 1
    sweeps = place.store.capabilities.sweeps
    assert place.store.sweep(timedelta(0)) == ["courses/1/dead.zip"] * sweeps
    assert len(place.leftovers()) == 1 - sweeps
    assert place.store.read("courses/1/whole.zip") == b"whole"


def test_sweeping_an_archive_takes_what_killed_runs_left_and_nothing_of_anybody_else_s(place: Place) -> None:
    stem = "courses/1/20261123T080000Z-zip-"
    foreign = {"courses/1/dead.zip", "courses/2/notes.json", "courses/1/notes.txt", f"{stem}1.zip.old"}
    for key in (*foreign, f"{stem}1.zip", f"{stem}2.zip", f"{stem}2.json"):
        place.store.put(key, [b"bytes"])
    place.die_while_writing(f"{stem}3.zip")
    place.die_while_writing("courses/1/theirs.zip")
    swept = sweep(
        place.store, grace=timedelta(seconds=-2)
    )  # some stores tell whole seconds in one place only
    assert swept.problem is None
    sweeps = place.store.capabilities.sweeps
    assert swept.keys == [f"{stem}3.zip"] * sweeps + [f"{stem}1.zip"]
    assert place.objects() == {*foreign, f"{stem}2.zip", f"{stem}2.json"}
    assert ["theirs.zip" in key for key in place.leftovers()] == [True] if sweeps else [False, True]
    assert sweep(place.store, grace=timedelta(days=7)).keys == []


def test_several_threads_share_a_store(place: Place) -> None:
    data = {f"courses/{n}/{n}.zip": noise(100_000 + n) for n in range(6)}
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda key: place.store.put(key, reused(data[key])), data))
        assert dict(zip(data, threads.map(place.store.read, data), strict=True)) == data


def test_what_is_no_key_is_refused(place: Place) -> None:
    for key in ("../up", "a//b", "/a", "a/", "a b", "ä", "", "a/../../b", "x" * 2000):
        for use in (place.store.stat, place.store.read, place.store.delete):
            with pytest.raises(ValueError, match="not a key"):
                use(key)
        with pytest.raises(ValueError, match="not a key"):
            place.store.put(key, [b""])


def test_a_writable_place_is_found_writable_and_left_as_it_was(place: Place) -> None:
    check_writable(place.store)
    assert place.objects() == set()
    assert_tidy(place)


def test_of_several_writers_of_one_document_one_wins_where_the_store_says_so(place: Place) -> None:
    documents = [str(number).encode() * 100 for number in range(4)]
    for attempt in range(3):
        together = Barrier(len(documents))
        key = f"courses/1/{attempt}.json"

        def write(document: bytes, key: str = key, together: Barrier = together) -> bool:
            together.wait(60)
            return place.store.put_if_absent(key, document)

        with ThreadPoolExecutor(len(documents)) as threads:
            won = list(threads.map(write, documents))
        stored = place.store.read(key)
        assert stored in documents
        assert any(won)
        if place.store.capabilities.one_winner and place.heeds_conditions:
            assert won == [document == stored for document in documents]


def test_a_range_is_read_without_what_lies_before_it(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    if not place.serves_ranges:
        pytest.skip("this server sends whole objects only")
    data = noise(3 * MiB)
    place.store.put(KEY, reused(data))
    taken = 0

    def counting(stream: object, length: int) -> bytes:
        nonlocal taken
        piece: bytes = take(stream, length)
        taken += len(piece)
        return piece

    if isinstance(place.store, SmartOpenStore):
        take = place.store._remote.take
        monkeypatch.setattr(place.store._remote, "take", counting)
    else:
        monkeypatch.setattr(place.store, "blocks", None)  # or a store might fetch all of it, and cut
    assert place.store.read(KEY, -4, 2) == data[-4:-2]
    assert taken <= 2


def test_a_signed_url_reads_one_object_without_credentials_where_the_store_says_so(place: Place) -> None:
    place.store.put(KEY, [b"package"])
    place.store.put("courses/1/other.zip", [b"another"])
    url = place.store.signed_url(KEY, timedelta(minutes=5))
    assert (url is not None) == place.store.capabilities.signs
    if url is None:
        return
    answer = requests.get(url, timeout=10)
    assert (answer.status_code, answer.content) == (200, b"package")
    if place.checks_signatures:
        other = requests.get(url.replace(KEY, "courses/1/other.zip"), timeout=10)
        assert other.status_code in (401, 403)
        expired = place.store.signed_url(KEY, timedelta(0))
        assert expired is None or requests.get(expired, timeout=10).status_code in (400, 401, 403)


def test_what_nobody_has_locked_is_not_locked(place: Place) -> None:
    place.store.put(KEY, [b"package"])
    place.store.check_locks()
    place.store.lock(KEY)
    assert place.store.lock_of(KEY) is None
    assert place.store.lock_of("courses/1/absent.zip") is None
    place.store.delete(KEY)
    assert place.objects() == set()
