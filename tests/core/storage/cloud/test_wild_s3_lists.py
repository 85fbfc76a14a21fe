"""Lists of stores as they are in the wild: foreign names, no markers, no end."""

from __future__ import annotations

import sys
from datetime import timedelta

import pytest
from tests.support.store_servers.wild_s3 import Habits, Thing, Unfinished, WildS3, yesterday
from tests.support.store_servers.wild_stores import (
    KEY,
    ROOT,
    Wild,
    large,
)

from canvas_exports.errors import (
    ArchiveDeniedError,
    ArchiveError,
    ArchiveUnavailableError,
)


class TestUploadLists:
    """Lists of unfinished uploads that end early, or tell too little."""

    def lay(self, server: WildS3, number: int = 5) -> list[str]:
        keys = [f"courses/{index}/a.zip" for index in range(number)]
        for key in keys:
            server.uploads[key.replace("/", "-")] = Unfinished(ROOT + key, yesterday())
        return keys

    def test_a_list_without_a_marker_goes_on_after_the_last_upload_it_named(self, wild: Wild) -> None:
        server, store = wild(Habits(page=2, tells_marker=False))
        keys = self.lay(server)
        assert sorted(store.sweep(timedelta(0))) == keys
        assert server.uploads == {}

    def test_a_list_that_goes_nowhere_is_told_once_what_it_named_is_aborted(self, wild: Wild) -> None:
        server, store = wild(Habits(page=0, tells_marker=False))
        self.lay(server)
        server.habits.page = 2
        store.sweep(timedelta(0))
        assert server.uploads == {}

    @pytest.mark.parametrize(
        "initiated", [None, "", "yesterday", "2026-13-45T99:00:00Z", "0000-00-00T00:00:00.000Z"]
    )
    def test_an_upload_of_unknown_age_is_left_alone_and_told(
        self, wild: Wild, caplog: pytest.LogCaptureFixture, initiated: str | None
    ) -> None:
        server, store = wild(Habits(tells_initiated=initiated))
        self.lay(server, 2)
        assert store.sweep(timedelta(0)) == []
        assert len(server.uploads) == 2
        assert "does not report when 2 unfinished uploads" in caplog.text

    @pytest.mark.parametrize(
        "habits",
        [
            Habits(tells_initiated=None),
            Habits(tells_initiated="bad"),
            Habits(page=1, tells_marker=False),
            Habits(abort=(403, "AccessDenied")),
            Habits(abort=(500, "InternalError")),
            Habits(abort=(400, "Odd")),
        ],
    )
    def test_the_first_error_is_the_one_that_is_told(self, wild: Wild, habits: Habits) -> None:
        server, store = wild(habits)
        self.lay(server, 3)
        server.fault = lambda _verb, _name, query: (
            (403, "QuotaExceeded") if query.get("partNumber") == "2" else None
        )
        with pytest.raises(ArchiveDeniedError, match="QuotaExceeded"):
            store.put(KEY, large())

    @pytest.mark.parametrize(
        "page", [b"", b"<x>", b"\xff\xfe", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", b"{}"]
    )
    def test_whatever_the_list_is_no_error_but_the_first_comes_out_of_put(
        self, wild: Wild, page: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server, store = wild()
        monkeypatch.setattr("tests.support.store_servers.wild_s3._document", lambda _kind, _text: page)
        server.uploads["1"] = Unfinished(ROOT + KEY, yesterday())
        with pytest.raises(ArchiveUnavailableError):
            store.sweep(timedelta(0))
        with pytest.raises(ArchiveError):
            store.put(KEY, large())
        with pytest.raises(ArchiveUnavailableError):
            list(store.list())


class TestLists:
    def test_pages_are_followed_with_and_without_a_marker(self, wild: Wild) -> None:
        for tells_marker in (True, False):
            server, store = wild(Habits(page=3, tells_marker=tells_marker))
            keys = {f"courses/{number}/a.json" for number in range(10)}
            for key in keys:
                server.things[ROOT + key] = Thing(b"x")
            assert {info.key for info in store.list("courses/")} == keys

    def test_a_list_without_end_is_an_error_and_not_a_loop(
        self, wild: Wild, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server, store = wild()
        page = (
            b"<ListBucketResult><IsTruncated>true</IsTruncated>"
            b"<NextContinuationToken>same</NextContinuationToken></ListBucketResult>"
        )
        monkeypatch.setattr("tests.support.store_servers.wild_s3._document", lambda _kind, _text: page)
        with pytest.raises(ArchiveUnavailableError, match="does not go on"):
            list(store.list())
        assert len(server.seen) == 2

    def test_without_the_extra_obstore_lists_and_a_foreign_name_is_an_error_and_no_short_list(
        self, wild: Wild, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "botocore", None)  # as if it were not installed
        server, store = wild()
        server.things[f"{ROOT}courses/1/a.json"] = Thing(b"x")
        assert [info.key for info in store.list()] == ["courses/1/a.json"]
        server.things[f"{ROOT}courses/1//b.json"] = Thing(b"x")
        with pytest.raises(ArchiveError, match=r"courses/1//b\.json.*install the extra") as raised:
            list(store.list())
        assert not raised.value.retryable
