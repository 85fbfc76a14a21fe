"""Each error of a transfer is an event of its package, unless it concerns all packages."""

from __future__ import annotations

import logging
import re
from dataclasses import replace

import pytest
from tests.support.exports.transfer_rig import NAME, Way

from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.export import transfer
from canvas_exports.core.export.engine import events
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.storage.local import FileStore
from canvas_exports.errors import (
    AlreadyStoredError,
    ArchiveDeniedError,
    ArchiveError,
    ArchiveUnavailableError,
    BadRequestError,
    CanvasError,
    CanvasExportsError,
    CanvasUnavailableError,
    CorruptPackageError,
    CredentialError,
    DownloadError,
    InputError,
    LockedError,
    NotFoundError,
    PackageError,
    PermissionDeniedError,
    ThrottledError,
    UnexpectedResponseError,
    WrongPackageError,
)
from canvas_sandbox import RequestFault

ERRORS: list[tuple[CanvasExportsError, type[events.Event] | None]] = [
    (CredentialError("x"), None),
    (ArchiveDeniedError("x"), None),
    (LockedError("x"), events.ExportFailed),
    (PermissionDeniedError("x"), events.Ended),
    (NotFoundError("x"), events.ExportFailed),
    (BadRequestError("x"), events.Ended),
    (ThrottledError("x"), events.TransferFailed),
    (CanvasUnavailableError("x"), events.TransferFailed),
    (UnexpectedResponseError("x"), events.TransferFailed),
    (DownloadError("x"), events.TransferFailed),
    (DownloadError("x", restart=True), events.TransferFailed),
    (ArchiveUnavailableError("x"), events.TransferFailed),
    (ArchiveError("x"), events.Ended),
    (AlreadyStoredError("x"), events.Ended),
    (PackageError("x"), events.Ended),
    (CorruptPackageError("x"), events.TransferFailed),
    (WrongPackageError("x"), events.Ended),
    (InputError("x", "y"), events.Ended),
]


class TestEveryError:
    """One package's trouble is an event of that package; only what concerns all of them is raised."""

    @pytest.mark.parametrize(
        ("owner", "step"),
        [
            (CanvasClient, "show_export"),
            (CanvasClient, "course"),
            (CanvasClient, "download"),
            (FileStore, "read"),
            (FileStore, "put_small"),
            (FileStore, "put_if_absent"),
        ],
    )
    def test_has_its_event_wherever_it_comes_from(
        self, way: Way, monkeypatch: pytest.MonkeyPatch, owner: type, step: str
    ) -> None:
        item = replace(way.item(), fetches=int(step == "read"))  # at a retry, the manifest is read first

        def refuse(_: object) -> None:
            raise CredentialError("the token is refused for everything")

        monkeypatch.setattr(CanvasClient, "whoami", refuse)
        for error, kind in ERRORS:
            if isinstance(error, AlreadyStoredError) and step in ("download", "put_small"):
                continue  # a download knows of no archive, and a small package that is refused is looked up

            def fail(*_: object, error: CanvasExportsError = error) -> None:
                raise error

            with monkeypatch.context() as patched:
                patched.setattr(owner, step, fail)
                if kind is None:
                    with pytest.raises(type(error)):
                        way.move(item)
                    continue
                event = way.move(item)
            assert isinstance(event, kind), error
            if isinstance(event, events.Ended):
                denied = isinstance(error, PermissionDeniedError)
                assert event.outcome is (Outcome.DENIED if denied else Outcome.FAILED)
            if isinstance(event, events.TransferFailed):
                assert event.spoiled == isinstance(error, CorruptPackageError)
                assert event.at_once == getattr(error, "restart", False)
        assert isinstance(way.move(item), events.Stored), "none of it left anything in the way"

    def test_the_reason_is_short_and_the_log_has_the_request_id(
        self, way: Way, caplog: pytest.LogCaptureFixture
    ) -> None:
        item = way.item()
        way.canvas.inject(RequestFault("maintenance", times=None))
        event = way.move(item)
        assert isinstance(event, events.TransferFailed)
        assert re.fullmatch(r"Canvas could not answer \(HTTP 503, request \S+\)", event.reason)
        (record,) = [record for record in caplog.records if record.name == transfer.__name__]
        assert record.levelno == logging.WARNING
        assert record.getMessage().startswith(
            f"{NAME}: transfer 1 of 3 failed: course:100, export {item.export_id}: Canvas could not"
        )
        assert "HTTP 503, request " in record.getMessage()


class TestThisOneOnly:
    """What is odd about one package costs it a fetch, and the others nothing."""

    def test_a_token_refused_for_it_alone(self, way: Way) -> None:
        item = way.item()
        way.canvas.inject(RequestFault("bad_token", path=r"/content_exports/\d+$", times=None))
        event = way.move(item)
        assert isinstance(event, events.TransferFailed)
        assert "HTTP 401, request " in event.reason

    def test_a_mistake_of_this_software(
        self, way: Way, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        item = way.item()

        def mistaken(*_: object) -> None:
            raise RecursionError("odd")

        monkeypatch.setattr(CanvasClient, "course", mistaken)
        event = way.move(item)
        assert event == events.TransferFailed(
            NAME,
            item.export_id or 0,
            0,
            "unexpected RecursionError; see the task's log",
            spoiled=False,
        )
        assert any(record.exc_info for record in caplog.records), "with its traceback, as it has to be fixed"

    @pytest.mark.parametrize(
        ("status", "on_canvas", "spoiled"),
        [(400, False, True), (403, False, True), (404, False, True), (404, True, True), (403, True, False)],
    )
    def test_a_package_that_is_gone_is_distinguished_from_one_that_may_not_be_fetched(
        self, way: Way, status: int, *, on_canvas: bool, spoiled: bool
    ) -> None:
        item = way.item()
        effects = {400: "bad_request_page", 403: "denied", 404: "not_found"}
        path = r"/download$" if on_canvas else r"^/canvas-sandbox/"
        way.canvas.inject(RequestFault(effects[status], path=path, times=None))
        event = way.move(item)
        assert isinstance(event, events.TransferFailed)
        assert event.spoiled == spoiled
        assert event.by_source

    @pytest.mark.parametrize(
        ("status", "error", "by_source"),
        [
            (200, UnexpectedResponseError("the field size is missing"), True),
            (403, UnexpectedResponseError("a web page"), True),
            (500, CanvasUnavailableError("could not answer"), True),
            (None, CanvasUnavailableError("no connection"), False),
            (429, ThrottledError("used up"), False),
        ],
    )
    def test_an_export_that_canvas_can_no_longer_show_is_another_one_s_turn_after_a_clear(
        self,
        way: Way,
        monkeypatch: pytest.MonkeyPatch,
        status: int | None,
        error: CanvasError,
        *,
        by_source: bool,
    ) -> None:
        item = way.item()
        error.status = status

        def refused(*_: object) -> None:
            raise error

        monkeypatch.setattr(CanvasClient, "show_export", refused)
        event = way.move(item)
        assert isinstance(event, events.TransferFailed)
        assert (event.by_source, event.spoiled) == (by_source, False)
