"""An export is asked for once, and what an unanswered POST may have made is recognised, or not, for good reasons."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.support.exports.batch_rig import QUICK, client, course, sandbox

from canvas_exports.core.canvas.api.export_request import ExportRequest
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.export.creation import Creator
from canvas_exports.core.export.engine import events
from canvas_exports.core.export.engine.items import Item, State
from canvas_exports.core.export.options import build_options
from canvas_exports.core.model.contexts import Context
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.errors import (
    BadRequestError,
    CanvasUnavailableError,
    CredentialError,
    ResponseLostError,
    UnexpectedResponseError,
)
from canvas_sandbox import Fault, Group, RequestFault, Sandbox

ADMIN = 1
CARTRIDGE = ExportRequest.build("common_cartridge")


@pytest.fixture
def canvas() -> Iterator[Sandbox]:
    with sandbox(course(100), course(101, Fault.FORBIDDEN), course(102, Fault.EXPORT_FAILS)) as running:
        yield running


@pytest.fixture
def ours(canvas: Sandbox) -> Iterator[CanvasClient]:
    with client(canvas) as running:
        yield running


def creator(ours: CanvasClient, **arguments: Any) -> Creator:
    return Creator(ours, build_options(**{"courses": ["100"], **arguments}), now=lambda: 77.0)


def intended(number: int = 100, *, ago: float = 0.0, export_type: str = "common_cartridge") -> Item:
    return Item(
        f"course:{number}",
        export_type,
        State.INTENDED,
        canvas_id=number,
        intended_at=time.time() - ago,
    )


class TestResolving:
    def test_a_number_is_not_asked_for(self, canvas: Sandbox, ours: CanvasClient) -> None:
        event = creator(ours).resolve(Item("course:100", "zip"))
        assert event == events.Resolved("course:100/zip", 100)
        assert not canvas.requests

    def test_a_sis_id_and_self_become_numbers(self, ours: CanvasClient) -> None:
        by_name = creator(ours).resolve(Item("course:sis_course_id:BIO/100", "zip"))
        assert by_name == events.Resolved("course:sis_course_id:BIO/100/zip", 100)
        assert creator(ours).resolve(Item("user:self", "zip")) == events.Resolved("user:self/zip", ADMIN)

    def test_a_canvas_that_is_down_is_no_outcome(self, canvas: Sandbox, ours: CanvasClient) -> None:
        canvas.inject(RequestFault("maintenance", times=None))
        with pytest.raises(CanvasUnavailableError):
            creator(ours).resolve(Item("user:self", "zip"))


class TestCreating:
    def test_what_canvas_answered_is_reported_with_its_times(
        self, canvas: Sandbox, ours: CanvasClient
    ) -> None:
        event = creator(ours).create(intended())
        (export,) = canvas.exports
        assert isinstance(event, events.Created)
        assert (event.export_id, event.created_at, event.at) == (export.id, int(export.created_at), 77.0)
        assert event.progress_id is not None

    def test_it_is_the_resolved_id_that_is_posted_to(self, canvas: Sandbox, ours: CanvasClient) -> None:
        creator(ours).create(Item("course:sis_course_id:BIO/100", "zip", canvas_id=100))
        assert canvas.requests[-1].path == "/api/v1/courses/100/content_exports"

    def test_version_selection_and_notification_are_asked_for(
        self, canvas: Sandbox, ours: CanvasClient
    ) -> None:
        asker = creator(ours, version="1.3", select={"pages": [1]}, skip_notifications=False)
        asker.create(intended())
        (export,) = canvas.exports
        assert export.version == "1.3.0"
        assert export.selection

    @pytest.mark.parametrize(
        ("number", "outcome", "reason"),
        [
            (999, Outcome.GONE, "deleted, never there, or not visible to the token's user"),
            (101, Outcome.DENIED, "the token's user lacks the right for this, or the token the scope"),
        ],
    )
    def test_a_refusal_is_an_outcome_whose_reason_does_not_repeat_the_context(
        self,
        ours: CanvasClient,
        caplog: pytest.LogCaptureFixture,
        number: int,
        outcome: Outcome,
        reason: str,
    ) -> None:
        event = creator(ours).create(intended(number))
        assert isinstance(event, events.Ended)
        assert (event.item, event.outcome) == (f"course:{number}/common_cartridge", outcome)
        assert re.fullmatch(re.escape(reason) + r" \(HTTP 40\d, request \S+\)", event.reason)
        assert (
            f"course:{number}: {reason} (POST /api/v1/courses/{number}/content_exports, HTTP 40"
            in caplog.text
        )
        assert ", request " in caplog.text, "Instructure's support asks for it"

    def test_arguments_that_canvas_refuses_are_a_failure(
        self, ours: CanvasClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # What the sandbox would refuse so, the options refuse before it is sent.
        def refuse(*_: object) -> None:
            raise BadRequestError("Canvas refuses the arguments", context="course:100", status=400)

        monkeypatch.setattr(CanvasClient, "create_export", refuse)
        event = creator(ours).create(intended())
        assert event == events.Ended(
            "course:100/common_cartridge", Outcome.FAILED, "Canvas refuses the arguments (HTTP 400)"
        )

    @pytest.mark.parametrize(
        ("effect", "error"),
        [("lost_answer", ResponseLostError), ("refused", ResponseLostError), ("bad_token", CredentialError)],
    )
    def test_what_is_no_answer_about_the_context_is_raised(
        self, canvas: Sandbox, ours: CanvasClient, effect: str, error: type[Exception]
    ) -> None:
        canvas.inject(RequestFault(effect, method="POST"))
        with pytest.raises(error):
            creator(ours).create(intended())

    def test_the_export_that_is_begun_is_logged(
        self, ours: CanvasClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        creator(ours).create(intended())
        assert "course:100/common_cartridge: Canvas is building export 501" in caplog.text


class TestLookingUp:
    """An export is adopted only if it can be no other than ours."""

    def test_of_a_group_too(self) -> None:
        with (
            Sandbox([course(100)], groups=[Group(id=7, course_id=100)], switches=QUICK) as canvas,
            client(canvas) as ours,
        ):
            item = Item("group:7", "zip", State.INTENDED, canvas_id=7, intended_at=time.time())
            made = ours.create_export(Context.parse("group:7"), ExportRequest.build("zip"))
            event = creator(ours, courses=(), groups=7, export_type="zip").look_up(item, ADMIN)
            assert isinstance(event, events.Created)
            assert event.export_id == made.id

    def not_adopted(self, ours: CanvasClient, item: Item, **arguments: Any) -> bool:
        return isinstance(creator(ours, **arguments).look_up(item, ADMIN), events.NotCreated)

    def test_another_users_is_not_ours(self, canvas: Sandbox, ours: CanvasClient) -> None:
        item = intended()
        with client(canvas, canvas.tokens["teacher"]) as theirs:
            theirs.create_export(Context.parse(100), CARTRIDGE)
        assert self.not_adopted(ours, item)

    def test_one_of_another_type_is_not_ours(self, ours: CanvasClient) -> None:
        item = intended()
        ours.create_export(Context.parse(100), ExportRequest.build("qti"))
        assert self.not_adopted(ours, item)
        item.export_type = "qti"
        assert not self.not_adopted(ours, item, export_type="qti")

    def test_one_from_before_the_intention_is_not_ours(self, ours: CanvasClient) -> None:
        ours.create_export(Context.parse(100), CARTRIDGE)
        assert self.not_adopted(ours, intended(ago=-60))
        assert not self.not_adopted(ours, intended(ago=60))

    def test_whole_seconds_of_canvas_hide_nothing(self, ours: CanvasClient) -> None:
        item = intended(ago=-0.9)  # as if our idea of Canvas's clock was nearly a second ahead
        ours.create_export(Context.parse(100), CARTRIDGE)
        assert not self.not_adopted(ours, item)

    def test_a_dead_one_is_of_no_use(self, canvas: Sandbox, ours: CanvasClient) -> None:
        item = intended(102)
        ours.create_export(Context.parse(102), CARTRIDGE)
        while canvas.exports[-1].state != "failed":
            time.sleep(0.005)
        assert self.not_adopted(ours, item)

    def test_of_two_candidates_neither_is_certainly_ours(self, ours: CanvasClient) -> None:
        item = intended()
        for _ in range(2):
            ours.create_export(Context.parse(100), CARTRIDGE)
        assert self.not_adopted(ours, item)

    def test_a_row_that_cannot_be_read_hides_none_that_can(self, canvas: Sandbox, ours: CanvasClient) -> None:
        item = intended()
        odd = ours.create_export(Context.parse(100), ExportRequest.build("zip"))
        made = ours.create_export(Context.parse(100), CARTRIDGE)
        canvas.world.exports.rows[odd.id].created_at = 0.0  # no time at which there was a Canvas
        event = creator(ours).look_up(item, ADMIN)
        assert isinstance(event, events.Created)
        assert event.export_id == made.id

    def test_but_it_may_be_ours_where_no_other_is(self, canvas: Sandbox, ours: CanvasClient) -> None:
        item = intended()
        odd = ours.create_export(Context.parse(100), CARTRIDGE)
        canvas.world.exports.rows[odd.id].created_at = 0.0
        with pytest.raises(UnexpectedResponseError, match="created_at"):
            creator(ours).look_up(item, ADMIN)

    def test_a_selection_is_never_adopted(self, canvas: Sandbox, ours: CanvasClient) -> None:
        item = intended()
        ours.create_export(Context.parse(100), CARTRIDGE)
        before = len(canvas.requests)
        assert self.not_adopted(ours, item, select={"pages": [1]})
        assert len(canvas.requests) == before

    def test_without_an_intention_there_is_nothing_to_find(self, ours: CanvasClient) -> None:
        ours.create_export(Context.parse(100), CARTRIDGE)
        assert self.not_adopted(ours, replace(intended(), intended_at=None))

    def test_no_more_of_a_long_list_is_read_than_is_young_enough(
        self, canvas: Sandbox, ours: CanvasClient
    ) -> None:
        for _ in range(101):
            ours.create_export(Context.parse(100), CARTRIDGE)
        canvas.advance(3600)
        before = len(canvas.requests)
        assert self.not_adopted(ours, intended(ago=-3600))
        assert len(canvas.requests) == before + 1

    @pytest.mark.parametrize(("number", "outcome"), [(999, Outcome.GONE), (101, Outcome.DENIED)])
    def test_a_course_that_is_gone_or_closed_meanwhile_is_an_outcome(
        self, ours: CanvasClient, number: int, outcome: Outcome
    ) -> None:
        event = creator(ours).look_up(intended(number), ADMIN)
        assert isinstance(event, events.Ended)
        assert event.outcome is outcome
