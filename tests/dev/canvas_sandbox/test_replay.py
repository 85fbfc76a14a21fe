"""A sandbox with a state goes on where the last one stopped, however that one stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from canvas_sandbox import Course, Fault, Group, LimitedFault, RequestFault, Sandbox, Switches
from canvas_sandbox.content.edit_kinds import EditKind
from canvas_sandbox.event_log import StateError

if TYPE_CHECKING:
    from tests.support.canvas.sandbox_client import Call, Caller

FROZEN = Switches(manual_clock=True, job_workers=1, duration=10)


@contextmanager
def canvas_with(state: Path, *faults: Fault | LimitedFault, **options: Any) -> Iterator[Sandbox]:
    """A Canvas of two courses and a group, built anew each time as another process would."""
    courses = [Course(id=101, sis_course_id="BIO", faults=faults), Course(id=102)]
    options = {"switches": FROZEN, "groups": [Group(id=7)], **options}
    with Sandbox(courses, state=state, **options) as canvas:
        yield canvas


def pictured(caller: Caller, exports: list[Any]) -> list[Any]:
    """All that the API says of these exports, the port aside."""
    said = [caller.show(export) for export in exports]
    said += [caller.progress(export) for export in said]
    text = json.dumps(said)
    return [text.replace(caller.canvas.url, "")]


def test_a_content_share_is_remembered(tmp_path: Path, call: Call) -> None:
    with canvas_with(tmp_path) as canvas:
        canvas.share_content(101)
        exports, rows = canvas.exports, call(canvas).get("/api/v1/courses/101/content_exports").text
        port = int(canvas.url.rpartition(":")[2])
    with canvas_with(tmp_path, port=port) as canvas:
        assert canvas.exports == exports
        assert call(canvas).get("/api/v1/courses/101/content_exports").text == rows


def test_exports_progress_and_packages_are_as_they_were(tmp_path: Path, call: Call) -> None:
    with canvas_with(tmp_path) as canvas:
        admin = call(canvas)
        first = admin.create()
        second = admin.create("qti", select={"all_quizzes": "1"})
        canvas.advance(14)
        before, exports = pictured(admin, [first, second]), canvas.exports
        package = admin.download(admin.show(first)).headers["ETag"]
        port, storage_port = (int(url.rpartition(":")[2]) for url in (canvas.url, canvas.storage_url))
    with canvas_with(tmp_path, port=port, storage_port=storage_port) as canvas:
        admin = call(canvas)
        assert canvas.exports == exports
        assert pictured(admin, [first, second]) == before
        assert admin.download(admin.show(first)).headers["ETag"] == package
        canvas.advance(60)
        assert [export.state for export in canvas.exports] == ["exported", "exported"]
        assert admin.create()["id"] == exports[-1].id + 1


def test_the_second_life_of_a_queue_goes_as_the_first_would_have(tmp_path: Path, call: Call) -> None:
    """Interrupted once, twice or never: the same exports end at the same moments."""

    def ends(stops: int, state: Path) -> list[float | None]:
        for number in range(6):
            with canvas_with(state) as canvas:
                admin = call(canvas)
                admin.create(context=f"courses/{101 + number % 2}")
                canvas.advance(3)
                if number >= stops:
                    for rest in range(number + 1, 6):
                        admin.create(context=f"courses/{101 + rest % 2}")
                        canvas.advance(3)
                    canvas.advance(600)
                    begun = canvas.exports[0].created_at
                    return [
                        export.finished_at and round(export.finished_at - begun, 6)
                        for export in canvas.exports
                    ]
        raise AssertionError("unreachable: the last round always ends")

    histories = [ends(stops, tmp_path / str(stops)) for stops in (0, 1, 3, 5)]
    assert histories == [[pytest.approx(10.0 * n) for n in range(1, 7)]] * 4


def test_a_fault_that_happened_once_has_happened(tmp_path: Path, call: Call) -> None:
    faults = (Fault.EXPORT_FAILS.times(1), Fault.CUT.times(1), Fault.SERVER_ERROR.times(1))
    with canvas_with(tmp_path, *faults) as canvas:
        admin = call(canvas)
        path = "/api/v1/courses/101/content_exports"
        assert admin.post(path, {"export_type": "qti"}).status_code == 500
        admin.create()
        whole = admin.finish(admin.create())
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            admin.download(whole)
    with canvas_with(tmp_path, *faults) as canvas:
        admin = call(canvas)
        assert [export.state for export in canvas.exports] == ["failed", "exported"]
        whole = admin.show(whole)
        assert len(admin.download(whole).content) == whole["attachment"]["size"]
        assert admin.finish(admin.create())["workflow_state"] == "exported"


def test_what_people_changed_stays_changed(tmp_path: Path, call: Call) -> None:
    with canvas_with(tmp_path) as canvas:
        admin = call(canvas)
        export = admin.finish(admin.create(context="courses/102"), "courses/102")
        cancelled = admin.create(context="courses/102")
        admin.post(cancelled["progress_url"] + "/cancel", {"message": "no"})
        canvas.delete_export(export["id"])
        new = canvas.reset_course(101)
        canvas.edit_course(102)
        canvas.revoke(canvas.token)
        token = canvas.issue_token(canvas.token)
    with canvas_with(tmp_path) as canvas:
        assert canvas.token == token
        admin = call(canvas)
        assert admin.get("/api/v1/courses/sis_course_id:BIO").json()["id"] == new
        assert admin.get("/api/v1/courses/101").status_code == 404
        shown = admin.show(export, "courses/102")
        assert (shown["workflow_state"], "attachment" in shown) == ("deleted", False)
        assert (
            admin.get(f"/api/v1/progress/{cancelled['progress_url'].rpartition('/')[2]}").json()["message"]
            == "no"
        )
        assert canvas.world.courses[102].revision == 1


def test_the_request_log_continues(tmp_path: Path, call: Call) -> None:
    with canvas_with(tmp_path) as canvas:
        admin = call(canvas)
        admin.download(admin.finish(admin.create()))
        before = [asdict(record) for record in canvas.requests]
    assert before[-1]["bytes"] > 1000
    with canvas_with(tmp_path) as canvas:
        call(canvas).get("/api/v1/courses/101")
        after = [asdict(record) for record in canvas.requests]
    assert after[:-1] == before
    assert after[-1]["path"] == "/api/v1/courses/101"


def test_without_a_state_everything_is_forgotten(tmp_path: Path, call: Call) -> None:
    with canvas_with(tmp_path) as canvas:
        call(canvas).create()
        canvas.inject(RequestFault(effect="server_error", times=None))
    with canvas_with(tmp_path) as canvas:
        assert call(canvas).get("/api/v1/courses/101").status_code == 200, (
            "a fault of single requests is no state"
        )
    with Sandbox([Course(id=101), Course(id=102)], switches=FROZEN) as canvas:
        assert canvas.exports == []


def test_a_line_cut_short_is_as_if_it_had_never_been(tmp_path: Path, call: Call) -> None:
    with canvas_with(tmp_path) as canvas:
        call(canvas).create()
        exports = canvas.exports
    journal = tmp_path / "journal.jsonl"
    with journal.open("ab") as file:
        file.write(b'{"kind":"export","at":1')
    for _ in range(2):
        with canvas_with(tmp_path) as canvas:
            assert canvas.exports == exports
    assert b'"at":1{' not in journal.read_bytes()


def test_a_damaged_state_and_one_of_another_campus_are_refused(tmp_path: Path, call: Call) -> None:
    with canvas_with(tmp_path) as canvas:
        call(canvas).create()
    others: list[dict[str, Any]] = [{"seed": 2}, {"time_scale": 0.5}, {"groups": []}]
    for other in others:
        with pytest.raises(StateError, match="another sandbox"), canvas_with(tmp_path, **other):
            pass
    journal = tmp_path / "journal.jsonl"
    journal.write_bytes(b"nonsense\n" + journal.read_bytes())
    with pytest.raises(StateError, match="damaged at byte 0"), canvas_with(tmp_path):
        pass
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="cannot be kept"), canvas_with(tmp_path / "file"):
        pass


def test_no_token_is_written_down(tmp_path: Path, call: Call) -> None:
    with canvas_with(tmp_path) as canvas:
        admin = call(canvas)
        admin.get("/api/v1/courses/101", params={"access_token": canvas.token})
        admin.download(admin.finish(admin.create()))
        canvas.revoke(canvas.token)
        tokens = [*canvas.tokens.values(), canvas.issue_token(canvas.token)]
    text = (tmp_path / "journal.jsonl").read_text()
    assert not [token for token in tokens if token in text]
    assert "X-Amz" not in text


def start(state: Path, port: int = 0) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "canvas_sandbox", "--print-json", "--no-throttle"),
            *("--time-scale", "0.1", "--state", str(state), "--port", str(port)),
        ],
        stdout=subprocess.PIPE,
        text=True,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
    )
    assert process.stdout is not None
    details: dict[str, Any] = json.loads(process.stdout.readline())
    return process, details


def test_a_killed_process_is_taken_up_by_the_next(tmp_path: Path) -> None:
    """Five lives, each killed right after an answer: every export answered for is there, once, and ends."""
    answered = []
    port = 0
    for _ in range(5):
        process, about = start(tmp_path, port)
        try:
            port = int(about["url"].rpartition(":")[2])
            for course in (101, 102):
                answer = requests.post(
                    f"{about['url']}/api/v1/courses/{course}/content_exports",
                    {"export_type": "common_cartridge"},
                    headers={"Authorization": f"Bearer {about['tokens']['admin']}"},
                    timeout=20,
                )
                answered.append(answer.json()["id"])
        finally:
            process.send_signal(signal.SIGKILL)
            process.communicate()
    process, about = start(tmp_path, port)
    try:
        exports = requests.get(f"{about['url']}/sandbox/exports", timeout=20).json()
        while any(export["state"] != "exported" for export in exports):
            time.sleep(0.05)
            exports = requests.get(f"{about['url']}/sandbox/exports", timeout=20).json()
    finally:
        process.kill()
        process.communicate()
    assert [export["id"] for export in exports] == answered


def test_edits_of_every_kind_and_their_times_are_remembered(tmp_path: Path) -> None:
    def start() -> Sandbox:
        return Sandbox([Course(id=101, subject="Botany"), Course(id=102)], switches=FROZEN, state=tmp_path)

    def times(canvas: Sandbox) -> list[Any]:
        rows = [canvas.updated_at(number) for number in (101, 102)]
        stamps, course = canvas.world.contents.timestamps, canvas.world.courses[101]
        return [*rows, *(stamps.item(course, number) for number in canvas.content(101).items)]

    with start() as canvas:
        for seed, kind in enumerate(EditKind):
            with suppress(ValueError):
                canvas.make_edit(101, kind, seed)
            canvas.advance(61)
        canvas.import_enrolments()
        number = canvas.add_item(101, "wiki_pages", {"title": "New"})
        was, content = times(canvas), canvas.content(101)
    with start() as canvas:
        assert times(canvas) == was
        assert canvas.content(101) == content
        assert canvas.add_item(101, "wiki_pages", {"title": "Newer"}) == number + 1
