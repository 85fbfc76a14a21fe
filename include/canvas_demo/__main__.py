"""``python -m canvas_demo``: watch Airflow back up a Canvas of 40 courses. ``make demo`` runs it."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

from canvas_demo.airflow_api import AirflowError
from canvas_demo.airflow_stack import AirflowStack
from canvas_demo.ports import any_free, free_port
from canvas_demo.processes import ProgramDiedError, Programs
from canvas_demo.progress import follow
from canvas_exports.archive.opening import open_store
from canvas_exports.archive.report import OutcomeRecord, records_of, table

REPOSITORY = Path(__file__).parents[2]
DAG_ID = "canvas_backup_nightly"
#: What the demo says differently from a real night: a stuck export is given up after a minute, not hours.
CONF = {"stall_after": "PT1M", "batch_size": 10}


def main() -> int:
    """Run the demo; the exit status is 0 when every outcome is the expected one."""
    options = _options()
    for number in (signal.SIGINT, signal.SIGTERM):  # a background job of a shell is born deaf to the first
        signal.signal(number, _interrupt)
    folder: Path = options.folder
    shutil.rmtree(folder, ignore_errors=True)
    archive = folder / "archive"
    archive.mkdir(parents=True)
    canvas_programs = Programs(folder / "programs", os.environ)
    ui_port, note = free_port(options.port)
    if note:
        say(f"The Airflow UI: {note}.")
    airflow = AirflowStack(folder / "airflow", REPOSITORY, ui_port)
    try:
        say("1/4  Starting the Canvas sandbox")
        canvas = _start_canvas(canvas_programs, options.canvas_port)
        say(f"     {canvas['url']}, {len(canvas['expected'])} courses, some of them in trouble")
        say("2/4  Starting Airflow: scheduler, triggerer, DAG processor, API server (about 30 s)")
        airflow.start()
        _configure(airflow, canvas, archive)
        airflow.wait_for_dag(DAG_ID)
        say(f"     {airflow.url} (no password; this machine only)")
        say(f"3/4  Running the backup {DAG_ID}")
        run_id = airflow.trigger(DAG_ID, CONF)
        state = follow(airflow, DAG_ID, run_id, len(canvas["expected"]))
        say(f"4/4  The run ended: {state}\n")
        surprises = _report(archive, canvas["expected"])
        _where(airflow, archive, run_id)
        if not options.once:
            say("The UI stays until Ctrl-C.")
            _stay(airflow, canvas_programs)
    except (AirflowError, ProgramDiedError) as error:
        say(f"The demo cannot go on: {error}\nLogs: {folder}")
        return 2
    except KeyboardInterrupt:
        say("\nStopping.")
        return 130
    finally:
        airflow.stop()
        canvas_programs.stop()
    return 1 if surprises or state != "success" else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m canvas_demo", description=__doc__)
    parser.add_argument(
        "--once", action="store_true", help="end by itself; the exit status tells whether all went well"
    )
    parser.add_argument("--port", type=int, default=8080, help="of the Airflow UI (default: 8080)")
    parser.add_argument("--canvas-port", type=int, default=8800, help="of the sandbox (default: 8800)")
    parser.add_argument("--folder", type=Path, default=REPOSITORY / ".demo", help="everything lies there")
    return parser.parse_args()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def say(text: str) -> None:
    """Tell the person at the terminal."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _start_canvas(programs: Programs, usual: int) -> dict[str, Any]:
    """Start the sandbox and return what it prints about itself."""
    port, note = free_port(usual)
    if note:
        say(f"     the sandbox: {note}")
    program = programs.start(
        "canvas-sandbox",
        [
            sys.executable,
            "-m",
            "canvas_sandbox",
            "--scenario",
            "demo",
            "--port",
            str(port),
            "--storage-port",
            str(any_free()),
            "--print-json",
        ],
    )
    while True:
        program.check()
        first_line, newline, _ = program.log.read_text().partition("\n")
        if newline:
            details: dict[str, Any] = json.loads(first_line)
            return details
        time.sleep(0.1)


def _configure(airflow: AirflowStack, canvas: dict[str, Any], archive: Path) -> None:
    """What an administrator enters once: the connection, and where the archive is."""
    airflow.add_canvas(canvas["url"], canvas["tokens"]["admin"])
    airflow.add_variable("canvas_archive", archive.as_uri())


def _report(archive: Path, expected: dict[str, str]) -> list[str]:
    """Print the outcomes; returns what was not as expected."""
    with open_store(archive.as_uri()) as store:
        keys = [info.key for info in store.list("runs/") if info.key.endswith("/report.json")]
        rows: list[OutcomeRecord] = records_of(json.loads(store.read(keys[0]))) if keys else []
    say(table(rows))
    outcomes = {row.context: row.outcome for row in rows}
    surprises = [
        f"{context}: expected {wanted}, got {outcomes.get(context, 'nothing')}"
        for context, wanted in sorted(expected.items())
        if outcomes.get(context) != wanted
    ]
    say("")
    say("\n".join(surprises) if surprises else f"All {len(expected)} outcomes are the expected ones.")
    return surprises


def _where(airflow: AirflowStack, archive: Path, run_id: str) -> None:
    say("")
    say(f"Packages and manifests  {archive / 'courses'}")
    say(f"Run report              {next(archive.glob('runs/*/*/*/report.json'), archive)}")
    say(f"This run in Airflow     {airflow.url}/dags/{DAG_ID}/runs/{run_id}")
    say(f"Start one by hand       {airflow.url}/dags/canvas_export")


def _stay(airflow: AirflowStack, canvas: Programs) -> None:
    while True:
        airflow.programs.check()
        canvas.check()
        time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
