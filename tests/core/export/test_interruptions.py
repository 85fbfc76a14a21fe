"""A batch asks Canvas for no export twice, wherever it is interrupted and whatever answer is lost."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
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
from canvas_exports.core.export.engine.items import State
from canvas_exports.core.export.transfer import TRANSFERS
from canvas_exports.errors import (
    CanvasUnavailableError,
    CredentialError,
    InputError,
)
from canvas_sandbox import Fault, RequestFault, Sandbox


class TestKilled:
    @pytest.mark.parametrize("stored", [True, False], ids=["after", "before"])
    @pytest.mark.parametrize("save", range(1, 10))
    def test_a_process_killed_at_any_save_doubles_nothing(
        self, canvas: Sandbox, tmp_path: Path, save: int, *, stored: bool
    ) -> None:
        rig = Rig(canvas, tmp_path, die_at={save}, stored=stored)
        assert rig.run_to_end() == STORED
        assert rig.deaths == 1 or rig.saves < save
        assert creations(canvas) == BOTH
        assert asked(canvas, "POST", "") == 2
        assert rig.packages() == BOTH

    def test_a_life_has_enough_saves_to_be_killed_at(self, canvas: Sandbox, tmp_path: Path) -> None:
        rig = Rig(canvas, tmp_path, die_at={4, 7})
        rig.run_to_end()
        assert rig.deaths == 2

    @settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(deaths=st.sets(st.integers(1, 25), max_size=6), stored=st.booleans(), lost=st.integers(0, 2))
    def test_however_often_it_is_killed(
        self, tmp_path_factory: pytest.TempPathFactory, deaths: set[int], lost: int, *, stored: bool
    ) -> None:
        courses = [course(100, Fault.LOST_ANSWER.times(lost)), course(101, Fault.REFUSED.times(lost))]
        with sandbox(*courses) as canvas:
            rig = Rig(canvas, tmp_path_factory.mktemp("archive"), die_at=deaths, stored=stored)
            assert rig.run_to_end() == STORED
            assert creations(canvas) == BOTH
            assert rig.packages() == BOTH

    @pytest.mark.parametrize("sent", [True, False], ids=["sent", "unsent"])
    def test_a_time_out_inside_the_post_leaves_it_to_be_looked_up(
        self, canvas: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, sent: bool
    ) -> None:
        class TimeOut(BaseException):
            pass

        post = CanvasClient.create_export

        def interrupted(*arguments: Any) -> None:
            if sent:
                post(*arguments)
            raise TimeOut

        rig = Rig(canvas, tmp_path)
        monkeypatch.setattr(CanvasClient, "create_export", interrupted)
        with rig.process() as batch, pytest.raises(TimeOut):
            batch.advance()
        saved = [item.get("state", "planned") for item in json.loads(rig.written)["items"]]
        assert saved == ["intended", "planned"], "the second was certainly not asked for"
        monkeypatch.setattr(CanvasClient, "create_export", post)
        assert rig.run_to_end() == STORED
        assert creations(canvas) == BOTH

    def test_another_process_that_owns_the_batch_stops_this_one_before_it_creates(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        rig = Rig(canvas, tmp_path, die_at=range(1, 1000), stored=False)
        for _ in range(3):
            with rig.process() as batch, suppress(BaseException):
                batch.advance()
        assert rig.saves == 3, "a failed write is the end"
        assert not canvas.exports


class TestLostAnswers:
    def test_an_export_whose_answer_was_lost_is_found_and_not_made_again(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        canvas.inject(RequestFault("lost_answer", method="POST", path=POSTS, times=2))
        rig = Rig(canvas, tmp_path)
        assert rig.run_to_end() == STORED
        assert asked(canvas, "POST", "") == 2
        assert creations(canvas) == BOTH

    @pytest.mark.parametrize("effect", ["garbled", "server_error", "maintenance", "refused"])
    def test_an_answer_that_does_not_say_what_happened_is_looked_into(
        self, canvas: Sandbox, tmp_path: Path, effect: str
    ) -> None:
        canvas.inject(RequestFault(effect, method="POST", path=POSTS))
        assert Rig(canvas, tmp_path).run_to_end() == STORED
        assert creations(canvas) == BOTH
        assert asked(canvas, "GET", POSTS) == 1

    def test_the_look_up_may_fail_too(self, canvas: Sandbox, tmp_path: Path) -> None:
        canvas.inject(RequestFault("lost_answer", method="POST", path=r"/100/content_exports$"))
        canvas.inject(RequestFault("maintenance", method="GET", path=POSTS, times=2))
        rig = Rig(canvas, tmp_path)
        assert rig.run_to_end() == STORED
        assert creations(canvas) == BOTH

    def test_a_selection_is_asked_for_again_because_the_list_cannot_tell_it_from_a_whole_course(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        canvas.inject(RequestFault("lost_answer", method="POST", path=POSTS))
        quiz = next(item.id for item in canvas.content(100).items.values() if item.kind.value == "quizzes")
        rig = Rig(canvas, tmp_path, courses="100", export_type="qti", select={"quizzes": [quiz]})
        assert rig.run_to_end() == {"course:100": "stored"}
        assert creations(canvas) == {"course:100": 2}

    def test_a_post_that_is_lost_every_time_is_given_up_and_taken_up_later(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        canvas.inject(RequestFault("refused", method="POST", path=POSTS, times=3))
        rig = Rig(canvas, tmp_path, courses="100")
        with rig.process() as batch:
            assert batch.advance() is None
            assert outcomes(batch.items) == {"course:100": "interrupted"}
        with rig.process() as batch:
            batch.resume(try_number=2, generation=0)
            assert [item.state for item in batch.items] == [State.INTENDED]
            assert outcomes(rig.finish(batch)) == {"course:100": "stored"}
        assert creations(canvas) == {"course:100": 1}


class TestLostCheckpoint:
    """Without a checkpoint, Canvas and the archive say what an earlier attempt has done."""

    def test_what_was_asked_for_is_found(self, canvas: Sandbox, tmp_path: Path) -> None:
        since = time.time()
        rig = Rig(canvas, tmp_path, courses=["sis_course_id:BIO/100", "101", "100"])
        with rig.process() as batch:
            assert batch.advance() is not None
        rig.lose_the_checkpoint(since=since)
        assert list(rig.run_to_end().values()) == ["stored", "stored"]
        assert creations(canvas) == BOTH
        assert rig.packages() == BOTH

    @pytest.mark.parametrize("ahead", [-300.0, 300.0])
    def test_it_is_found_by_a_canvas_with_another_clock(self, tmp_path: Path, ahead: float) -> None:
        since = time.time()
        with sandbox(course(100), course(101), switches=replace(QUICK, clock_ahead=ahead)) as canvas:
            rig = Rig(canvas, tmp_path)
            with rig.process() as batch:
                assert batch.advance() is not None
            rig.lose_the_checkpoint(since=since)
            assert rig.run_to_end() == STORED
            assert creations(canvas) == BOTH

    def test_what_was_stored_is_found_and_not_moved_again(self, canvas: Sandbox, tmp_path: Path) -> None:
        since = time.time()
        rig = Rig(canvas, tmp_path)
        rig.run_to_end()
        downloads = asked(canvas, "GET", "^/canvas-sandbox/")
        rig.lose_the_checkpoint(since=since)
        assert rig.run_to_end() == STORED
        assert creations(canvas) == BOTH
        assert asked(canvas, "GET", "^/canvas-sandbox/") == downloads

    def test_what_is_older_than_the_run_is_made_anew(self, canvas: Sandbox, tmp_path: Path) -> None:
        rig = Rig(canvas, tmp_path)
        rig.run_to_end()
        canvas.advance(3600)
        rig.lose_the_checkpoint(since=time.time() + 3600)
        assert rig.run_to_end() == dict.fromkeys(STORED, "unchanged")
        assert creations(canvas) == {"course:100": 2, "course:101": 2}

    def test_it_may_be_more_than_the_window_and_canvas_still_works_on_no_more(self, tmp_path: Path) -> None:
        numbers = range(100, 106)
        with sandbox(*map(course, numbers)) as canvas:
            rig = Rig(canvas, tmp_path, courses=numbers, max_in_flight=2)
            rig.lose_the_checkpoint(since=time.time())
            assert set(rig.run_to_end().values()) == {"stored"}
            assert most_at_once(canvas.exports) == 2
            assert set(creations(canvas).values()) == {1}


class TestCanvasInTrouble:
    def test_throttling_is_never_an_outcome(self, canvas: Sandbox, tmp_path: Path) -> None:
        for path in (r"/users/self$", POSTS, "/progress/", r"/courses/100$", "/download$"):
            canvas.inject(RequestFault("throttled", path=path, times=4))
        assert Rig(canvas, tmp_path).run_to_end() == STORED
        assert creations(canvas) == BOTH

    def test_a_full_bucket_is_waited_out(self, tmp_path: Path) -> None:
        with sandbox(course(100), switches=replace(QUICK, throttle=True, outflow=2000.0)) as canvas:
            canvas.fill_bucket(790.0)
            assert Rig(canvas, tmp_path, courses="100").run_to_end() == {"course:100": "stored"}
            assert creations(canvas) == {"course:100": 1}

    def test_a_canvas_that_is_down_from_the_start_is_left_alone(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        canvas.inject(RequestFault("maintenance", times=2))
        rig = Rig(canvas, tmp_path)
        with rig.process() as batch:
            with pytest.raises(CanvasUnavailableError):
                batch.advance()
            assert [item.state for item in batch.items] == [State.PLANNED] * 2
        assert rig.run_to_end() == STORED
        assert creations(canvas) == BOTH

    def test_a_canvas_that_goes_down_while_exports_run_is_waited_for(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        rig = Rig(canvas, tmp_path)
        with rig.process() as batch:
            assert batch.advance() is not None
            canvas.inject(RequestFault("maintenance", path="/progress/", times=12))
            assert outcomes(rig.finish(batch)) == STORED

    def test_while_others_run_a_refused_creation_waits_for_its_next_turn(self, tmp_path: Path) -> None:
        with sandbox(course(100, duration=0.4), course(101)) as canvas:
            # The first is made; of the second neither the POST nor the look-up has an answer for a while.
            canvas.inject(RequestFault("refused", method="POST", path=r"/101/content_exports$"))
            canvas.inject(RequestFault("maintenance", method="GET", path=r"/101/content_exports$", times=2))
            rig = Rig(canvas, tmp_path)
            with rig.process() as batch:
                wait = batch.advance()
                assert wait is not None
                assert [running.context for running in wait.exports] == ["course:100"]
                assert outcomes(rig.finish(batch)) == STORED
            assert creations(canvas) == BOTH

    def test_packages_that_cannot_be_had_are_interrupted_and_a_retry_fetches_only_them(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        canvas.inject(RequestFault("maintenance", path=r"/courses/101$", times=2 * TRANSFERS))
        rig = Rig(canvas, tmp_path)
        assert rig.run_to_end() == {"course:100": "stored", "course:101": "interrupted"}
        before = len(canvas.requests)
        with rig.process() as batch:
            batch.resume(try_number=2, generation=0)
            assert outcomes(rig.finish(batch)) == STORED
        assert creations(canvas) == BOTH
        assert not any("/100" in record.path for record in canvas.requests[before:])

    @pytest.mark.parametrize("path", [r"/users/self$", POSTS, "/progress/", r"/courses/10\d$"])
    def test_a_credential_that_no_longer_works_ends_the_attempt_and_not_the_batch(
        self, canvas: Sandbox, tmp_path: Path, path: str
    ) -> None:
        faults = [
            RequestFault("bad_token", path=path, times=None),
            RequestFault("bad_token", path=r"/users/self$", skip=1, times=None),
        ]
        for fault in faults:
            canvas.inject(fault)
        rig = Rig(canvas, tmp_path)
        with rig.process() as batch, pytest.raises(CredentialError):
            rig.finish(batch)
        for fault in faults:
            fault.times = 0
        assert rig.run_to_end() == STORED, "with a new token"
        assert creations(canvas) == BOTH
        assert asked(canvas, "GET", POSTS) == 0, "a refused POST is known to have had no effect"

    @pytest.mark.parametrize("path", [POSTS, "/progress/", r"/courses/10\d$"])
    def test_a_token_that_is_refused_once_and_not_for_everything_ends_nothing(
        self, canvas: Sandbox, tmp_path: Path, path: str
    ) -> None:
        canvas.inject(RequestFault("bad_token", path=path))
        assert Rig(canvas, tmp_path).run_to_end() == STORED
        assert creations(canvas) == BOTH

    def test_input_that_canvas_would_refuse_ends_the_attempt_before_it_is_sent(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        rig = Rig(canvas, tmp_path)
        rig.options = replace(rig.options, version="1.2")
        with rig.process() as batch:
            with pytest.raises(InputError, match="version"):
                batch.advance()
            assert [item.state for item in batch.items] == [State.PLANNED] * 2
        assert asked(canvas, "POST", "") == 0
