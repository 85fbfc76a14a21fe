"""Stores as they are in the wild: foreign names, no conditional writes, refusals that pass, lists that lie."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from tests.support.packages.build import cartridge, draft
from tests.support.store_servers.places import BUCKET
from tests.support.store_servers.s3 import LOSE_ANSWER, FaultProxy
from tests.support.store_servers.wild_s3 import Fault, Habits, Thing, yesterday
from tests.support.store_servers.wild_stores import (
    KEY,
    ROOT,
    Wild,
    large,
    one_winner,
    publish_package,
    reopened,
    verbs,
)

from canvas_exports.core.archive.probe import PROBE, check_writable, is_probe
from canvas_exports.core.archive.sweep import sweep
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.options import StoreOptions
from canvas_exports.core.storage.store import Block
from canvas_exports.errors import (
    AlreadyStoredError,
    ArchiveDeniedError,
    ArchiveError,
    ArchiveUnavailableError,
    InputError,
)

NAMED = "s3.example.edu"


class BreakError(Exception):
    pass


class TestConditions:
    """Stores without conditional writes, and those that do as if."""

    @pytest.mark.parametrize("condition", ["501", "400", "ignored"])
    def test_a_store_that_lacks_them_is_found_out_before_anything_is_asked_of_canvas_and_stored_in(
        self, wild: Wild, condition: Any
    ) -> None:
        server, store = wild(Habits(condition=condition), retries=6)
        assert one_winner(store)
        check_writable(store)
        assert not one_winner(store)
        assert server.things == {}
        publish_package(store, cartridge())
        assert store.read(draft().key) == cartridge()
        assert not store.put_if_absent(draft().key, b"another")

    def test_a_store_that_has_them_keeps_them(self, wild: Wild, monkeypatch: pytest.MonkeyPatch) -> None:
        server, store = wild()
        check_writable(store)
        assert one_winner(store)
        server.things[f"{ROOT}{KEY}"] = Thing(b"first")
        monkeypatch.setattr(store, "stat", lambda _key: None)  # somebody was quicker than our look
        assert not store.put_if_absent(KEY, b"second")
        with pytest.raises(AlreadyStoredError):
            store.put(KEY, [b"second"])
        assert server.things[f"{ROOT}{KEY}"].data == b"first"

    @pytest.mark.parametrize("condition", ["501", "400"])
    def test_a_store_that_nobody_has_checked_finds_out_by_its_first_object_at_the_price_of_one_request(
        self, wild: Wild, condition: Any
    ) -> None:
        server, store = wild(Habits(condition=condition), retries=6)
        for number in range(3):
            assert store.put_if_absent(f"runs/{number}.json", b"{}")
        assert verbs(server, "runs/0.json") == ["HEAD", "PUT", "PUT"]
        assert verbs(server, "runs/1.json") == verbs(server, "runs/2.json") == ["HEAD", "PUT"]
        assert not one_winner(store)

    @pytest.mark.parametrize(
        "fault", [(503, "SlowDown"), (429, "TooManyRequests"), (409, "OperationAborted")]
    )
    def test_a_store_that_is_busy_at_first_is_found_out_all_the_same(self, wild: Wild, fault: Fault) -> None:
        server, store = wild(Habits(condition="501"), retries=6)
        left = [fault]
        server.fault = lambda verb, _name, _query: left.pop() if left and verb == "PUT" else None
        assert store.put_if_absent(KEY, b"{}")
        assert verbs(server, KEY) == ["HEAD", "PUT", "PUT", "PUT"]
        assert not one_winner(store)

    def test_an_answer_that_was_lost_is_never_taken_for_another_writer_s(self, wild: Wild) -> None:
        """The request may have been carried out: it is not repeated behind the caller's back, who then could not tell."""
        server, store = wild(retries=3)
        proxy = FaultProxy(server.endpoint)
        try:
            with reopened(server, endpoint=proxy.endpoint, retries=3) as store:
                lost = [LOSE_ANSWER]
                proxy.rule = lambda verb, _target: lost.pop() if lost and verb == "PUT" else None
                with pytest.raises(ArchiveUnavailableError):
                    store.put_if_absent(KEY, b"{}")
        finally:
            proxy.close()
        assert verbs(server, KEY).count("PUT") == 1

    def test_a_400_for_another_reason_is_told_and_not_taken_for_the_condition_s(self, wild: Wild) -> None:
        server, store = wild()
        server.fault = lambda verb, _name, _query: (400, "InvalidRequest") if verb == "PUT" else None
        with pytest.raises(ArchiveError, match="InvalidRequest, HTTP 400"):
            store.put_if_absent(KEY, b"{}")
        assert one_winner(store)

    @pytest.mark.parametrize(
        "operation", ["conditional put", "upload in parts", "completion", "range", "list", "look-up"]
    )
    def test_whatever_publishing_needs_and_the_store_refuses_is_told_beforehand(
        self, wild: Wild, operation: str
    ) -> None:
        server, store = wild()
        meant: dict[str, Callable[[str, dict[str, str]], bool]] = {
            "conditional put": lambda verb, query: verb == "PUT" and not query,
            "upload in parts": lambda verb, query: verb == "POST" and "uploads" in query,
            "completion": lambda verb, query: verb == "POST" and "uploadId" in query,
            "range": lambda verb, query: verb == "GET" and not query,
            "list": lambda verb, query: verb == "GET" and "list-type" in query,
            "look-up": lambda verb, query: verb == "HEAD" and not query,
        }
        server.fault = lambda verb, _name, query: (
            (403, "AccessDenied") if meant[operation](verb, query) else None
        )
        with pytest.raises(ArchiveDeniedError):
            check_writable(store)
        server.fault = lambda *_: None
        assert server.things == {}


class TestRefusals:
    """Refusals that pass are waited out; those that do not say what they are."""

    @pytest.mark.parametrize(
        "fault",
        [
            (400, "RequestTimeout"),
            (400, "BadDigest"),
            (400, "IncompleteBody"),
            (400, "XAmzContentSHA256Mismatch"),
            (409, "ConditionalRequestConflict"),
            (409, "OperationAborted"),
            (403, "RequestThrottled"),
            (429, "TooManyRequests"),
            (503, "SlowDown"),
            (503, "SlowDownWrite"),
        ],
    )
    def test_what_passes_is_asked_again(self, wild: Wild, fault: Fault) -> None:
        server, store = wild(retries=2)
        store.put_if_absent("runs/1.json", b"{}")
        operations: dict[str, Callable[[], object]] = {
            "put_if_absent": lambda: store.put_if_absent("runs/2.json", b"{}"),
            "replace": lambda: store.replace("runs/report.json", b"{}"),
            "put": lambda: store.put(KEY, [b"PK"]),
            "read": lambda: store.read(KEY),
            "range": lambda: store.read(KEY, 1, 1),
            "list": lambda: list(store.list()),
            "delete": lambda: store.delete("runs/1.json"),
            "sweep": lambda: store.sweep(timedelta(0)),
        }
        for use in operations.values():
            left = [fault]
            # An answer to HEAD has no body, so no code: nobody can tell such a 400 from any other.
            server.fault = lambda verb, _name, _query, left=left: (  # type: ignore[misc]
                left.pop() if left and verb != "HEAD" else None
            )
            use()
            assert left == []
        assert set(server.things) == {f"{ROOT}{key}" for key in ("runs/2.json", "runs/report.json", KEY)}

    @pytest.mark.parametrize(
        "fault", [(409, "OperationAborted"), (429, "TooManyRequests"), (503, "SlowDown")]
    )
    def test_an_upload_whose_abort_is_refused_once_is_aborted_all_the_same_when_its_source_breaks(
        self, wild: Wild, fault: Fault
    ) -> None:
        server, store = wild(retries=2)
        left = [fault]
        server.fault = lambda verb, _name, _query: left.pop() if left and verb == "DELETE" else None

        def broken() -> Iterator[Block]:
            yield from large()
            raise BreakError

        with pytest.raises(BreakError):
            store.put(KEY, broken())
        assert left == []
        assert server.uploads == {}
        assert server.things == {}

    @pytest.mark.parametrize("fault", [(400, "RequestTimeout"), (409, "OperationAborted"), (503, "SlowDown")])
    def test_what_passes_but_does_not_end_is_retryable(self, wild: Wild, fault: Fault) -> None:
        server, store = wild(retries=1)
        server.fault = lambda verb, _name, _query: fault if verb in ("PUT", "POST") else None
        for use in (
            lambda: store.put_if_absent(KEY, b"{}"),
            lambda: store.replace(KEY, b"{}"),
            lambda: store.put(KEY, [b"PK"]),
            lambda: store.put(KEY, large()),
            lambda: check_writable(store),
        ):
            with pytest.raises(ArchiveUnavailableError, match=fault[1]):
                use()
        assert server.things == {}

    def test_two_conditional_requests_in_one_instant_do_not_end_a_course(self, wild: Wild) -> None:
        server, store = wild(Habits(conflicts=2), retries=3)
        publish_package(store, cartridge())
        assert f"{ROOT}{draft().key}" in server.things

    @pytest.mark.parametrize(
        ("fault", "told"),
        [
            ((403, "QuotaExceeded"), "quota .* free space"),
            ((403, "InvalidAccessKeyId"), "does not know this access key; correct the access key"),
            (
                (403, "SignatureDoesNotMatch"),
                "secret key does not belong .* correct the secret key",
            ),
            ((403, "RequestTimeTooSkewed"), "clock"),
            ((403, "AccountProblem"), "account, .* ask its provider"),
            ((403, "InvalidToken"), "session token"),
            ((400, "KMS.DisabledException"), "key to encrypt with"),
            ((400, "InvalidStorageClass"), "storage_class"),
            ((403, "AccessDenied"), "credentials and their rights"),
            ((507, "XMinioStorageFull"), "full"),
        ],
    )
    @pytest.mark.parametrize("operation", ["put", "list", "read"])
    def test_what_does_not_pass_says_what_it_is_and_what_to_do(
        self, wild: Wild, fault: Fault, told: str, operation: str
    ) -> None:
        server, store = wild(retries=2)
        server.fault = lambda verb, _name, _query: (
            fault if verb == {"put": "PUT", "list": "GET", "read": "GET"}[operation] else None
        )
        uses: dict[str, Callable[[], object]] = {
            "put": lambda: store.put(KEY, [b"PK"]),
            "list": lambda: list(store.list()),
            "read": lambda: store.read(KEY),
        }
        with pytest.raises(ArchiveDeniedError, match=told) as raised:
            uses[operation]()
        assert not raised.value.retryable
        assert "http:" not in str(raised.value)


class TestSharedObjects:
    """A cloud that takes one change of an object a second."""

    def test_batches_that_start_together_share_no_object(self, wild: Wild) -> None:
        server, _ = wild(Habits(one_change_a_second=True))
        together = Barrier(8)

        def start(_: int) -> None:
            with reopened(server) as store:
                together.wait(60)
                check_writable(store)

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(start, range(8)))
        left = {name.removeprefix(ROOT) for name in server.things}
        assert all(map(is_probe, left))  # deleting is a change, too: what was refused is left to a sweep
        written = [
            name for verb, name, query in server.seen if verb in ("PUT", "POST") and "uploadId" not in query
        ]
        assert (
            sorted(map(written.count, set(written))) == [1] * 8 + [2] * 8
        )  # one a conditional request in vain

    def test_old_probes_of_any_release_are_swept_by_age_and_nothing_else_is(self, wild: Wild) -> None:
        server, store = wild()
        ours = (PROBE, f"{PROBE}-{'0' * 32}.json", f"{PROBE}-{'a' * 32}.zip")
        others = (f"{PROBE}-mine.json", f"{PROBE}s/{'0' * 32}.json", f"{PROBE}-{'0' * 31}.json")
        for name in (*ours, *others):
            server.things[ROOT + name] = Thing(b"", yesterday() - timedelta(days=9))
        young = f"{PROBE}-{'b' * 32}.json"
        server.things[ROOT + young] = Thing(b"")
        assert sweep(store).problem is None
        assert set(server.things) == {ROOT + name for name in (*others, young)}

    def test_writers_of_one_document_in_one_instant_all_get_an_answer(self, wild: Wild) -> None:
        server, _ = wild(Habits(one_change_a_second=True))
        together = Barrier(6)

        def write(number: int) -> bool:
            with reopened(server, retries=3) as store:
                together.wait(60)
                return store.put_if_absent("runs/plan/0.jsonl", str(number).encode())

        with ThreadPoolExecutor(6) as threads:
            assert sorted(threads.map(write, range(6))) == [False] * 5 + [True]


class TestAddressing:
    """Both ways to address a bucket, of every request: of obstore's, of our own, and of signed URLs."""

    @pytest.mark.parametrize(
        ("style", "host"),
        [("path", NAMED), ("auto", NAMED), ("virtual", f"{BUCKET}.{NAMED}")],
    )
    def test_every_request_goes_where_the_connection_says(
        self, wild: Wild, monkeypatch: pytest.MonkeyPatch, style: str, host: str
    ) -> None:
        server, _ = wild(Habits(virtual_only=style == "virtual"))
        monkeypatch.setenv("HTTP_PROXY", server.endpoint)  # instead of a name server
        monkeypatch.setenv("http_proxy", server.endpoint)
        with reopened(server, endpoint=f"http://{NAMED}", addressing_style=style) as store:
            check_writable(store)
            store.put(KEY, large())
            assert [info.key for info in store.list()] == [KEY]
            assert store.sweep(timedelta(0)) == []
            assert store.lock_of(KEY) is None
            assert host in (store.signed_url(KEY, timedelta(minutes=1)) or "")
        assert server.hosts - {"127.0.0.1"} == {host}

    def test_another_style_is_refused(self) -> None:
        with pytest.raises(InputError, match="addressing_style"):
            open_store(
                "s3://archive/canvas", StoreOptions(access_key="a", secret_key="b", addressing_style="dns")
            )


def test_nothing_of_this_is_a_matter_for_the_log_of_a_store_that_does_as_it_should(
    wild: Wild, caplog: pytest.LogCaptureFixture
) -> None:
    _, store = wild()
    with caplog.at_level(logging.INFO):
        check_writable(store)
        publish_package(store, cartridge())
        sweep(store)
    assert caplog.records == []
