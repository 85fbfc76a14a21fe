"""Run the demo once: the sandbox, Airflow, the nightly backup and the check of its outcomes."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import requests

from canvas_demo.airflow.airflow_api import AirflowError
from canvas_demo.airflow.follow_run import follow
from canvas_demo.airflow.supervised_airflow import SupervisedAirflow
from canvas_demo.check_outcomes import check_outcomes, expected_state
from canvas_demo.demo_folder import FolderError, lock_folder, open_folder
from canvas_demo.edit_courses import EDITED, edit_courses
from canvas_demo.processes.programs import ProgramDiedError
from canvas_demo.state import DemoState
from canvas_demo.terminal import CANNOT, print_line, print_over_progress, stop_listening

REPOSITORY = Path(__file__).parents[2]
DAG_ID = "canvas_backup_nightly"
#: Differences from a real night: a stuck export fails after a minute, not hours.
CONF = {"stall_after": "PT1M", "batch_size": 10}
_SANDBOX_START = 180.0  # seconds
_LONGEST_NIGHT = 900.0  # seconds


def run(folder: Path, ports: tuple[int, int], *, once: bool, fresh: bool) -> int:
    """Run the demo of a folder until a person ends it, or until its outcomes are checked. Returns the exit status.

    Args:
        folder: of this demo, and of those before it.
        ports: the usual ones of the UI and of the sandbox.
        once: end after the outcomes.
        fresh: remove the demo in the folder and start a new one.
    """
    try:
        with lock_folder(folder):
            return _run_locked(folder, open_folder(folder, ports, print_line, fresh=fresh), once=once)
    except FolderError as error:
        print_line(str(error))
        return CANNOT


def _run_locked(folder: Path, demo: DemoState, *, once: bool) -> int:
    airflow = SupervisedAirflow(folder / "airflow", REPOSITORY, demo, print_over_progress)
    try:
        canvas = _start(airflow, folder, demo)
        if not demo.is_over:
            _back_up(airflow, folder, demo, canvas["expected"])
        _print_addresses(airflow, folder / "archive", demo, canvas["drills"])
        if not once:
            _second_night(airflow, folder, demo)
            print_line("It runs until Ctrl-C. The next `make demo` continues it.")
            _run_on(airflow)
    except (AirflowError, ProgramDiedError) as error:
        print_line(f"The demo cannot continue: {error}\nLogs: {folder}")
        return CANNOT
    except KeyboardInterrupt:
        print_line("\nStopping.")
        raise
    finally:
        stop_listening()  # a second Ctrl-C must not leave programs running
        airflow.stop()
    return 0 if demo.was_expected else 1


def _start(airflow: SupervisedAirflow, folder: Path, demo: DemoState) -> dict[str, Any]:
    """Start the sandbox and Airflow. Returns what the sandbox prints about itself."""
    print_line("1/4  Starting the Canvas sandbox")
    canvas = _start_canvas(airflow, demo, folder / "canvas")
    print_line(f"     {canvas['url']}, {len(canvas['expected'])} courses, some of them with faults")
    print_line("2/4  Starting Airflow: scheduler, triggerer, DAG processor, API server (about 30 s)")
    airflow.prepare()
    demo.has_database = True
    demo.save(folder)
    airflow.launch()
    airflow.add_canvas(canvas["url"], canvas["tokens"]["admin"])
    airflow.add_variable("canvas_archive", airflow.add_archive((folder / "archive").as_uri()))
    airflow.add_variable("canvas_drill_courses", ", ".join(canvas["drills"]))
    airflow.wait_for_dag(DAG_ID)
    print_line(f"     {airflow.url} (no password; this machine only)")
    return canvas


def _back_up(airflow: SupervisedAirflow, folder: Path, demo: DemoState, expected: dict[str, str]) -> None:
    """Run the backup, or wait for the run that an earlier start of this demo has triggered, and check its outcomes."""
    print_line(f"3/4  Running the backup {DAG_ID}")
    demo.run_id = demo.run_id or _new_run_id("demo")
    demo.save(folder)
    airflow.trigger_once(DAG_ID, CONF, demo.run_id)
    state = follow(airflow, DAG_ID, demo.run_id, len(expected))
    why = ", as expected: some courses have no good copy" if state == "failed" else ""
    print_line(f"4/4  The run ended: {state}{why}\n")
    surprises = check_outcomes(folder / "archive", expected, print_line, dag_id=DAG_ID, run_id=demo.run_id)
    demo.is_over, demo.was_expected = True, not surprises and state == expected_state(expected)
    demo.save(folder)


def _second_night(airflow: SupervisedAirflow, folder: Path, demo: DemoState) -> None:
    """Edit some courses as their teachers do, and run the backup again, so that there is something to compare."""
    if demo.is_second_over:
        return
    if demo.second_run_id is None:
        edit_courses(f"http://127.0.0.1:{demo.canvas_port}")
        demo.second_run_id = _new_run_id("demo_second")
        demo.save(folder)
    print_line(
        f"A second night runs, after edits in {', '.join(EDITED)}: about three minutes. Look around meanwhile."
    )
    airflow.trigger_once(DAG_ID, CONF, demo.second_run_id)
    airflow.wait_for_end(DAG_ID, demo.second_run_id, _LONGEST_NIGHT)
    demo.is_second_over = True
    demo.save(folder)
    print_line("The second night has ended: the pages of these courses show what changed.\n")


def _new_run_id(prefix: str) -> str:
    return f"{prefix}__{datetime.now(timezone.utc).isoformat(timespec='seconds')}"


def _start_canvas(airflow: SupervisedAirflow, demo: DemoState, state: Path) -> dict[str, Any]:
    """Start the sandbox and return what it prints about itself."""
    command = [
        *(sys.executable, "-m", "canvas_sandbox", "--scenario", "demo", "--print-json"),
        *("--port", str(demo.canvas_port), "--storage-port", str(demo.storage_port), "--state", str(state)),
    ]
    program = airflow.programs.start("canvas-sandbox", command)
    deadline = time.monotonic() + _SANDBOX_START
    while time.monotonic() < deadline:
        airflow.check()
        if _responds(f"http://127.0.0.1:{demo.canvas_port}/sandbox/health"):
            said = [line for line in program.log.read_text().splitlines() if line.startswith("{")]
            details: dict[str, Any] = json.loads(said[-1])
            return details
        time.sleep(0.1)
    raise ProgramDiedError(f"the sandbox does not answer:\n{program.tail()}")


def _responds(url: str) -> bool:
    with requests.Session() as http:
        http.trust_env = False
        try:
            return http.get(url, timeout=5).ok
        except requests.RequestException:
            return False


def _print_addresses(
    airflow: SupervisedAirflow, archive: Path, demo: DemoState, targets: Sequence[str]
) -> None:
    print_line("")
    print_line(f"Packages and manifests  {archive / 'courses'}")
    print_line(f"Run report              {next(archive.glob(f'runs/*/{DAG_ID}/*/report.html'), archive)}")
    print_line(f"The archive in Airflow  {airflow.url}/plugin/canvas_archive")
    print_line(f"This run in Airflow     {airflow.url}/dags/{DAG_ID}/runs/{demo.run_id}")
    print_line(f"Canvas                  http://127.0.0.1:{demo.canvas_port}/")
    print_line("")
    print_line("To try by hand, with the button Trigger on each page:")
    for dag_id, what in (
        ("canvas_export", "export a course: a form"),
        ("canvas_restore", f"restore a course: a form; {', '.join(targets[:2])}, ... are empty"),
        ("canvas_restore_drill", "restore copies into test courses, and compare the contents"),
        ("canvas_backup_pilot", "the courses of include/courses/pilot.csv"),
    ):
        print_line(f"  {airflow.url}/dags/{dag_id:<22}  {what}")


def _run_on(airflow: SupervisedAirflow) -> None:
    while True:
        airflow.check()
        time.sleep(1)
