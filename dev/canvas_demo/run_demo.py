"""One life of a demo: a sandbox, an Airflow, the night's backup and its judgement, and what a person does with it all."""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import requests

from canvas_demo.airflow.airflow_api import AirflowError
from canvas_demo.airflow.follow_run import follow
from canvas_demo.airflow.supervised_airflow import TendedAirflow
from canvas_demo.check_outcomes import close, expected_state
from canvas_demo.demo_folder import FolderError, only_one, open_folder
from canvas_demo.processes.programs import ProgramDiedError
from canvas_demo.state import Kept
from canvas_demo.terminal import CANNOT, say, say_between, stop_listening

REPOSITORY = Path(__file__).parents[2]
DAG_ID = "canvas_backup_nightly"
#: What the demo says differently from a real night: a stuck export is given up after a minute, not hours.
CONF = {"stall_after": "PT1M", "batch_size": 10}
_SANDBOX_START = 180.0  # seconds


def run(folder: Path, ports: tuple[int, int], *, once: bool, fresh: bool) -> int:
    """Live in a folder until the person ends it, or until the night is judged; returns the exit status.

    Args:
        folder: of this demo, and of those before it.
        ports: the usual ones of the UI and of the sandbox.
        once: end by itself.
        fresh: begin anew.
    """
    try:
        with only_one(folder):
            return _live(folder, open_folder(folder, ports, say, fresh=fresh), once=once)
    except FolderError as error:
        say(str(error))
        return CANNOT


def _live(folder: Path, kept: Kept, *, once: bool) -> int:
    airflow = TendedAirflow(folder / "airflow", REPOSITORY, kept, say_between)
    try:
        canvas = _start(airflow, folder, kept)
        if not kept.is_over:
            _night(airflow, folder, kept, canvas["expected"])
        _where(airflow, folder / "archive", kept)
        if not once:
            say("All of it stays until Ctrl-C, and is there again with the next `make demo`.")
            _stay(airflow)
    except (AirflowError, ProgramDiedError) as error:
        say(f"The demo cannot go on: {error}\nLogs: {folder}")
        return CANNOT
    except KeyboardInterrupt:
        say("\nStopping.")
        raise
    finally:
        stop_listening()  # it ends already, and whoever is impatient must not leave half of it running
        airflow.stop()
    return 0 if kept.was_expected else 1


def _start(airflow: TendedAirflow, folder: Path, kept: Kept) -> dict[str, Any]:
    """Start the sandbox and Airflow; what the sandbox says of itself."""
    say("1/4  Starting the Canvas sandbox")
    canvas = _start_canvas(airflow, kept, folder / "canvas")
    say(f"     {canvas['url']}, {len(canvas['expected'])} courses, some of them in trouble")
    say("2/4  Starting Airflow: scheduler, triggerer, DAG processor, API server (about 30 s)")
    airflow.prepare()
    kept.has_database = True
    kept.save(folder)
    airflow.launch()
    airflow.add_canvas(canvas["url"], canvas["tokens"]["admin"])
    airflow.add_variable("canvas_archive", airflow.add_archive((folder / "archive").as_uri()))
    airflow.add_variable("canvas_drill_courses", ", ".join(canvas["drills"]))
    airflow.wait_for_dag(DAG_ID)
    say(f"     {airflow.url} (no password; this machine only)")
    return canvas


def _night(airflow: TendedAirflow, folder: Path, kept: Kept, expected: dict[str, str]) -> None:
    """Run the backup, or wait for the one that an earlier life of this demo has begun, and judge it."""
    say(f"3/4  Running the backup {DAG_ID}")
    kept.run_id = kept.run_id or f"demo__{datetime.now(timezone.utc).isoformat(timespec='seconds')}"
    kept.save(folder)
    airflow.trigger_once(DAG_ID, CONF, kept.run_id)
    state = follow(airflow, DAG_ID, kept.run_id, len(expected))
    why = ", as it has to: some courses have no good copy" if state == "failed" else ""
    say(f"4/4  The run ended: {state}{why}\n")
    surprises = close(folder / "archive", expected, say, dag_id=DAG_ID, run_id=kept.run_id)
    kept.is_over, kept.was_expected = True, not surprises and state == expected_state(expected)
    kept.save(folder)


def _start_canvas(airflow: TendedAirflow, kept: Kept, state: Path) -> dict[str, Any]:
    """Start the sandbox and return what it prints about itself."""
    command = [
        *(sys.executable, "-m", "canvas_sandbox", "--scenario", "demo", "--print-json"),
        *("--port", str(kept.canvas_port), "--storage-port", str(kept.storage_port), "--state", str(state)),
    ]
    program = airflow.programs.start("canvas-sandbox", command)
    deadline = time.monotonic() + _SANDBOX_START
    while time.monotonic() < deadline:
        airflow.check()
        if _answers(f"http://127.0.0.1:{kept.canvas_port}/sandbox/health"):
            said = [line for line in program.log.read_text().splitlines() if line.startswith("{")]
            details: dict[str, Any] = json.loads(said[-1])
            return details
        time.sleep(0.1)
    raise ProgramDiedError(f"the sandbox does not answer:\n{program.tail()}")


def _answers(url: str) -> bool:
    with requests.Session() as http:
        http.trust_env = False
        try:
            return http.get(url, timeout=5).ok
        except requests.RequestException:
            return False


def _where(airflow: TendedAirflow, archive: Path, kept: Kept) -> None:
    say("")
    say(f"Packages and manifests  {archive / 'courses'}")
    say(f"Run report              {next(archive.glob(f'runs/*/{DAG_ID}/*/report.html'), archive)}")
    say(f"This run in Airflow     {airflow.url}/dags/{DAG_ID}/runs/{kept.run_id}")
    say(f"Canvas                  http://127.0.0.1:{kept.canvas_port}/")
    say("")
    say("To try by hand, each with the button Trigger on its page:")
    for dag_id, what in (
        ("canvas_export", "export a course: a form"),
        ("canvas_restore", "bring one back: a form"),
        ("canvas_restore_drill", "restore a copy for trial, and compare what came back"),
        ("canvas_backup_pilot", "the courses of include/courses/pilot.csv"),
    ):
        say(f"  {airflow.url}/dags/{dag_id:<22}  {what}")


def _stay(airflow: TendedAirflow) -> None:
    while True:
        airflow.check()
        time.sleep(1)
