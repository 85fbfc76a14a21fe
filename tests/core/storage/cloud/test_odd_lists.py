"""Lists that never end or say half, and stores that answer oddly: what is told, and that nothing is lost from sight."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.store_servers.places import s3_options
from tests.support.store_servers.wild_s3 import Fault, Habits, Thing, Unfinished, WildS3, yesterday

from canvas_exports.core.archive.probe import PROBE, check_writable
from canvas_exports.core.storage.cloud.listings import Pages, moment
from canvas_exports.core.storage.object_keys import is_key
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.store import Store
from canvas_exports.core.storage.temporary_names import final_name
from canvas_exports.errors import ArchiveDeniedError, ArchiveError, ArchiveUnavailableError, LockedError

Wild = Callable[..., tuple[WildS3, Store]]
KEYS = [f"courses/{course}/20261123T020000Z-common_cartridge-501.json" for course in (1, 2, 3)]
NOON = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)


@pytest.fixture
def wild() -> Iterator[Wild]:
    opened: list[Any] = []

    def start(habits: Habits) -> tuple[WildS3, Store]:
        server = WildS3("archive", habits)
        store = open_store("s3://archive/canvas/", s3_options(server.endpoint, retries=2))
        opened.extend((store, server))
        return server, store

    yield start
    for each in opened:
        each.close()


@pytest.fixture(scope="module")
def one_server() -> Iterator[tuple[WildS3, Store]]:
    server = WildS3("archive", Habits())
    with open_store("s3://archive/canvas/", s3_options(server.endpoint, retries=0)) as store:
        yield server, store
    server.close()


def _is_encodable(name: str) -> bool:
    return name.encode(errors="ignore").decode() == name


def tokens(
    written: Callable[[int], str], *, empty: bool = False, element: str = "NextContinuationToken"
) -> Any:
    """Lists that always go on, at a token of their own."""
    number = count()

    def rewritten(document: str) -> str:
        document = re.sub(f"<{element}>.*?</{element}>", "", document).replace("false", "true", 1)
        if empty:
            document = re.sub("<Contents>.*</Contents>", "", document)
        return document + f"<{element}>{written(next(number))}</{element}>"

    return rewritten


@given(
    names=st.lists(
        st.one_of(
            st.text(min_size=1, max_size=80).filter(lambda name: name.isascii() or _is_encodable(name)),
            st.from_regex(r"courses/[0-9]{1,4}/[A-Za-z0-9._=-]{1,40}", fullmatch=True),
            st.from_regex(r"[a-z/.+%&<\x00-\x1f]{1,30}", fullmatch=True),
        ),
        max_size=5,
    ),
    encodes_names=st.booleans(),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_whatever_objects_are_called_those_of_the_archive_are_listed_and_no_others(
    one_server: tuple[WildS3, Store], names: list[str], encodes_names: bool
) -> None:
    server, store = one_server
    server.habits.encodes_names = encodes_names
    server.things.clear()
    server.things |= {f"canvas/{name}": Thing(b"x") for name in names}
    listed = {info.key for info in store.list()}
    assert listed == {name for name in names if is_key(name) and final_name(name) is None}


@given(inside=st.one_of(st.text(max_size=400), st.from_regex(r"(</?(Contents|Key|Size)>|[a-z<&]){1,30}")))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_whatever_a_list_holds_nothing_but_an_error_of_the_archive_comes_out(
    one_server: tuple[WildS3, Store], inside: str
) -> None:
    server, store = one_server
    server.habits.lists = lambda _: inside.encode(errors="replace").decode()
    with suppress(ArchiveUnavailableError):
        list(store.list())
    server.habits.lists = str


ENDLESS = [
    pytest.param(lambda _: "a", id="the same token"),
    pytest.param(lambda n: f"a{n % 3}", id="tokens in a circle"),
    pytest.param(lambda n: f"a{n}", id="ever new tokens for one page"),
]


@pytest.mark.parametrize("written", ENDLESS)
def test_a_list_that_goes_in_a_circle_ends_with_an_error(wild: Wild, written: Callable[[int], str]) -> None:
    server, store = wild(Habits(lists=tokens(written)))
    server.things |= {f"canvas/{key}": Thing(b"{}") for key in KEYS}
    with pytest.raises(ArchiveUnavailableError, match="does not go on"):
        list(store.list())


def test_a_list_of_empty_pages_ends_with_an_error(wild: Wild, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pages, "most_empty", 20)
    _, store = wild(Habits(lists=tokens(lambda n: f"a{n}", empty=True)))
    with pytest.raises(ArchiveUnavailableError, match="does not go on"):
        list(store.list())


@pytest.mark.parametrize("written", ENDLESS)
def test_a_list_of_uploads_that_goes_in_a_circle_ends_and_what_it_named_goes(
    wild: Wild, written: Callable[[int], str]
) -> None:
    server, store = wild(Habits(lists=tokens(written, element="NextKeyMarker")))
    server.uploads["1"] = Unfinished(f"canvas/{KEYS[0]}", yesterday())
    with pytest.raises(ArchiveUnavailableError, match="does not go on"):
        store.sweep(timedelta(hours=1))
    assert server.uploads == {}


def test_an_upload_that_ended_meanwhile_is_asked_about_once(wild: Wild) -> None:
    server, store = wild(Habits())
    server.uploads["1"] = Unfinished(f"canvas/{KEYS[0]}", yesterday())
    server.fault = lambda verb, *_: (404, "NoSuchUpload") if verb == "DELETE" else None
    store.sweep(timedelta(hours=1))
    assert [verb for verb, _, _ in server.seen].count("DELETE") == 1


@pytest.mark.parametrize("status", [405, 501])
def test_a_store_that_lists_no_uploads_is_told_with_what_helps(wild: Wild, status: int) -> None:
    server, store = wild(Habits())
    server.fault = lambda *asked: (status, "NotImplemented") if "uploads" in asked[2] else None
    with pytest.raises(ArchiveError, match="lifecycle rule"):
        store.sweep(timedelta(hours=1))


@pytest.mark.parametrize(
    ("element", "instead"),
    [
        ("LastModified", ""),
        ("LastModified", "<LastModified>2026-02-30T25:00:00Z</LastModified>"),
        ("LastModified", "<LastModified>yesterday</LastModified>"),
        ("Size", ""),
        ("Size", "<Size>-1</Size>"),
    ],
)
def test_what_a_list_does_not_describe_is_looked_up_and_not_lost(
    wild: Wild, element: str, instead: str
) -> None:
    server, store = wild(
        Habits(lists=lambda document: re.sub(f"<{element}>.*?</{element}>", instead, document))
    )
    server.things |= {f"canvas/{key}": Thing(b"{}", NOON) for key in KEYS}
    server.things["canvas/a b"] = Thing(b"")
    assert [(info.key, info.size, info.modified) for info in store.list()] == [(key, 2, NOON) for key in KEYS]
    assert {name for verb, name, _ in server.seen if verb == "HEAD"} == {f"canvas/{key}" for key in KEYS}


@pytest.mark.parametrize(
    "written",
    [
        *(
            "2026-11-23T12:00:00.000Z",
            "2026-11-23T12:00:00Z",
            "2026-11-23T12:00:00",
            "2026-11-23T12:00:00.123456",
        ),
        *("2026-11-23T14:00:00+02:00", "2026-11-23T06:30:00.5-0530", "Mon, 23 Nov 2026 12:00:00 GMT"),
        *("Mon, 23 Nov 2026 12:00:00 -0000", " 2026-11-23T12:00:00Z\n"),
    ],
)
def test_a_time_is_read_however_it_is_written(written: str) -> None:
    assert moment(written) == NOON


@pytest.mark.parametrize(
    "written",
    [
        *(None, "", "0", "2026-02-30T12:00:00Z", "0001-01-01T00:00:00+14:00", "2026-11-23T12:00:00 and more"),
        "Mon, 99 Nov 2026 99:00:00 GMT",
    ],
)
def test_what_is_no_time_is_none(written: str | None) -> None:
    assert moment(written) is None


def test_a_store_whose_answers_bear_no_etag_is_refused_with_a_sentence(wild: Wild) -> None:
    _, store = wild(Habits(bears_etag=False))
    with pytest.raises(ArchiveError, match="bear no ETag"):
        check_writable(store)


def test_a_store_that_finds_what_was_stored_only_later_is_refused_with_a_sentence(wild: Wild) -> None:
    _, store = wild(Habits(sees_late=3))
    with pytest.raises(ArchiveUnavailableError, match="consistent at once"):
        check_writable(store)


@pytest.mark.parametrize("fault", [(400, "RequestTimeout"), (409, "OperationAborted"), (400, "BadDigest")])
@pytest.mark.parametrize("verb", ["POST", "PUT"])
def test_what_passes_in_an_upload_in_parts_does_not_end_the_check(
    wild: Wild, verb: str, fault: Fault
) -> None:
    server, store = wild(Habits())
    left = [fault]
    server.fault = lambda *asked: left.pop() if left and asked[0] == verb and asked[2] else None
    check_writable(store)
    assert left == []
    assert server.things == {}


def test_who_may_not_list_is_told_that_this_is_what_a_look_up_takes(wild: Wild) -> None:
    server, store = wild(Habits())
    server.fault = lambda verb, *_: (403, "AccessDenied") if verb == "HEAD" else None
    with pytest.raises(ArchiveDeniedError, match="and to list"):
        check_writable(store)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_list_that_is_said_to_be_elsewhere_is_a_matter_of_region_and_endpoint(
    wild: Wild, status: int
) -> None:
    server, store = wild(Habits())
    server.fault = lambda *_: (status, "PermanentRedirect")
    with pytest.raises(ArchiveError, match="check region and endpoint"):
        list(store.list())


@pytest.mark.parametrize("fault", [(423, "Locked"), (400, "ObjectLocked")])
def test_what_a_store_has_locked_is_locked_whatever_word_it_has_for_it(wild: Wild, fault: Fault) -> None:
    server, store = wild(Habits())
    server.fault = lambda verb, *_: fault if verb == "DELETE" else None
    store.put_if_absent(KEYS[0], b"{}")
    with pytest.raises(LockedError):
        store.delete(KEYS[0])
    check_writable(store)
    assert any(PROBE in name for name in server.things)
