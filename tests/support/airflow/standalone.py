"""`airflow standalone` of another environment."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

from canvas_demo.airflow.airflow_stack import AirflowStack
from canvas_demo.processes.ports import any_free


class Standalone(AirflowStack):
    """An Airflow as `airflow standalone` starts it, with the programs of an environment.

    Args:
        home: its folder.
        project: what `canvas-archive init` wrote.
        python: of the environment.
    """

    def __init__(self, home: Path, project: Path, python: Path) -> None:
        port = any_free()
        settings = {
            "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
            # One for all components, also the API server, whose requests must not wait long for the others.
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db?timeout=10",
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(any_free()),
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(any_free()),
        }
        super().__init__(home, project, port, settings)
        self._airflow = str(python.parent / "airflow")
        self._command = str(python.parent / "canvas-archive")

    def prepare(self) -> None:
        """Do nothing: it creates its database itself."""

    def launch(self) -> None:
        """Start it, and wait until all components report healthy."""
        self.programs.start("standalone", [self._airflow, "standalone"])
        self.wait_until_healthy()
        self.log_in()

    def consult_doctor(self, timeout: float = 120.0) -> list[dict[str, Any]]:
        """Run `canvas-archive doctor` and return its facts; again, for up to ``timeout`` seconds, while it finds a problem.

        On a busy machine, a component may miss a heartbeat.
        """
        deadline = time.monotonic() + timeout
        while True:
            ended = subprocess.run(
                [self._command, "doctor", "--json"],
                env=self.environment,
                capture_output=True,
                text=True,
                check=False,
            )
            facts: list[dict[str, Any]] = json.loads(ended.stdout)["facts"]
            if ended.returncode == 0 or time.monotonic() > deadline:
                return facts
