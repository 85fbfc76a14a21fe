"""What Canvas answers about one course costs that course its turn, and no other course anything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.exports.batch_rig import POSTS, QUICK, Rig, asked, course, creations, outcomes, sandbox

from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.export.engine.items import Item
from canvas_exports.errors import CanvasUnavailableError, CredentialError
from canvas_sandbox import RequestFault, Sandbox

BAD = 102
GOOD = {"course:101": "stored", "course:103": "stored"}
REFUSALS = (
    "bad_request_page",
    "server_error",
    "maintenance",
    "login_page",
    "garbled",
    "hidden_answer",
    "refused",
    "lost_answer",
    "bad_token",
)
#: Where one course can be refused: at its creation and look-up, everywhere under its number, and under its SIS id.
PLACES = (r"/102/content_exports$", r"/102(/|$)", "sis_course_id")


def three() -> Sandbox:
    return sandbox(course(BAD), course(101), course(103), switches=QUICK)


def attempts(rig: Rig, most: int) -> tuple[list[Item], int]:
    """As many attempts as there are to be, like Airflow's retries."""
    items: list[Item] = []
    number = 0
    while number < most and all(item.outcome is not None and item.outcome.is_retryable for item in items[:1]):
        number += 1
        with rig.process() as batch:
            if number > 1:
                batch.resume(try_number=number, generation=0)
            items = rig.finish(batch)
    return items, number


class TestOneCourse:
    @pytest.mark.parametrize("window", [1, 50])
    @pytest.mark.parametrize("effect", REFUSALS)
    def test_a_post_that_is_refused_for_ever_keeps_no_other_course_from_its_turn(
        self, tmp_path: Path, effect: str, window: int
    ) -> None:
        with three() as canvas:
            canvas.inject(RequestFault(effect, method="POST", path=r"/102/content_exports$", times=None))
            rig = Rig(canvas, tmp_path, courses=[BAD, 101, 103], max_in_flight=window)
            with rig.process() as batch:
                ended = outcomes(rig.finish(batch))
            assert {name: ended[name] for name in GOOD} == GOOD
            acts = effect in ("lost_answer", "garbled", "hidden_answer")
            assert ended["course:102"] == ("stored" if acts else "interrupted")
            assert creations(canvas)["course:101"] == 1
            if acts:
                assert creations(canvas)["course:102"] == 1, "it is looked for before another is made"

    @pytest.mark.parametrize("window", [1, 50])
    @pytest.mark.parametrize("effect", ["bad_request_page", "server_error", "maintenance", "bad_token"])
    @pytest.mark.parametrize("path", PLACES)
    def test_nor_does_anything_else_that_is_refused_for_ever(
        self, tmp_path: Path, path: str, effect: str, window: int
    ) -> None:
        with three() as canvas:
            canvas.inject(RequestFault(effect, path=path, times=None))
            courses = ["sis_course_id:BIO/102", "101", "103"]
            rig = Rig(canvas, tmp_path, courses=courses, max_in_flight=window)
            with rig.process() as batch:
                ended = list(outcomes(rig.finish(batch)).values())
            assert ended == ["interrupted", "stored", "stored"]

    def test_a_look_up_that_is_refused_for_ever_frees_its_place(self, tmp_path: Path) -> None:
        with three() as canvas:
            canvas.inject(RequestFault("lost_answer", method="POST", path=r"/102/content_exports$"))
            canvas.inject(
                RequestFault("server_error", method="GET", path=r"/102/content_exports$", times=None)
            )
            rig = Rig(canvas, tmp_path, courses=[BAD, 101, 103], max_in_flight=1)
            with rig.process() as batch:
                ended = outcomes(rig.finish(batch))
            assert ended == {"course:102": "interrupted", **GOOD}
            assert creations(canvas)["course:102"] == 1, (
                "nobody knows whether it was made, so it is not made again"
            )

    @pytest.mark.parametrize(("effect", "status"), [("bad_request_page", 400), ("server_error", 500)])
    def test_after_its_retries_it_has_failed_and_the_reason_says_how_canvas_answered(
        self, tmp_path: Path, effect: str, status: int
    ) -> None:
        with three() as canvas:
            canvas.inject(RequestFault(effect, method="POST", path=r"/102/content_exports$", times=None))
            rig = Rig(canvas, tmp_path, courses=[BAD, 101, 103])
            items, used = attempts(rig, 5)
            assert outcomes(items) == {"course:102": "failed", **GOOD}
            assert used == 2, "one retry tells a refusal in passing from one for ever"
            assert f"HTTP {status}, request " in (items[0].reason or "")
            assert creations(canvas) == {"course:101": 1, "course:103": 1}

    @pytest.mark.parametrize("effect", ["bad_request_page", "server_error", "bad_token"])
    def test_so_have_many_of_them_though_in_the_retry_nobody_else_is_left_to_ask_for(
        self, tmp_path: Path, effect: str
    ) -> None:
        bad = range(102, 108)
        with sandbox(course(101), *map(course, bad), switches=QUICK) as canvas:
            for number in bad:
                path = rf"/{number}/content_exports$"
                canvas.inject(RequestFault(effect, method="POST", path=path, times=None))
            items, used = attempts(Rig(canvas, tmp_path, courses=[*bad, 101]), 5)
            assert outcomes(items) == {"course:101": "stored"} | {f"course:{each}": "failed" for each in bad}
            assert used == 2

    def test_a_clear_asks_for_it_again(self, tmp_path: Path) -> None:
        with three() as canvas:
            canvas.inject(
                RequestFault("bad_request_page", method="POST", path=r"/102/content_exports$", times=6)
            )
            rig = Rig(canvas, tmp_path, courses=[BAD, 101, 103])
            assert outcomes(attempts(rig, 2)[0])["course:102"] == "failed"
            with rig.process() as batch:
                batch.resume(try_number=3, generation=1)
                assert outcomes(rig.finish(batch)) == {"course:102": "stored", **GOOD}

    def test_a_refusal_in_passing_is_no_outcome(self, tmp_path: Path) -> None:
        with three() as canvas:
            canvas.inject(
                RequestFault("bad_request_page", method="POST", path=r"/102/content_exports$", times=2)
            )
            rig = Rig(canvas, tmp_path, courses=[BAD, 101, 103])
            with rig.process() as batch:
                assert outcomes(rig.finish(batch)) == {"course:102": "stored", **GOOD}
            (item, *_) = json.loads(rig.written)["items"]
            assert "refusals" not in item

    def test_the_only_course_of_a_batch_has_failed_in_the_end_too(self, tmp_path: Path) -> None:
        with three() as canvas:
            canvas.inject(RequestFault("server_error", method="POST", path=POSTS, times=None))
            items, used = attempts(Rig(canvas, tmp_path, courses=[BAD]), 10)
            assert (outcomes(items), used) == ({"course:102": "failed"}, 3)

    def test_a_mistake_of_this_software_about_one_course_costs_that_course_only(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post = CanvasClient.create_export

        def mistaken(client: CanvasClient, context: object, request: object) -> object:
            if str(context) == "course:102":
                raise KeyError("odd")
            return post(client, context, request)  # type: ignore[arg-type]

        monkeypatch.setattr(CanvasClient, "create_export", mistaken)
        with three() as canvas:
            rig = Rig(canvas, tmp_path, courses=[BAD, 101, 103])
            with rig.process() as batch:
                items = rig.finish(batch)
            assert outcomes(items) == {"course:102": "interrupted", **GOOD}
            assert "KeyError" in (items[0].reason or "")

    @settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        bad=st.sets(st.sampled_from([101, 102, 103, 104, 105]), min_size=1, max_size=4),
        effect=st.sampled_from(["bad_request_page", "server_error", "maintenance", "refused", "login_page"]),
        method=st.sampled_from(["POST", "GET", "*"]),
        window=st.sampled_from([1, 2, 50]),
    )
    def test_whichever_courses_are_refused_the_others_are_stored(
        self, tmp_path_factory: pytest.TempPathFactory, bad: set[int], effect: str, method: str, window: int
    ) -> None:
        numbers = range(101, 106)
        with sandbox(*map(course, numbers), switches=QUICK) as canvas:
            for number in bad:
                canvas.inject(
                    RequestFault(effect, method=method, path=rf"/courses/{number}(/|$)", times=None)
                )
            rig = Rig(canvas, tmp_path_factory.mktemp("archive"), courses=numbers, max_in_flight=window)
            with rig.process() as batch:
                ended = outcomes(rig.finish(batch))
            for number in numbers:
                assert ended[f"course:{number}"] == ("interrupted" if number in bad else "stored")
                assert creations(canvas)[f"course:{number}"] <= 1


class TestAllOfThem:
    @pytest.mark.parametrize("window", [1, 50])
    def test_a_canvas_that_is_down_ends_the_attempt_and_the_next_one_stores_everything(
        self, tmp_path: Path, window: int
    ) -> None:
        with three() as canvas:
            rig = Rig(canvas, tmp_path, courses=[BAD, 101, 103], max_in_flight=window)
            with rig.process() as batch:
                faults = [
                    RequestFault("maintenance", path="/courses/", times=None),
                    RequestFault("maintenance", path="/users/self", skip=1, times=None),
                ]
                for fault in faults:
                    canvas.inject(fault)
                with pytest.raises(CanvasUnavailableError):
                    rig.finish(batch)
                batch.interrupt(CanvasUnavailableError("Canvas is down"))
            for fault in faults:
                fault.times = 0
            with rig.process() as batch:
                batch.resume(try_number=2, generation=0)
                assert set(outcomes(rig.finish(batch)).values()) == {"stored"}
            assert set(creations(canvas).values()) == {1}

    def test_where_nobody_is_answered_nobody_is_asked_again_in_this_attempt(self, tmp_path: Path) -> None:
        numbers = range(100, 106)
        with sandbox(*map(course, numbers), switches=QUICK) as canvas:
            canvas.inject(RequestFault("bad_request_page", method="POST", path=POSTS, times=None))
            rig = Rig(canvas, tmp_path, courses=numbers)
            with rig.process() as batch:
                assert set(outcomes(rig.finish(batch)).values()) == {"interrupted"}
            assert asked(canvas, "POST", POSTS) == len(numbers), (
                "each had its turn, and one is enough to know"
            )

    def test_a_token_that_is_refused_for_everything_ends_the_attempt(self, tmp_path: Path) -> None:
        with three() as canvas:
            rig = Rig(canvas, tmp_path, courses=[BAD, 101, 103])
            canvas.inject(RequestFault("bad_token", path=POSTS, times=None))
            canvas.inject(RequestFault("bad_token", path="/users/self", skip=1, times=None))
            with rig.process() as batch, pytest.raises(CredentialError):
                rig.finish(batch)
            assert asked(canvas, "POST", POSTS) == 1
