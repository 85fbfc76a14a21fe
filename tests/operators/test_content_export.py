"""The operator under Airflow's own task runner, against the sandbox and a real folder."""

from __future__ import annotations

import json
import logging
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import AssetAlias
from airflow.sdk.execution_time.comms import DeferTask, SucceedTask
from tests.support.airflow.export_task import CANVAS, exported, outcomes, packages, task

from canvas_exports.core.storage.local import FileStore
from canvas_exports.errors import ArchiveUnavailableError
from canvas_sandbox import Course, NewQuizzes, RequestFault, Sandbox, Switches


def reports(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in folder.glob("runs/2026-11-23/**/batches/*.json")]


class TestTheMainJob:
    def test_a_course_list_becomes_proven_packages(self, canvas: Sandbox, tmp_path: Path) -> None:
        task_run = task(canvas, tmp_path)
        assert task_run.run_to_end() == "success"
        assert packages(tmp_path) == {"100": 1, "101": 1}
        assert task_run.receipt["exports"] == 2
        assert task_run.receipt["outcomes"] == {"stored": 2}

    def test_every_kind_of_trouble_ends_in_its_outcome(self, canvas: Sandbox, tmp_path: Path) -> None:
        task_run = task(canvas, tmp_path, courses=range(100, 110), stall_after="PT3S", fail_on="never")
        assert task_run.run_to_end() == "success"
        assert outcomes(task_run) == {
            "course:100": "stored",
            "course:101": "stored",
            "course:102": "incomplete",
            "course:103": "gone",
            "course:104": "denied",
            "course:105": "failed",
            "course:106": "empty",
            "course:107": "failed",
            "course:108": "stalled",
            "course:109": "stored",
        }
        (report,) = reports(tmp_path)
        assert {row["context"]: row["outcome"] for row in report["outcomes"]} == outcomes(task_run)
        assert all(row["reason"] for row in report["outcomes"])
        assert packages(tmp_path) == {"100": 1, "101": 1, "102": 1, "106": 1, "109": 1}

    def test_without_a_triggerer_the_worker_waits_itself(self, canvas: Sandbox, tmp_path: Path) -> None:
        task_run = task(canvas, tmp_path, deferrable=False)
        assert task_run.run_segment() == "success"
        assert task_run.segments == 1
        assert packages(tmp_path) == {"100": 1, "101": 1}

    def test_a_finished_task_run_again_moves_nothing(self, canvas: Sandbox, tmp_path: Path) -> None:
        task_run = task(canvas, tmp_path)
        task_run.run_to_end()
        task_run.clear()
        before = len(canvas.requests)
        assert task_run.run_to_end() == "success"
        assert len(canvas.requests) == before

    def test_restart_on_clear_exports_everything_anew(self, canvas: Sandbox, tmp_path: Path) -> None:
        task_run = task(canvas, tmp_path, courses="100", on_clear="restart", unchanged="store")
        task_run.run_to_end()
        task_run.clear()
        assert task_run.run_to_end() == "success"
        assert exported(canvas) == {100: 2}
        assert packages(tmp_path) == {"100": 2}


@pytest.mark.usefixtures("state_home")
class TestKilled:
    @pytest.mark.parametrize("write", range(1, 10))
    def test_a_worker_killed_at_any_checkpoint_doubles_nothing(
        self, canvas: Sandbox, tmp_path: Path, write: int
    ) -> None:
        task_run = task(canvas, tmp_path, retries=2)
        task_run.supervisor.kill_after_writes = write
        state = task_run.run_to_end()
        task_run.supervisor.kill_after_writes = None
        if state == "killed":
            task_run.retry()
            state = task_run.run_to_end()
        assert state == "success"
        assert exported(canvas) == {100: 1, 101: 1}
        assert packages(tmp_path) == {"100": 1, "101": 1}

    def test_a_killed_worker_is_noticed_by_this_test_at_all(self, canvas: Sandbox, tmp_path: Path) -> None:
        task_run = task(canvas, tmp_path, retries=2)
        task_run.supervisor.kill_after_writes = 2
        assert task_run.run_to_end() == "killed"

    def test_a_lost_answer_is_looked_up_and_adopted(self, canvas: Sandbox, tmp_path: Path) -> None:
        canvas.inject(
            RequestFault(method="POST", path=r"/courses/100/content_exports$", effect="lost_answer")
        )
        task_run = task(canvas, tmp_path)
        assert task_run.run_to_end() == "success"
        assert exported(canvas) == {100: 1, 101: 1}

    def test_a_post_that_never_arrived_is_sent_again(self, canvas: Sandbox, tmp_path: Path) -> None:
        canvas.inject(RequestFault(method="POST", path=r"/courses/100/content_exports$", effect="refused"))
        task_run = task(canvas, tmp_path)
        assert task_run.run_to_end() == "success"
        assert exported(canvas) == {100: 1, 101: 1}

    def test_a_lost_checkpoint_is_made_up_for_by_asking_canvas(self, canvas: Sandbox, tmp_path: Path) -> None:
        task_run = task(canvas, tmp_path, courses=["100", "sis_course_id:BIO/101"], retries=2)
        assert task_run.run_segment() == "deferred"
        task_run.supervisor.state_store.clear()
        task_run.retry()
        assert task_run.run_to_end() == "success"
        assert exported(canvas) == {100: 1, 101: 1}
        assert packages(tmp_path) == {"100": 1, "101": 1}

    def test_another_attempt_owning_the_task_stops_this_one(self, canvas: Sandbox, tmp_path: Path) -> None:
        task_run = task(canvas, tmp_path)
        task_run.supervisor.fenced = True
        assert task_run.run_segment() == "failed"
        assert not canvas.exports

    def test_an_event_of_an_earlier_attempt_is_ignored(self, canvas: Sandbox, tmp_path: Path) -> None:
        task_run = task(canvas, tmp_path, retries=2)
        assert task_run.run_segment() == "deferred"
        task_run.run_trigger()
        task_run.try_number = 2
        assert task_run.next_kwargs is not None
        task_run.next_kwargs["event"]["poll_result"] = {"ready": "nonsense"}
        assert task_run.run_to_end() == "success"
        assert exported(canvas) == {100: 1, 101: 1}

    @pytest.mark.parametrize(
        "event",
        [
            {"poll_result": {"ready": 7}},
            {"poll_result": {"ready": [], "dead": {}, "seen": {"501": []}}},
            {"poll_result": None, "status": 3},
            {},
        ],
        ids=str,
    )
    def test_an_event_of_another_release_lets_the_batch_go_on_from_its_checkpoint(
        self, canvas: Sandbox, tmp_path: Path, event: dict[str, Any]
    ) -> None:
        task_run = task(canvas, tmp_path, retries=2)
        assert task_run.run_segment() == "deferred"
        task_run.run_trigger()
        task_run.next_kwargs = {"event": {"try_number": 1, **event}}
        assert task_run.run_to_end() == "success"
        assert exported(canvas) == {100: 1, 101: 1}

    @pytest.mark.parametrize(
        "changes", [{"version": 2}, {"items": [{"context": "course:100", "state": "new"}]}]
    )
    def test_a_checkpoint_of_another_release_is_made_up_for_by_asking_canvas(
        self, canvas: Sandbox, tmp_path: Path, changes: dict[str, Any]
    ) -> None:
        task_run = task(canvas, tmp_path, retries=2)
        assert task_run.run_segment() == "deferred"
        task_run.supervisor.state_store["canvas_exports"] = json.dumps({**task_run.checkpoint, **changes})
        task_run.run_trigger()
        assert task_run.run_to_end() == "success"
        assert exported(canvas) == {100: 1, 101: 1}

    def test_an_event_that_comes_without_a_payload_is_survived(self, canvas: Sandbox, tmp_path: Path) -> None:
        task_run = task(canvas, tmp_path)
        assert task_run.run_segment() == "deferred"
        task_run.run_trigger()
        task_run.next_kwargs = {"event": None}
        assert task_run.run_to_end() == "success"

    def test_on_kill_aborts_uploads_and_touches_nothing_in_canvas(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of a package that is put as a stream: a small one is put whole, after its last block."""
        switches = Switches(job_workers=20, duration=0.02, throttle=False)
        with Sandbox([Course(id=100, size=3_000_000)], switches=switches) as canvas:
            task_run = task(canvas, tmp_path, courses="100", retries=1)
            assert task_run.run_segment() == "deferred"
            task_run.run_trigger()
            put = FileStore.put

            def killed_while_putting(store: FileStore, key: str, blocks: Any) -> None:
                task_run.operator.on_kill()
                put(store, key, blocks)

            monkeypatch.setattr(FileStore, "put", killed_while_putting)
            assert task_run.run_segment() == "up_for_retry"
            assert not list(tmp_path.glob("courses/**/*.*"))
            assert {record.method for record in canvas.requests} == {"GET", "POST"}
            monkeypatch.setattr(FileStore, "put", put)
            task_run.retry()
            assert task_run.run_to_end() == "success"
            assert exported(canvas) == {100: 1}


class TestFailing:
    @pytest.mark.parametrize(
        ("arguments", "named"),
        [
            ({"courses": ["abc"]}, "courses"),
            ({"courses": []}, "courses"),
            ({"groups": ["0"]}, "groups"),
            ({"export_type": "cartridge"}, "export_type"),
            ({"users": "self", "export_type": "qti"}, "export_type"),
            ({"select": {}}, "select"),
            ({"version": "1.2"}, "version"),
            ({"key_template": "{name}"}, "key_template"),
            ({"archive": "nowhere"}, "archive"),
            ({"max_in_flight": 0}, "max_in_flight"),
            ({"parallel_transfers": 99}, "parallel_transfers"),
            ({"deadline": "tomorrow"}, "deadline"),
            ({"stall_after": timedelta(0)}, "stall_after"),
            ({"fail_on": "sometimes"}, "fail_on"),
            ({"on_clear": "explode"}, "on_clear"),
            ({"proof": "hope"}, "proof"),
            ({"courses": range(1, 202)}, "courses"),
        ],
    )
    def test_bad_input_fails_before_anything_is_asked_of_canvas(
        self, canvas: Sandbox, tmp_path: Path, arguments: dict[str, Any], named: str
    ) -> None:
        task_run = task(canvas, tmp_path, retries=3, **arguments)
        assert task_run.run_segment() == "failed", "bad input is not retried"
        assert named in str(task_run.error)
        assert not canvas.requests

    def test_an_unwritable_archive_fails_before_anything_is_created(
        self, canvas: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (tmp_path / "archive").write_text("a file where a folder should be")
        task_run = task(canvas, tmp_path / "archive", retries=3)
        assert task_run.run_segment() == "failed"
        assert not canvas.exports
        place = str(tmp_path / "archive")
        assert f"cannot store in {place}: Not a directory; let the user that runs" in str(task_run.error)
        assert str(task_run.error).count(place) == 1
        lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
        assert sum(line.count(place) for line in lines) <= 1

    def test_a_revoked_token_fails_without_a_retry_and_says_so_for_every_context(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        task_run = task(canvas, tmp_path, retries=3)
        assert task_run.run_segment() == "deferred"
        task_run.run_trigger()
        canvas.revoke(canvas.token)
        assert task_run.run_segment() == "failed"
        (report,) = reports(tmp_path)
        assert {row["outcome"] for row in report["outcomes"]} == {"interrupted"}

    def test_a_cleared_task_goes_on_after_the_token_was_repaired(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        task_run = task(canvas, tmp_path, retries=3)
        assert task_run.run_segment() == "deferred"
        repaired = task_run.supervisor.connections[CANVAS]
        task_run.supervisor.connections[CANVAS] = {**repaired, "password": "1~wrong"}
        assert task_run.run_trigger()["status"] == "refused"
        assert task_run.run_segment() == "failed"
        task_run.supervisor.connections[CANVAS] = repaired
        task_run.clear()
        assert task_run.run_to_end() == "success"
        assert exported(canvas) == {100: 1, 101: 1}

    def test_permanent_outcomes_fail_the_task_without_a_retry(self, canvas: Sandbox, tmp_path: Path) -> None:
        task_run = task(canvas, tmp_path, retries=3, courses=["100", "103", "104"])
        assert task_run.run_to_end() == "failed"
        assert "2 of 3 exports have no whole copy (1 gone, 1 denied)" in str(task_run.error)
        assert packages(tmp_path) == {"100": 1}

    def test_an_interrupted_export_is_retried_and_only_that(
        self, canvas: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put = FileStore.put

        def full(store: FileStore, key: str, blocks: Any) -> None:
            if "courses/100/" in key:
                raise ArchiveUnavailableError("the disk is full", key=key)
            put(store, key, blocks)

        monkeypatch.setattr(FileStore, "put", full)
        task_run = task(canvas, tmp_path, retries=1)
        assert task_run.run_to_end() == "up_for_retry"
        assert outcomes(task_run) == {"course:100": "interrupted", "course:101": "stored"}
        monkeypatch.setattr(FileStore, "put", put)
        task_run.retry()
        assert task_run.run_to_end() == "success"
        assert outcomes(task_run) == {"course:100": "stored", "course:101": "stored"}
        assert exported(canvas) == {100: 1, 101: 1}

    def test_a_failure_policy_decides(self, canvas: Sandbox, tmp_path: Path) -> None:
        assert task(canvas, tmp_path, courses=["100", "101", "103"], fail_on="40%").run_to_end() == "success"


class TestWhatAirflowSees:
    def test_a_deferral_survives_being_stored_and_says_nothing_secret(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        task_run = task(canvas, tmp_path)
        task_run.run_segment()
        assert isinstance(task_run.message, DeferTask)
        written = json.dumps(task_run.message.trigger_kwargs)
        assert len(written) < 2000
        assert canvas.token not in written
        assert "http" not in written
        assert task_run.message.trigger_timeout is not None
        assert timedelta(hours=12) < task_run.message.trigger_timeout < timedelta(hours=13)

    def test_nothing_secret_is_kept_logged_or_returned(
        self,
        canvas: Sandbox,
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        caplog.set_level("DEBUG")
        task_run = task(canvas, tmp_path, courses=range(100, 108), fail_on="never")
        task_run.run_to_end()
        output = capsys.readouterr()
        texts = [caplog.text, output.out, output.err, *task_run.supervisor.state_store.values()]
        texts += [json.dumps(value, default=str) for value in task_run.supervisor.xcoms.values()]
        texts += [path.read_text() for path in tmp_path.glob("**/*.json")]
        for text in texts:
            assert canvas.token not in text
            assert "verifier=" not in text
            assert "X-Amz-Signature" not in text
            assert "token=" not in text

    def test_the_archive_announces_itself_with_the_receipt(self, canvas: Sandbox, tmp_path: Path) -> None:
        task_run = task(canvas, tmp_path)
        task_run.run_to_end()
        assert isinstance(task_run.message, SucceedTask)
        assert task_run.message.outlet_events is not None
        (event,) = task_run.message.outlet_events
        assert event["source_alias_name"] == "canvas_archive"
        assert event["dest_asset_key"]["uri"].rstrip("/") == tmp_path.as_uri()
        assert event["extra"] == task_run.receipt

    def test_a_dag_author_may_name_other_outlets(self, canvas: Sandbox, tmp_path: Path) -> None:
        task_run = task(canvas, tmp_path, outlets=[AssetAlias("biology")])
        task_run.run_to_end()
        assert isinstance(task_run.message, SucceedTask)
        assert task_run.message.outlet_events is not None
        assert [event["source_alias_name"] for event in task_run.message.outlet_events] == ["biology"]

    def test_the_link_leads_to_the_course_and_the_log_says_where_the_report_is(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        task_run = task(canvas, tmp_path, courses="100")
        task_run.run_segment()
        assert task_run.supervisor.xcoms["_link_CanvasLink"] == f"{canvas.url}/courses/100"
        task_run.run_trigger()
        task_run.run_to_end()
        # No browser opens a document of a file:// archive from Airflow's page.
        assert not task_run.supervisor.xcoms["_link_RunReportLink"]
        told = getattr(task_run.operator, "report_url", None)
        assert told == f"{tmp_path.as_uri()}/{task_run.receipt['report']}"


class TestUnchangedCourses:
    def test_the_second_run_exports_nothing_and_has_a_copy_of_each_course(self, tmp_path: Path) -> None:
        courses = [Course(id=number, name=f"Biology {number}", size=1_000) for number in (100, 101)]
        switches = Switches(job_workers=20, duration=0.02, throttle=False, new_quizzes=NewQuizzes.NONE)
        with Sandbox(courses, switches=switches) as canvas:
            receipts = []
            for run_id in ("manual__2026-11-23", "manual__2026-11-24"):
                task_run = task(canvas, tmp_path, skip_unchanged="P7D")
                task_run.run_id = run_id
                assert task_run.run_to_end() == "success"
                receipts.append(task_run.receipt["outcomes"])
                time.sleep(1.1)  # times are in seconds: the second run must not begin in that of the exports
            assert exported(canvas) == {100: 1, 101: 1}
        assert receipts == [{"stored": 2}, {"unchanged": 2}]
        assert len(list(tmp_path.glob("courses/*/*.json"))) == 4
        rows = [row for report in reports(tmp_path) for row in report["outcomes"]]
        assert [row["probe_result"] for row in rows if row["outcome"] == "unchanged"] == [
            "skipped",
            "skipped",
        ]

    def test_a_clear_that_restarts_exports_everything(self, tmp_path: Path) -> None:
        switches = Switches(job_workers=20, duration=0.02, throttle=False, new_quizzes=NewQuizzes.NONE)
        with Sandbox([Course(id=100, size=1_000)], switches=switches) as canvas:
            task_run = task(canvas, tmp_path, courses="100", on_clear="restart", skip_unchanged="P7D")
            task_run.run_to_end()
            task_run.clear()
            assert task_run.run_to_end() == "success"
            assert exported(canvas) == {100: 2}
