"""What the sandbox tells about itself, in this process and to others."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
import requests

from canvas_sandbox import Course, Sandbox, Switches
from canvas_sandbox.__main__ import main

if TYPE_CHECKING:
    from tests.support.canvas.sandbox_client import Call, Caller, Start

SELF = "/api/v1/users/self"


def test_requests_are_remembered_without_credentials(canvas: Sandbox, admin: Caller) -> None:
    admin.get(SELF, params={"access_token": canvas.token, "a": "1"})
    admin.download(admin.finish(admin.create()))
    everything = repr(canvas.requests)
    first = canvas.requests[0]
    assert (first.method, first.path, first.query, first.status) == ("GET", SELF, "a=1", 200)
    assert first.user_agent.startswith("python-requests/")
    assert first.bytes > 50
    assert canvas.token not in everything
    assert "Signature" not in everything
    assert [(record.listener, record.had_authorization) for record in canvas.requests[-2:]] == [
        ("canvas", True),
        ("storage", False),
    ]


def test_the_log_is_bounded(start: Start, call: Call) -> None:
    canvas = start(switches=Switches(manual_clock=True, record_limit=3))
    admin = call(canvas)
    for _ in range(5):
        admin.get(SELF)
    assert len(canvas.requests) == 3


def test_other_processes_see_the_same_over_http(canvas: Sandbox, admin: Caller, call: Call) -> None:
    admin.finish(admin.create())
    nobody = call(canvas, None)
    exports = nobody.get("/sandbox/exports").json()
    assert [
        (row["id"], row["context"], row["export_type"], row["state"], row["user"]) for row in exports
    ] == [(501, "course:101", "common_cartridge", "exported", 1)]
    requested = nobody.get("/sandbox/requests").json()
    assert len(requested) == len(canvas.requests) == 2
    assert {
        "time",
        "method",
        "path",
        "status",
        "bytes",
        "user_agent",
        "had_authorization",
        "listener",
    } <= set(requested[0])
    assert nobody.get("/sandbox/health").json()["status"] == "ok"
    assert nobody.get("/sandbox/nothing").status_code == 404


def test_other_processes_can_read_what_was_imported(canvas: Sandbox, admin: Caller, call: Call) -> None:
    package = admin.exported()
    admin.restore(package, "courses/101")
    (record,) = call(canvas, None).get("/sandbox/migrations").json()
    assert (record["context"], record["state"], record["imports"]) == ("course:101", "completed", 1)
    assert (record["size"], record["sha256"]) == (len(package), hashlib.sha256(package).hexdigest())


def test_other_processes_can_inject_faults_and_advance_the_clock(
    canvas: Sandbox, admin: Caller, call: Call
) -> None:
    nobody = call(canvas, None)
    fault = {"method": "GET", "path": "self", "times": 1, "effect": "maintenance"}
    assert nobody.post("/sandbox/faults", json=fault).status_code == 200
    assert [admin.get(SELF).status_code for _ in range(2)] == [503, 200]
    for wrong in ({"effect": "frog"}, {"nonsense": 1}, {"effect": "cut", "path": "("}):
        assert nobody.post("/sandbox/faults", json=wrong).status_code == 400
    assert nobody.post("/sandbox/advance", json={"seconds": -1}).status_code == 400
    export = admin.create()
    nobody.post("/sandbox/advance", json={"seconds": 60})
    assert admin.show(export)["workflow_state"] == "exported"


def test_the_control_endpoints_pass_no_bucket(canvas: Sandbox, call: Call) -> None:
    nobody = call(canvas, None)
    answers = [nobody.get("/sandbox/health") for _ in range(20)]
    assert {answer.status_code for answer in answers} == {200}
    assert "X-Rate-Limit-Remaining" not in answers[0].headers


def test_a_running_clock_follows_the_wall_and_can_still_jump(start: Start, call: Call) -> None:
    canvas = start(Course(id=101, duration=3600), switches=Switches())
    admin = call(canvas)
    export = admin.create()
    assert abs(canvas.exports[0].created_at - time.time()) < 5
    assert admin.show(export)["workflow_state"] == "exporting"
    canvas.advance(3600)
    assert admin.show(export)["workflow_state"] == "exported"


def test_ports_can_be_chosen_and_a_taken_one_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with Sandbox() as first:
        port = first.url.rpartition(":")[2]
        with pytest.raises(OSError, match="in use"):
            Sandbox(port=int(port)).start()
        with pytest.raises(OSError, match="in use"):
            Sandbox(storage_port=int(port)).start()
        assert main(["--port", port]) == 1
    assert "cannot listen" in capsys.readouterr().err
    with Sandbox(port=int(port)) as second:
        assert second.url == f"http://127.0.0.1:{port}"


def test_a_closed_sandbox_answers_no_more_and_closing_twice_is_fine() -> None:
    canvas = Sandbox()
    with canvas:
        url = canvas.url
    canvas.close()
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_says_where_it_is_and_ends_on_a_signal(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "canvas_sandbox", "--scenario", "demo", "--print-json", "--no-throttle"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        details = json.loads(process.stdout.readline())
        headers = {"Authorization": f"Bearer {details['tokens']['admin']}"}
        courses = requests.get(
            f"{details['url']}/api/v1/accounts/1/courses",
            params={"per_page": 100},
            headers=headers,
            timeout=20,
        )
        process.send_signal(number)
        assert process.wait(20) == 0
    named = (*details["expected"], *details["drills"], *details["concluded"])
    assert {f"course:{row['id']}" for row in courses.json()} == set(named)
    assert "X-Rate-Limit-Remaining" not in courses.headers


def test_other_processes_can_edit_a_course(canvas: Sandbox, call: Call) -> None:
    nobody = call(canvas, None)
    held = nobody.get("/sandbox/courses/101").json()
    page = next(item for item in held["items"] if item["kind"] == "wiki_pages")
    assert page["html"].startswith("<p>")
    for what, arguments in (
        ("edit_item", [101, page["id"], {"html": "<h2>New</h2>"}]),
        ("set_course", [101, {"license": "cc_by"}]),
    ):
        assert nobody.post("/sandbox/changes", json={"what": what, "arguments": arguments}).ok
    held = nobody.get("/sandbox/courses/101").json()
    assert held["settings"] == {"license": "cc_by"}
    assert {item["html"] for item in held["items"] if item["id"] == page["id"]} == {"<h2>New</h2>"}


@pytest.mark.parametrize(
    "body",
    [
        {"what": "delete_course", "arguments": [101]},
        {"what": "remove_item", "arguments": [101, 7]},
        {"what": "edit_item", "arguments": [102, 7, {}]},
        {"what": "set_course"},
        [],
    ],
)
def test_what_is_no_edit_is_refused(canvas: Sandbox, call: Call, body: object) -> None:
    before = canvas.content(101)
    assert call(canvas, None).post("/sandbox/changes", json=body).status_code == 400
    assert canvas.content(101) == before
    assert call(canvas, None).get("/sandbox/courses/none").status_code == 404
