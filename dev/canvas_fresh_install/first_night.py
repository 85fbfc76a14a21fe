"""A user's first night: a project, ``airflow standalone``, connections, the doctor, and the nightly backup."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from canvas_demo.airflow.airflow_stack import AirflowStack
from canvas_demo.processes.ports import any_free
from canvas_fresh_install.environments import Environment
from canvas_sandbox import Course, Sandbox, Switches, Term

DAG_ID = "canvas_backup_nightly"
COURSES = 5
_LONGEST = 600.0  # seconds for the run


class FirstNightError(RuntimeError):
    """A step did not do what the documentation says."""


class StandaloneAirflow(AirflowStack):
    """``airflow standalone`` in a project that ``canvas-archive init`` wrote.

    Args:
        installed: where Airflow is installed.
        project: the folder with ``dags/`` and ``include/``, which is also Airflow's home.
    """

    def __init__(self, installed: Environment, project: Path) -> None:
        self._installed = installed
        paths = f"{installed.programs}{os.pathsep}{os.environ.get('PATH', '')}"
        port = any_free()
        super().__init__(project, project, port, {"PATH": paths, "AIRFLOW__API__PORT": str(port)})

    def prepare(self) -> None:
        """Make an empty database whose readers do not wait for writers. Airflow creates its tables."""
        with closing(sqlite3.connect(self.home / "airflow.db")) as database:
            database.execute("PRAGMA journal_mode=WAL")

    def launch(self) -> None:
        """Start every component with one command, and wait until all report healthy."""
        self.programs.start("standalone", [str(self._installed.programs / "airflow"), "standalone"])
        self.wait_until_healthy()
        self.log_in()

    def command(self, *arguments: str) -> tuple[int, Any]:
        """Run ``canvas-archive`` with ``--json`` where Airflow is installed; return its exit status and what it printed."""
        return run_command(self._installed, *arguments, environment=self.environment)


def run_command(
    installed: Environment, *arguments: str, environment: Mapping[str, str] | None = None
) -> tuple[int, Any]:
    """Run ``canvas-archive`` with ``--json``; return its exit status and what it printed.

    Raises:
        FirstNightError: it printed no JSON.
    """
    ended = subprocess.run(
        [str(installed.programs / "canvas-archive"), *arguments, "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        return ended.returncode, json.loads(ended.stdout)
    except ValueError:
        raise FirstNightError(f"canvas-archive {' '.join(arguments)}: {ended.stderr}") from None


def run_first_night(installed: Environment, project: Path, print_line: Callable[[str], None]) -> None:
    """Go from an installed wheel to a proven night, in an empty folder.

    Raises:
        FirstNightError: a step did not do what the documentation says.
    """
    print_line("1/4  canvas-archive init, and check")
    run_command(installed, "init", str(project))
    status, checked = run_command(installed, "check", str(project / "include"))
    _require(status == 0, f"canvas-archive check: {checked}")
    terms = [Term(1, "Autumn", starts=-10, ends=10), Term(2, "Spring", starts=-300, ends=-200)]
    courses = [Course(id=101 + number, term_id=1) for number in range(COURSES)]
    with Sandbox(courses, terms=terms, switches=Switches(duration=1)) as canvas:
        airflow = StandaloneAirflow(installed, project)
        archive = (project / "archive").as_uri()
        try:
            print_line("2/4  airflow standalone")
            airflow.start()
            airflow.add_canvas(canvas.url, canvas.token)
            airflow.add_variable("canvas_archive", airflow.add_archive(archive, "campus_archive"))
            airflow.wait_for_dag(DAG_ID)
            print_line(f"3/4  {DAG_ID}")
            run_id = airflow.trigger(DAG_ID, {"stall_after": "PT2M"})
            state = airflow.wait_for_end(DAG_ID, run_id, _LONGEST)
            _require(state == "success", f"the run ended as {state}")
            print_line("4/4  canvas-archive doctor, and missing")
            status, found = airflow.command("doctor")
            _require(status == 0, f"canvas-archive doctor: {found}")
            status, found = airflow.command("missing", "--archive", archive)
            _require(status == 0 and found["good"] == COURSES, f"canvas-archive missing: {found}")
        finally:
            airflow.stop()


def _require(good: bool, problem: str) -> None:
    if not good:
        raise FirstNightError(problem)
