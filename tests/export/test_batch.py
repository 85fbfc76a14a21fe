"""A batch ends every export in one outcome, and asks Canvas for none twice, wherever it is interrupted."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.export.rig import QUICK, Rig, course, creations, most_at_once, outcomes, sandbox

from canvas_exports.archive.stores.file_store import FileStore
from canvas_exports.canvas.client import CanvasClient
from canvas_exports.errors import (
    AnswerLostError,
    ArchiveDeniedError,
    CanvasUnavailableError,
    CredentialError,
    InputError,
)
from canvas_exports.export import transfer
from canvas_exports.export.batch import CREATIONS, FETCHES, Batch
from canvas_exports.export.items import State
from canvas_exports.export.outcome import Outcome
from canvas_exports.export.transfer import TransferCancelled
from canvas_exports.export.watch import Sightings
from canvas_sandbox import Fault, LimitedFault, RequestFault, Sandbox

BOTH = {"course:100": 1, "course:101": 1}
STORED = {"course:100": "stored", "course:101": "stored"}
POSTS = r"/content_exports$"


@pytest.fixture
def canvas() -> Iterator[Sandbox]:
    with sandbox(course(100), course(101)) as running:
        yield running


def asked(canvas: Sandbox, method: str, path: str) -> int:
    """Requests of this kind that reached Canvas or its storage."""
    return sum(
        record.method == method and re.search(path, record.path) is not None for record in canvas.requests
    )


class TestTheStraightWay:
    def test_every_course_becomes_a_package_for_one_export_each(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        rig = Rig(canvas, tmp_path)
        assert rig.live() == STORED
        assert rig.packages() == BOTH
        assert creations(canvas) == BOTH
        assert asked(canvas, "POST", "") == 2

    def test_canvas_is_asked_once_who_we_are_and_not_at_all_what_a_number_is(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        Rig(canvas, tmp_path).live()
        assert asked(canvas, "GET", r"/users/self$") == 1
        assert asked(canvas, "GET", r"/courses/100$") == 1, "only its facts, for the manifest"
        assert asked(canvas, "GET", POSTS) == 0

    def test_nobody_is_mailed(self, canvas: Sandbox, tmp_path: Path) -> None:
        Rig(canvas, tmp_path).live()
        assert not any(export.notified for export in canvas.exports)

    @pytest.mark.parametrize("window", [1, 3])
    def test_canvas_never_works_on_more_than_the_window(self, tmp_path: Path, window: int) -> None:
        numbers = range(100, 108)
        with sandbox(*map(course, numbers)) as canvas:
            rig = Rig(canvas, tmp_path, courses=numbers, max_in_flight=window)
            assert set(rig.live().values()) == {"stored"}
            assert most_at_once(canvas.exports) == window

    def test_several_types_of_several_kinds_of_context(self, canvas: Sandbox, tmp_path: Path) -> None:
        rig = Rig(canvas, tmp_path, courses=["100"], export_type=["common_cartridge", "zip"])
        assert rig.live() == {"course:100": "stored"}
        assert rig.packages() == {"course:100": 2}
        rig = Rig(canvas, tmp_path, courses=(), users="self", export_type="zip")
        assert rig.live() == {"user:self": "stored"}
        assert list(tmp_path.glob("users/1/*.zip"))

    def test_two_spellings_of_one_course_are_exported_once(self, canvas: Sandbox, tmp_path: Path) -> None:
        rig = Rig(canvas, tmp_path, courses=["sis_course_id:BIO/100", "100", "101"])
        assert rig.live() == {"course:sis_course_id:BIO/100": "stored", "course:101": "stored"}
        assert creations(canvas) == BOTH

    def test_what_finished_meanwhile_is_fetched_without_waiting_once_more(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        rig = Rig(canvas, tmp_path)
        with rig.process() as batch:
            assert batch.advance() is not None
        while any(export.state != "exported" for export in canvas.exports):
            time.sleep(0.01)
        with rig.process() as batch:
            assert batch.advance() is None
            assert outcomes(batch.items) == STORED

    def test_a_pause_says_what_to_watch_and_until_when(self, canvas: Sandbox, tmp_path: Path) -> None:
        rig = Rig(canvas, tmp_path, courses=["sis_course_id:BIO/100"], max_in_flight=10)
        with rig.process() as batch:
            pause = batch.advance()
            assert pause is not None
            (watched,) = pause.watched
            (export,) = canvas.exports
            assert (watched.context, watched.export_id) == ("course:100", export.id)
            assert watched.progress_id is not None
            assert pause.wake.enough == 5
            assert pause.wake.deadline == pytest.approx(batch.started_at + 12 * 3600)
            assert pause.wake.stall_after == 2 * 3600


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
    ((Fault.STORAGE_GONE,), Outcome.INTERRUPTED, 1),
    ((Fault.TRUNCATED,), Outcome.INTERRUPTED, 1),
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
            assert list(rig.live().values()) == ["gone", "denied"]
            assert asked(canvas, "POST", "") == 0

    def test_what_has_not_begun_at_the_deadline_is_never_asked_for(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        rig = Rig(canvas, tmp_path, deadline=timedelta(microseconds=1))
        assert set(rig.live().values()) == {"stalled"}
        assert not canvas.exports

    def test_what_has_not_finished_at_the_deadline_is_not_waited_for(self, tmp_path: Path) -> None:
        with sandbox(course(100, Fault.STUCK_CREATED)) as canvas:
            rig = Rig(canvas, tmp_path, courses="100", deadline=timedelta(seconds=0.3))
            with rig.process() as batch:
                (item,) = rig.finish(batch)
            assert item.outcome is Outcome.STALLED
            assert item.reason == "the deadline passed while Canvas was building the package"


class TestKilled:
    @pytest.mark.parametrize("stored", [True, False], ids=["after", "before"])
    @pytest.mark.parametrize("save", range(1, 10))
    def test_a_process_killed_at_any_save_doubles_nothing(
        self, canvas: Sandbox, tmp_path: Path, save: int, *, stored: bool
    ) -> None:
        rig = Rig(canvas, tmp_path, die_at={save}, stored=stored)
        assert rig.live() == STORED
        assert rig.deaths == 1 or rig.saves < save
        assert creations(canvas) == BOTH
        assert asked(canvas, "POST", "") == 2
        assert rig.packages() == BOTH

    def test_a_life_has_enough_saves_to_be_killed_at(self, canvas: Sandbox, tmp_path: Path) -> None:
        rig = Rig(canvas, tmp_path, die_at={4, 7})
        rig.live()
        assert rig.deaths == 2

    @settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(deaths=st.sets(st.integers(1, 25), max_size=6), stored=st.booleans(), lost=st.integers(0, 2))
    def test_however_often_it_is_killed(
        self, tmp_path_factory: pytest.TempPathFactory, deaths: set[int], lost: int, *, stored: bool
    ) -> None:
        courses = [course(100, Fault.LOST_ANSWER.times(lost)), course(101, Fault.REFUSED.times(lost))]
        with sandbox(*courses) as canvas:
            rig = Rig(canvas, tmp_path_factory.mktemp("archive"), die_at=deaths, stored=stored)
            assert rig.live() == STORED
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
        assert rig.live() == STORED
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
        assert rig.live() == STORED
        assert asked(canvas, "POST", "") == 2
        assert creations(canvas) == BOTH

    @pytest.mark.parametrize("effect", ["garbled", "server_error", "maintenance", "refused"])
    def test_an_answer_that_does_not_say_what_happened_is_looked_into(
        self, canvas: Sandbox, tmp_path: Path, effect: str
    ) -> None:
        canvas.inject(RequestFault(effect, method="POST", path=POSTS))
        assert Rig(canvas, tmp_path).live() == STORED
        assert creations(canvas) == BOTH
        assert asked(canvas, "GET", POSTS) == 1

    def test_the_look_up_may_fail_too(self, canvas: Sandbox, tmp_path: Path) -> None:
        canvas.inject(RequestFault("lost_answer", method="POST", path=r"/100/content_exports$"))
        canvas.inject(RequestFault("maintenance", method="GET", path=POSTS, times=4))
        rig = Rig(canvas, tmp_path)
        assert rig.live() == STORED
        assert creations(canvas) == BOTH

    def test_a_selection_is_asked_for_again_because_the_list_cannot_tell_it_from_a_whole_course(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        canvas.inject(RequestFault("lost_answer", method="POST", path=POSTS))
        quiz = next(item.id for item in canvas.content(100).items.values() if item.kind.value == "quizzes")
        rig = Rig(canvas, tmp_path, courses="100", export_type="qti", select={"quizzes": [quiz]})
        assert rig.live() == {"course:100": "stored"}
        assert creations(canvas) == {"course:100": 2}

    def test_a_post_that_is_lost_every_time_is_given_up_and_taken_up_later(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        canvas.inject(RequestFault("refused", method="POST", path=POSTS, times=3))
        rig = Rig(canvas, tmp_path, courses="100")
        with rig.process() as batch:
            with pytest.raises(AnswerLostError):
                batch.advance()
            assert [item.state for item in batch.items] == [State.INTENDED]
        assert rig.live() == {"course:100": "stored"}
        assert creations(canvas) == {"course:100": 1}


class TestLostCheckpoint:
    """Without a checkpoint, Canvas and the archive say what an earlier attempt has done."""

    def test_what_was_asked_for_is_found(self, canvas: Sandbox, tmp_path: Path) -> None:
        since = time.time()
        rig = Rig(canvas, tmp_path, courses=["sis_course_id:BIO/100", "101", "100"])
        with rig.process() as batch:
            assert batch.advance() is not None
        rig.lose_the_checkpoint(since=since)
        assert list(rig.live().values()) == ["stored", "stored"]
        assert creations(canvas) == BOTH
        assert rig.packages() == BOTH

    def test_what_was_stored_is_found_and_not_moved_again(self, canvas: Sandbox, tmp_path: Path) -> None:
        since = time.time()
        rig = Rig(canvas, tmp_path)
        rig.live()
        downloads = asked(canvas, "GET", "^/canvas-sandbox/")
        rig.lose_the_checkpoint(since=since)
        assert rig.live() == STORED
        assert creations(canvas) == BOTH
        assert asked(canvas, "GET", "^/canvas-sandbox/") == downloads

    def test_what_is_older_than_the_run_is_made_anew(self, canvas: Sandbox, tmp_path: Path) -> None:
        rig = Rig(canvas, tmp_path)
        rig.live()
        canvas.advance(3600)
        rig.lose_the_checkpoint(since=time.time() + 3600)
        assert rig.live() == STORED
        assert creations(canvas) == {"course:100": 2, "course:101": 2}

    def test_it_may_be_more_than_the_window_and_canvas_still_works_on_no_more(self, tmp_path: Path) -> None:
        numbers = range(100, 106)
        with sandbox(*map(course, numbers)) as canvas:
            rig = Rig(canvas, tmp_path, courses=numbers, max_in_flight=2)
            rig.lose_the_checkpoint(since=time.time())
            assert set(rig.live().values()) == {"stored"}
            assert most_at_once(canvas.exports) == 2
            assert set(creations(canvas).values()) == {1}


class TestCanvasInTrouble:
    def test_throttling_is_never_an_outcome(self, canvas: Sandbox, tmp_path: Path) -> None:
        for path in (r"/users/self$", POSTS, "/progress/", r"/courses/100$", "/download$"):
            canvas.inject(RequestFault("throttled", path=path, times=4))
        assert Rig(canvas, tmp_path).live() == STORED
        assert creations(canvas) == BOTH

    def test_a_full_bucket_is_waited_out(self, tmp_path: Path) -> None:
        with sandbox(course(100), switches=replace(QUICK, throttle=True, outflow=2000.0)) as canvas:
            canvas.fill_bucket(790.0)
            assert Rig(canvas, tmp_path, courses="100").live() == {"course:100": "stored"}
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
        assert rig.live() == STORED
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
                pause = batch.advance()
                assert pause is not None
                assert [watched.context for watched in pause.watched] == ["course:100"]
                assert outcomes(rig.finish(batch)) == STORED
            assert creations(canvas) == BOTH

    def test_packages_that_cannot_be_had_are_interrupted_and_a_retry_fetches_only_them(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        canvas.inject(RequestFault("maintenance", path=r"/courses/101$", times=2 * FETCHES))
        rig = Rig(canvas, tmp_path)
        assert rig.live() == {"course:100": "stored", "course:101": "interrupted"}
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
        canvas.inject(RequestFault("bad_token", path=path))
        rig = Rig(canvas, tmp_path)
        with rig.process() as batch, pytest.raises(CredentialError):
            rig.finish(batch)
        assert rig.live() == STORED, "with a new token"
        assert creations(canvas) == BOTH
        assert asked(canvas, "GET", POSTS) == 0, "a refused POST is known to have had no effect"

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


class TestTransfers:
    def test_a_download_that_cannot_be_resumed_begins_again_at_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(transfer, "_BACKOFF", (0.0, "a wait", "a wait"))  # no number: waiting would fail
        with sandbox(course(100, Fault.CUT.times(1)), switches=replace(QUICK, ranges=False)) as canvas:
            rig = Rig(canvas, tmp_path, courses="100")
            assert rig.live() == {"course:100": "stored"}
            assert asked(canvas, "GET", "^/canvas-sandbox/") == 3, (
                "cut, not resumed, and again from the start"
            )

    def test_beginning_again_is_bounded_as_fetches_are(self, tmp_path: Path) -> None:
        with sandbox(course(100, Fault.CUT), switches=replace(QUICK, ranges=False)) as canvas:
            rig = Rig(canvas, tmp_path, courses="100")
            with rig.process() as batch:
                (item,) = rig.finish(batch)
            assert (item.outcome, item.fetches) == (Outcome.INTERRUPTED, FETCHES)
            assert item.reason == "storage does not resume, or the package was replaced"
            assert asked(canvas, "GET", "^/canvas-sandbox/") == 2 * FETCHES

    def test_an_archive_that_refuses_ends_the_attempt_and_keeps_what_was_stored(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put = FileStore.put
        done: list[str] = []

        def refuse(store: FileStore, key: str, blocks: Any) -> None:
            if "courses/101/" in key:
                while not done:  # the other one is stored first
                    time.sleep(0.001)
                raise ArchiveDeniedError("no right to write", key=key)
            put(store, key, blocks)
            if key.endswith(".json"):
                done.append(key)

        monkeypatch.setattr(FileStore, "put", refuse)
        with sandbox(course(100), course(101)) as canvas:
            rig = Rig(canvas, tmp_path)
            with rig.process() as batch:
                with pytest.raises(ArchiveDeniedError):
                    rig.finish(batch)
                assert outcomes(batch.items) == {"course:100": "stored", "course:101": "ready"}
                batch.interrupt("no right to write")
            monkeypatch.setattr(FileStore, "put", put)
            with rig.process() as batch:
                batch.resume(try_number=2, generation=0)
                assert outcomes(rig.finish(batch)) == STORED
            assert creations(canvas) == BOTH

    def test_what_waits_for_its_turn_when_one_fails_for_all_is_not_begun(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tried: list[str] = []

        def refuse(_: FileStore, key: str, _blocks: Any) -> None:
            tried.append(key)
            raise ArchiveDeniedError("no right to write", key=key)

        monkeypatch.setattr(FileStore, "put", refuse)
        numbers = range(100, 110)
        with sandbox(*map(course, numbers)) as canvas:
            rig = Rig(canvas, tmp_path, courses=numbers, parallel_transfers=1)
            with rig.process() as batch, pytest.raises(ArchiveDeniedError):
                rig.finish(batch)
        assert len(tried) < len(numbers)

    def test_a_package_stored_by_a_process_that_died_is_found_and_not_moved_again(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        rig = Rig(canvas, tmp_path)
        rig.live()
        before = asked(canvas, "GET", "^/canvas-sandbox/")
        document = json.loads(rig.written)
        for item in document["items"]:
            item["state"] = "ready"
            for name in ("outcome", "key", "size", "label"):
                del item[name]
        rig.written = json.dumps(document)
        assert rig.live() == STORED
        assert asked(canvas, "GET", "^/canvas-sandbox/") == before


class TestCancelled:
    def test_a_cancelled_batch_creates_nothing_more(
        self, canvas: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rig = Rig(canvas, tmp_path)
        post = CanvasClient.create_export
        with rig.process() as batch:

            def cancelled_in_the_post(*arguments: Any) -> Any:
                batch.cancel()
                return post(*arguments)

            monkeypatch.setattr(CanvasClient, "create_export", cancelled_in_the_post)
            with pytest.raises(TransferCancelled):
                batch.advance()
        assert asked(canvas, "POST", "") == 1
        saved = [item.get("state", "planned") for item in json.loads(rig.written)["items"]]
        assert saved == ["requested", "planned"]

    def test_a_cancelled_batch_aborts_its_uploads_and_goes_on_later(
        self, canvas: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rig = Rig(canvas, tmp_path)
        put = FileStore.put
        with rig.process() as batch:

            def cancelled_while_putting(store: FileStore, key: str, blocks: Any) -> None:
                batch.cancel()
                put(store, key, blocks)

            monkeypatch.setattr(FileStore, "put", cancelled_while_putting)
            with pytest.raises(TransferCancelled):
                rig.finish(batch)
        assert not list(tmp_path.glob("**/*.*"))
        monkeypatch.setattr(FileStore, "put", put)
        assert rig.live() == STORED
        assert creations(canvas) == BOTH


class TestResume:
    def test_an_interruption_is_written_down_and_a_retry_takes_it_back(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        rig = Rig(canvas, tmp_path)
        with rig.process() as batch:
            assert batch.advance() is not None
            batch.interrupt("the worker was stopped")
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
            assert rig.live() == {"course:100": "stalled"}
            rig.options = replace(rig.options, deadline=timedelta(hours=1))
            with rig.process() as batch:
                batch.resume(try_number=2, generation=1)
                assert outcomes(rig.finish(batch)) == {"course:100": "stored"}
            assert creations(canvas) == {"course:100": 1}
            assert json.loads(rig.written)["generation"] == 1

    def test_a_clear_asks_a_refused_course_again(self, canvas: Sandbox, tmp_path: Path) -> None:
        canvas.inject(RequestFault("denied", method="POST", path=r"/100/content_exports$"))
        rig = Rig(canvas, tmp_path)
        assert rig.live() == {"course:100": "denied", "course:101": "stored"}
        with rig.process() as batch:
            batch.resume(try_number=2, generation=1)
            assert outcomes(rig.finish(batch)) == STORED
        assert creations(canvas) == BOTH


class TestSightings:
    def watched(self, rig: Rig) -> tuple[Batch, int]:
        with rig.process() as batch:
            pause = batch.advance()
            assert pause is not None
            return batch, pause.watched[0].export_id

    @pytest.mark.parametrize(
        ("why", "reason"),
        [
            ("failed", "Canvas reported the export as failed"),
            ("deleted", "somebody deleted the export in Canvas"),
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
        batch.absorb(Sightings(dead={export_id: why}))
        (item,) = batch.items
        assert (item.state, item.creations) == (State.PLANNED, 1)
        item.creations, item.export_id, item.state = CREATIONS, export_id, State.REQUESTED
        batch.absorb(Sightings(dead={export_id: why}))
        assert item.outcome is Outcome.FAILED
        assert item.reason == f"{reason} (after {CREATIONS} exports)"

    def test_news_that_is_old_or_comes_twice_or_is_of_others_changes_nothing(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        rig = Rig(canvas, tmp_path, courses="100")
        batch, export_id = self.watched(rig)
        news = Sightings(ready=[export_id], seen={export_id: (50.0, 1.0)})
        batch.absorb(news)
        once = json.loads(rig.written)
        assert once["items"][0]["state"] == "ready"
        batch.absorb(news)
        batch.absorb(Sightings(ready=[9], dead={8: "failed"}, seen={7: (None, 0.0)}))
        assert json.loads(rig.written) == once

    def test_progress_is_remembered(self, canvas: Sandbox, tmp_path: Path) -> None:
        batch, export_id = self.watched(Rig(canvas, tmp_path, courses="100"))
        batch.absorb(Sightings(seen={export_id: (50.0, 7.0)}))
        assert [(item.completion, item.changed_at) for item in batch.items] == [(50.0, 7.0)]
