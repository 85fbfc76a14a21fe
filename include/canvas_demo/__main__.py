"""``python -m canvas_demo``: watch Airflow back up a Canvas of 40 courses. ``make demo`` runs it.

Each of its processes may be killed at any moment. What dies is started again; a demo that died itself goes on when it is
started again.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from types import FrameType
from typing import Any

import requests

from canvas_demo import leftovers
from canvas_demo.airflow_api import AirflowError
from canvas_demo.answers import close
from canvas_demo.kept import Kept
from canvas_demo.ports import any_free, free_port
from canvas_demo.processes import ProgramDiedError
from canvas_demo.progress import follow
from canvas_demo.tended_airflow import TendedAirflow

REPOSITORY = Path(__file__).parents[2]
DAG_ID = "canvas_backup_nightly"
#: What the demo says differently from a real night: a stuck export is given up after a minute, not hours.
CONF = {"stall_after": "PT1M", "batch_size": 10}
_SANDBOX_START = 60.0  # seconds


def main() -> int:
    """Run the demo; the exit status is 0 when every outcome is the expected one."""
    options = _options()
    for number in (signal.SIGINT, signal.SIGTERM):  # a background job of a shell is born deaf to the first
        signal.signal(number, _interrupt)
    folder: Path = options.folder
    try:
        with _only_one(folder):
            return _run(folder, _take_up(folder) or _begin(folder, options), once=options.once)
    except BlockingIOError:
        say(f"Another demo is running in {folder}.")
        return 2


def _run(folder: Path, kept: Kept, *, once: bool) -> int:
    archive = folder / "archive"
    airflow = TendedAirflow(folder / "airflow", REPOSITORY, kept, _say_between)
    try:
        say("1/4  Starting the Canvas sandbox")
        canvas = _start_canvas(airflow, kept, folder / "canvas")
        say(f"     {canvas['url']}, {len(canvas['expected'])} courses, some of them in trouble")
        say("2/4  Starting Airflow: scheduler, triggerer, DAG processor, API server (about 30 s)")
        airflow.prepare()
        kept.has_database = True
        kept.save(folder)
        airflow.launch()
        airflow.add_canvas(canvas["url"], canvas["tokens"]["admin"])
        airflow.add_variable("canvas_archive", airflow.add_archive(archive.as_uri()))
        airflow.wait_for_dag(DAG_ID)
        say(f"     {airflow.url} (no password; this machine only)")
        say(f"3/4  Running the backup {DAG_ID}")
        kept.run_id = kept.run_id or f"demo__{datetime.now(timezone.utc).isoformat(timespec='seconds')}"
        kept.save(folder)
        airflow.trigger_once(DAG_ID, CONF, kept.run_id)
        state = follow(airflow, DAG_ID, kept.run_id, len(canvas["expected"]))
        say(f"4/4  The run ended: {state}\n")
        surprises = close(archive, canvas["expected"], say)
        kept.is_over = True
        kept.save(folder)
        _where(airflow, archive, kept.run_id)
        if not once:
            say("The UI stays until Ctrl-C.")
            _stay(airflow)
    except (AirflowError, ProgramDiedError) as error:
        say(f"The demo cannot go on: {error}\nLogs: {folder}")
        return 2
    except KeyboardInterrupt:
        say("\nStopping.")
        return 130
    finally:
        airflow.stop()
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


def _say_between(text: str) -> None:
    """Tell something while the progress may stand in the last line."""
    say(f"\r\x1b[K{text}" if sys.stdout.isatty() else text)


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Hold the folder for ourselves; raises `BlockingIOError` while another demo has it. It ends with the process."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def _take_up(folder: Path) -> Kept | None:
    """Remove what an earlier demo left running; what it has kept, if it did not come to its end."""
    left = leftovers.remove_all(folder / "airflow" / "programs")
    kept = Kept.load(folder)
    if kept is None:
        return None
    say(f"Going on with the demo that was interrupted (to begin anew, remove {folder}).")
    if left:
        say(f"     ended what was left of it: {', '.join(left)}")
    if not kept.has_database:
        shutil.rmtree(folder / "airflow", ignore_errors=True)
    return kept


def _begin(folder: Path, options: argparse.Namespace) -> Kept:
    """An empty folder, and ports that are free."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "lock":
            path.unlink()
    (folder / "archive").mkdir()
    ui_port, note = free_port(options.port)
    if note:
        say(f"The Airflow UI: {note}.")
    canvas_port, note = free_port(options.canvas_port)
    if note:
        say(f"The sandbox: {note}.")
    kept = Kept(ui_port, canvas_port, any_free())
    kept.save(folder)
    return kept


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


def _where(airflow: TendedAirflow, archive: Path, run_id: str) -> None:
    say("")
    say(f"Packages and manifests  {archive / 'courses'}")
    say(f"Run report              {next(archive.glob('runs/*/*/*/report.html'), archive)}")
    say(f"This run in Airflow     {airflow.url}/dags/{DAG_ID}/runs/{run_id}")
    say(f"Start one by hand       {airflow.url}/dags/canvas_export")


def _stay(airflow: TendedAirflow) -> None:
    while True:
        airflow.check()
        time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
