"""``python -m canvas_demo``: watch Airflow back up a Canvas of 40 courses. ``make demo`` runs it.

Each of its processes may be killed at any moment. What dies is started again; a demo that died itself goes on when it is
started again, and so does one whose night is over: nothing that a person has made in it is ever removed unasked.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from types import FrameType
from typing import Any

import requests

from canvas_demo.airflow_api import AirflowError
from canvas_demo.answers import close, expected_state
from canvas_demo.folder import FolderError, only_one, open_folder
from canvas_demo.kept import Kept
from canvas_demo.processes import ProgramDiedError
from canvas_demo.progress import follow
from canvas_demo.tended_airflow import TendedAirflow
from canvas_demo.terminal import own_foreground, say, say_between

REPOSITORY = Path(__file__).parents[2]
DAG_ID = "canvas_backup_nightly"
#: What the demo says differently from a real night: a stuck export is given up after a minute, not hours.
CONF = {"stall_after": "PT1M", "batch_size": 10}
_SANDBOX_START = 60.0  # seconds
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_CANNOT, _INTERRUPTED = 2, 130


def main() -> int:
    """Run the demo.

    The exit status: 0 when every outcome is the expected one, or a person has ended the demo; 1 when one is not; 2 when it
    could not be run. With ``--once`` somebody waits for the outcomes, so an end before them is 130.
    """
    options = _options()
    for number in _SIGNALS:  # a background job of a shell is born deaf to the first
        signal.signal(number, _interrupt)
    try:
        with only_one(options.folder), own_foreground():
            ports = (options.port, options.canvas_port)
            kept = open_folder(options.folder, ports, say, fresh=options.fresh)
            return _run(options.folder, kept, once=options.once)
    except FolderError as error:
        say(str(error))
        return _CANNOT
    except KeyboardInterrupt:
        return _INTERRUPTED if options.once else 0


def _run(folder: Path, kept: Kept, *, once: bool) -> int:
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
        return _CANNOT
    except KeyboardInterrupt:
        say("\nStopping.")
        raise
    finally:
        for number in _SIGNALS:  # it ends already, and whoever is impatient must not leave half of it running
            signal.signal(number, signal.SIG_IGN)
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


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m canvas_demo", description=__doc__)
    parser.add_argument(
        "--once", action="store_true", help="end by itself; the exit status tells whether all went well"
    )
    parser.add_argument(
        "--fresh",
        action="store_true",
        help="begin anew, and remove what an earlier demo has left in the folder",
    )
    parser.add_argument("--port", type=int, default=8080, help="of the Airflow UI (default: 8080)")
    parser.add_argument("--canvas-port", type=int, default=8800, help="of the sandbox (default: 8800)")
    parser.add_argument("--folder", type=Path, default=REPOSITORY / ".demo", help="everything lies there")
    return parser.parse_args()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


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


if __name__ == "__main__":
    sys.exit(main())
