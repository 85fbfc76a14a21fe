"""A batch ends every export in one outcome: what it creates, watches, moves, and goes on with later."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support.exports.batch_rig import (
    BOTH,
    POSTS,
    QUICK,
    STORED,
    Rig,
    asked,
    course,
    creations,
    most_at_once,
    outcomes,
    sandbox,
)

from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.export.batch import CREATIONS, Batch
from canvas_exports.core.export.engine.items import State
from canvas_exports.core.export.engine.running_export import RunningExport
from canvas_exports.core.export.polling.poll_results import PollResult
from canvas_exports.core.export.transfer import TransferCancelled
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.storage.buffers import SMALL
from canvas_exports.core.storage.local import FileStore
from canvas_exports.errors import CanvasUnavailableError, Stopped
from canvas_sandbox import Fault, LimitedFault, RequestFault, Sandbox


class TestTheStraightWay:
    def test_every_course_becomes_a_package_for_one_export_each(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        rig = Rig(canvas, tmp_path)
        assert rig.run_to_end() == STORED
        assert rig.packages() == BOTH
        assert creations(canvas) == BOTH
        assert asked(canvas, "POST", "") == 2

    def test_canvas_is_asked_once_who_we_are_and_not_at_all_what_a_number_is(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        Rig(canvas, tmp_path).run_to_end()
        assert asked(canvas, "GET", r"/users/self$") == 1
        assert asked(canvas, "GET", r"/courses/100$") == 1, "only its facts, for the manifest"
        assert asked(canvas, "GET", POSTS) == 0

    def test_nobody_is_mailed(self, canvas: Sandbox, tmp_path: Path) -> None:
        Rig(canvas, tmp_path).run_to_end()
        assert not any(export.notified for export in canvas.exports)

    @pytest.mark.parametrize("window", [1, 3])
    def test_canvas_never_works_on_more_than_the_window(self, tmp_path: Path, window: int) -> None:
        numbers = range(100, 108)
        with sandbox(*map(course, numbers)) as canvas:
            rig = Rig(canvas, tmp_path, courses=numbers, max_in_flight=window)
            assert set(rig.run_to_end().values()) == {"stored"}
            assert most_at_once(canvas.exports) <= window

    def test_several_types_of_several_kinds_of_context(self, canvas: Sandbox, tmp_path: Path) -> None:
        rig = Rig(canvas, tmp_path, courses=["100"], export_type=["common_cartridge", "zip"])
        assert rig.run_to_end() == {"course:100": "stored"}
        assert rig.packages() == {"course:100": 2}
        rig = Rig(canvas, tmp_path, courses=(), users="self", export_type="zip")
        assert rig.run_to_end() == {"user:self": "stored"}
        assert list(tmp_path.glob("users/1/*.zip"))

    def test_two_spellings_of_one_course_are_exported_once(self, canvas: Sandbox, tmp_path: Path) -> None:
        rig = Rig(canvas, tmp_path, courses=["sis_course_id:BIO/100", "100", "101"])
        assert rig.run_to_end() == {"course:sis_course_id:BIO/100": "stored", "course:101": "stored"}
        assert creations(canvas) == BOTH

    def test_what_finished_meanwhile_is_fetched_without_waiting_once_more(self, tmp_path: Path) -> None:
        with sandbox(course(100, duration=3.0), course(101, duration=3.0)) as canvas:
            rig = Rig(canvas, tmp_path)
            with rig.process() as batch:
                assert batch.advance() is not None
            while any(export.state != "exported" for export in canvas.exports):
                time.sleep(0.01)
            with rig.process() as batch:
                assert batch.advance() is None
                assert outcomes(batch.items) == STORED

    def test_a_wait_says_what_to_poll_and_until_when(self, tmp_path: Path) -> None:
        with sandbox(course(100, duration=30.0)) as canvas:
            rig = Rig(canvas, tmp_path, courses=["sis_course_id:BIO/100"], max_in_flight=10)
            with rig.process() as batch:
                wait = batch.advance()
                assert wait is not None
                (running,) = wait.exports
                (export,) = canvas.exports
                assert (running.context, running.export_id) == ("course:100", export.id)
                assert running.progress_id is not None
                assert wait.wake.enough == 10
                assert wait.wake.deadline == pytest.approx(batch.started_at + 12 * 3600)
                assert wait.wake.stall_after == 2 * 3600


OUTCOMES: list[tuple[tuple[Fault | LimitedFault, ...], Outcome, int]] = [
    ((Fault.DELETED,), Outcome.GONE, 0),
    ((Fault.VANISHED,), Outcome.GONE, 0),
    ((Fault.FORBIDDEN,), Outcome.DENIED, 0),
    ((Fault.SERVER_ERROR.times(1),), Outcome.STORED, 1),
    ((Fault.MAINTENANCE.times(1),), Outcome.STORED, 1),
    ((Fault.THROTTLED.times(2),), Outcome.STORED, 1),
    ((Fault.LOST_ANSWER.times(1),), Outcome.STORED, 1),
    ((Fault.REFUSED.times(1),), Outcome.STORED, 1),
    ((Fault.EXPORT_FAILS,), Outcome.FAILED, CREATIONS),
    ((Fault.EXPORT_FAILS.times(1),), Outcome.STORED, 2),
    ((Fault.NO_ATTACHMENT,), Outcome.FAILED, CREATIONS),
    ((Fault.NO_ATTACHMENT.times(1),), Outcome.STORED, 2),
    ((Fault.PROGRESS_REGRESSION,), Outcome.STORED, 1),
    ((Fault.INCOMPLETE,), Outcome.INCOMPLETE, 1),
    ((Fault.EXPORT_ERRORS,), Outcome.INCOMPLETE, 1),
    ((Fault.WRONG_COURSE,), Outcome.FAILED, 1),
    ((Fault.EMPTY,), Outcome.EMPTY, 1),
    ((Fault.CORRUPT,), Outcome.FAILED, CREATIONS),
    ((Fault.CORRUPT.times(1),), Outcome.STORED, 2),
    ((Fault.ZIP64,), Outcome.STORED, 1),
    ((Fault.LOGIN_PAGE,), Outcome.INTERRUPTED, 1),
    ((Fault.LOGIN_PAGE.times(1),), Outcome.STORED, 1),
    ((Fault.STORAGE_GONE,), Outcome.FAILED, CREATIONS),
    ((Fault.STORAGE_GONE.times(6),), Outcome.STORED, 2),
    ((Fault.TRUNCATED,), Outcome.FAILED, CREATIONS),
    ((Fault.TRUNCATED.times(3),), Outcome.STORED, 2),
    ((Fault.TRUNCATED.times(1),), Outcome.STORED, 1),
    ((Fault.CUT.times(3),), Outcome.STORED, 1),
    ((Fault.EXPIRED_LINK.times(1),), Outcome.STORED, 1),
]


class TestEveryOutcome:
    def test_each_trouble_ends_in_its_outcome_after_as_many_exports_as_are_worth_it(
        self, tmp_path: Path
    ) -> None:
        numbers = range(100, 100 + len(OUTCOMES))
        courses = [course(number, *faults) for number, (faults, _, _) in zip(numbers, OUTCOMES, strict=True)]
        with sandbox(*courses) as canvas:
            rig = Rig(canvas, tmp_path, courses=numbers, parallel_transfers=8)
            with rig.process() as batch:
                items = rig.finish(batch)
            made = creations(canvas)
        for item, (faults, outcome, exports) in zip(items, OUTCOMES, strict=True):
            assert (item.outcome, made[item.context]) == (outcome, exports), faults
            assert (item.reason is not None) == (outcome not in (Outcome.STORED, Outcome.EMPTY)), faults
            assert (item.key is not None) == outcome.has_package, faults
        assert rig.packages() == {item.context: 1 for item in items if item.key}

    def test_what_is_stuck_is_stalled_and_not_made_again(self, tmp_path: Path) -> None:
        stuck = (Fault.STUCK_CREATED, Fault.STUCK_EXPORTING, Fault.STUCK_WAITING)
        numbers = range(100, 103)
        with sandbox(*map(course, numbers, stuck)) as canvas:
            rig = Rig(canvas, tmp_path, courses=numbers, stall_after=timedelta(seconds=0.3))
            with rig.process() as batch:
                items = rig.finish(batch)
            assert set(creations(canvas).values()) == {1}
        assert {(item.outcome, item.reason) for item in items} == {(Outcome.STALLED, "no progress for 0 min")}

    def test_a_name_that_leads_nowhere_is_gone_and_one_that_is_hidden_is_denied(self, tmp_path: Path) -> None:
        with sandbox(course(100, Fault.FORBIDDEN)) as canvas:
            rig = Rig(canvas, tmp_path, courses=["sis_course_id:NONE", "sis_course_id:BIO/100"])
            assert list(rig.run_to_end().values()) == ["gone", "denied"]
            assert asked(canvas, "POST", "") == 0

    def test_what_has_not_begun_at_the_deadline_is_never_asked_for(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        rig = Rig(canvas, tmp_path, deadline=timedelta(microseconds=1))
        assert set(rig.run_to_end().values()) == {"stalled"}
        assert not canvas.exports

    def test_what_has_not_finished_at_the_deadline_is_not_waited_for(self, tmp_path: Path) -> None:
        with sandbox(course(100, Fault.STUCK_CREATED)) as canvas:
            rig = Rig(canvas, tmp_path, courses="100", deadline=timedelta(seconds=0.3))
            with rig.process() as batch:
                (item,) = rig.finish(batch)
            assert item.outcome is Outcome.STALLED
            assert item.reason == "the deadline passed while Canvas was building the package"


class TestCancelled:
    def test_a_call_that_is_called_off_costs_no_course_a_turn(
        self, canvas: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rig = Rig(canvas, tmp_path)
        post = CanvasClient.create_export
        with rig.process() as batch:

            def cancelled_in_the_post(*arguments: Any) -> Any:
                batch.cancel()
                return post(*arguments)

            with monkeypatch.context() as being:
                being.setattr(CanvasClient, "create_export", cancelled_in_the_post)
                with pytest.raises(Stopped):
                    batch.advance()
            assert {item.refusals for item in batch.items} == {0}
        assert asked(canvas, "POST", "") == 0
        with rig.process() as batch:
            assert {item.outcome for item in rig.finish(batch)} == {Outcome.STORED}

    def test_a_cancelled_batch_creates_nothing_more(
        self, canvas: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rig = Rig(canvas, tmp_path)
        post = CanvasClient.create_export
        with rig.process() as batch:

            def cancelled_after_the_post(*arguments: Any) -> Any:
                made = post(*arguments)
                batch.cancel()
                return made

            monkeypatch.setattr(CanvasClient, "create_export", cancelled_after_the_post)
            with pytest.raises(TransferCancelled):
                batch.advance()
        assert asked(canvas, "POST", "") == 1
        saved = [item.get("state", "planned") for item in json.loads(rig.written)["items"]]
        assert saved == ["requested", "planned"]

    def test_a_cancelled_batch_aborts_its_uploads_and_goes_on_later(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put = FileStore.put
        with sandbox(course(100, size=2 * SMALL), course(101, size=2 * SMALL)) as canvas:
            rig = Rig(canvas, tmp_path)
            with rig.process() as batch:

                def cancelled_while_putting(store: FileStore, key: str, blocks: Any) -> None:
                    batch.cancel()
                    put(store, key, blocks)

                monkeypatch.setattr(FileStore, "put", cancelled_while_putting)
                with pytest.raises(Stopped):
                    rig.finish(batch)
            assert not list(tmp_path.glob("**/*.*"))
            monkeypatch.setattr(FileStore, "put", put)
            assert rig.run_to_end() == STORED
            assert creations(canvas) == BOTH


class TestResume:
    def test_an_interruption_is_written_down_and_a_retry_takes_it_back(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        rig = Rig(canvas, tmp_path)
        with rig.process() as batch:
            assert batch.advance() is not None
            batch.interrupt(CanvasUnavailableError("the worker was stopped"))
            assert outcomes(batch.items) == {"course:100": "interrupted", "course:101": "interrupted"}
        with rig.process() as batch:
            assert batch.advance() is None, "nothing goes on without a new attempt"
            deadline = json.loads(rig.written)["deadline"]
            batch.resume(try_number=2, generation=0)
            document = json.loads(rig.written)
            assert (document["try_number"], document["deadline"]) == (2, deadline)
            assert outcomes(rig.finish(batch)) == STORED
        assert creations(canvas) == BOTH

    def test_a_clear_gives_a_stalled_export_another_look_and_more_time(self, tmp_path: Path) -> None:
        with sandbox(course(100), switches=replace(QUICK, duration=0.6)) as canvas:
            rig = Rig(canvas, tmp_path, courses="100", deadline=timedelta(seconds=0.3))
            assert rig.run_to_end() == {"course:100": "stalled"}
            rig.options = replace(rig.options, deadline=timedelta(hours=1))
            with rig.process() as batch:
                batch.resume(try_number=2, generation=1)
                assert outcomes(rig.finish(batch)) == {"course:100": "stored"}
            assert creations(canvas) == {"course:100": 1}
            assert json.loads(rig.written)["generation"] == 1

    def test_a_clear_asks_a_refused_course_again(self, canvas: Sandbox, tmp_path: Path) -> None:
        canvas.inject(RequestFault("denied", method="POST", path=r"/100/content_exports$"))
        rig = Rig(canvas, tmp_path)
        assert rig.run_to_end() == {"course:100": "denied", "course:101": "stored"}
        with rig.process() as batch:
            batch.resume(try_number=2, generation=1)
            assert outcomes(rig.finish(batch)) == STORED
        assert creations(canvas) == BOTH


def running(export_id: int, completion: float | None, changed_at: float, *more: Any) -> RunningExport:
    return RunningExport("course:100", export_id, None, 1.0, changed_at, completion, *more)


class TestPollResults:
    def watched(self, rig: Rig) -> tuple[Batch, int]:
        with rig.process() as batch:
            wait = batch.advance()
            assert wait is not None
            return batch, wait.exports[0].export_id

    @pytest.mark.parametrize(
        ("why", "reason"),
        [
            ("failed", "Canvas reported the export as failed"),
            ("deleted", "the export was deleted in Canvas"),
            ("no package", "Canvas reported the export as done, but saved no package"),
            ("gone", "Canvas no longer knows the export"),
            ("denied", "the token may no longer see its own export"),
            ("a death of a later release", "a death of a later release"),
        ],
    )
    def test_a_dead_export_is_made_again_and_its_death_is_the_reason_when_that_was_the_last(
        self, canvas: Sandbox, tmp_path: Path, why: str, reason: str
    ) -> None:
        rig = Rig(canvas, tmp_path, courses="100")
        batch, export_id = self.watched(rig)
        batch.record_polls(PollResult(failed={export_id: why}))
        (item,) = batch.items
        assert (item.state, item.creations) == (State.PLANNED, 1)
        item.creations, item.export_id, item.state = CREATIONS, export_id, State.REQUESTED
        batch.record_polls(PollResult(failed={export_id: why}))
        assert item.outcome is Outcome.FAILED
        assert item.reason == f"{reason} (after {CREATIONS} exports)"

    def test_news_that_is_old_or_comes_twice_or_is_of_others_changes_nothing(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        rig = Rig(canvas, tmp_path, courses="100")
        batch, export_id = self.watched(rig)
        news = PollResult(ready=[export_id], running={export_id: running(export_id, 50.0, 1.0)})
        batch.record_polls(news)
        once = json.loads(rig.written)
        assert once["items"][0]["state"] == "ready"
        batch.record_polls(news)
        batch.record_polls(PollResult(ready=[9], failed={8: "failed"}, running={7: running(7, None, 0.0)}))
        assert json.loads(rig.written) == once

    def test_progress_is_remembered(self, canvas: Sandbox, tmp_path: Path) -> None:
        batch, export_id = self.watched(Rig(canvas, tmp_path, courses="100"))
        batch.record_polls(PollResult(running={export_id: running(export_id, 50.0, 7.0, 6.0, 8.0)}))
        (item,) = batch.items
        assert (item.completion, item.changed_at, item.running_since, item.seen_at) == (
            50.0,
            7.0,
            6.0,
            8.0,
        )
