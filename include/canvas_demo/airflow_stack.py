"""A whole Airflow in one folder: scheduler, triggerer, DAG processor, API server with the UI; SQLite, LocalExecutor."""

from __future__ import annotations

import base64
import os
import secrets
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests

from canvas_demo.processes import Programs

_START = 120.0  # seconds a component may take to come up
_SERVICES = ("metadatabase", "scheduler", "triggerer", "dag_processor")


class AirflowError(RuntimeError):
    """Airflow did not come up, or refused a request."""


class AirflowStack:
    """A real Airflow on the loopback interface, everybody an administrator, for demonstrations and tests.

    Args:
        home: its folder; database, logs and configuration live there and nowhere else.
        repository: the checkout whose ``dags/`` and ``plugins/`` it runs.
        port: of the UI and the API.
        settings: further environment variables.
    """

    def __init__(
        self, home: Path, repository: Path, port: int, settings: Mapping[str, str] | None = None
    ) -> None:
        self.home = home
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        self.programs = Programs(home / "programs", self._environment(home, repository, port, settings or {}))
        self._http = requests.Session()
        self._http.trust_env = False

    @staticmethod
    def _environment(home: Path, repository: Path, port: int, settings: Mapping[str, str]) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH"):
            inherited.pop(name, None)
        return {
            **inherited,
            "NO_PROXY": "127.0.0.1,localhost",
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(repository / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(repository / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",  # SQLite allows one writer at a time
            "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
            "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
            "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(64),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "10",
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            **settings,
        }

    def start(self) -> None:
        """Make the database, start every component, and wait until all report healthy.

        Raises:
            AirflowError: a component did not come up in time.
            ProgramDiedError: one ended.
        """
        airflow = [sys.executable, "-m", "airflow"]
        self.programs.run("db-migrate", [*airflow, "db", "migrate"])
        self.programs.start(
            "api-server", [*airflow, "api-server", "--host", "127.0.0.1", "--port", str(self._port)]
        )
        self.programs.start("scheduler", [*airflow, "scheduler", "--skip-serve-logs"])
        self.programs.start("dag-processor", [*airflow, "dag-processor"])
        self.programs.start("triggerer", [*airflow, "triggerer", "--skip-serve-logs"])
        self._wait_until_healthy()
        token = self._http.get(f"{self.url}/auth/token", timeout=30).json()["access_token"]
        self._http.headers["Authorization"] = f"Bearer {token}"

    def stop(self) -> None:
        """Stop every component."""
        self.programs.stop()

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + _START
        health: dict[str, Any] = {}
        while time.monotonic() < deadline:
            self.programs.check()
            try:
                health = self._http.get(f"{self.url}/api/v2/monitor/health", timeout=5).json()
            except (requests.RequestException, ValueError):
                health = {}
            if all((health.get(service) or {}).get("status") == "healthy" for service in _SERVICES):
                return
            time.sleep(0.5)
        raise AirflowError(f"Airflow did not come up within {_START:.0f} s: {health or 'no answer'}")

    def api(self, method: str, path: str, body: Mapping[str, Any] | None = None, **query: Any) -> Any:
        """Call Airflow's REST API.

        Raises:
            AirflowError: it refused; with its own words.
        """
        answer = self._http.request(method, f"{self.url}/api/v2{path}", json=body, params=query, timeout=60)
        if not answer.ok:
            raise AirflowError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json() if answer.content else None

    def wait_for_dag(self, dag_id: str) -> None:
        """Wait until a DAG has been parsed.

        Raises:
            AirflowError: it does not appear; with Airflow's import errors.
        """
        deadline = time.monotonic() + _START
        while time.monotonic() < deadline:
            self.programs.check()
            found = self.api("GET", "/dags", dag_id_pattern=dag_id)["dags"]
            if any(dag["dag_id"] == dag_id for dag in found):
                return
            time.sleep(1)
        errors = [error["stack_trace"] for error in self.api("GET", "/importErrors")["import_errors"]]
        raise AirflowError(f"DAG {dag_id} did not appear. Import errors: {errors}")

    def trigger(self, dag_id: str, conf: Mapping[str, Any] | None = None) -> str:
        """Unpause a DAG and run it now; returns the run id."""
        self.api("PATCH", f"/dags/{dag_id}", {"is_paused": False})
        run = self.api("POST", f"/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": dict(conf or {})})
        return str(run["dag_run_id"])

    def run_state(self, dag_id: str, run_id: str) -> str:
        """The state of a DAG run."""
        return str(self.api("GET", f"/dags/{dag_id}/dagRuns/{run_id}")["state"])

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Every task instance of a run, mapped ones one by one."""
        found: list[dict[str, Any]] = self.api(
            "GET", f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances", limit=100
        )["task_instances"]
        return found

    def state_store(self, dag_id: str, run_id: str, task_id: str, map_index: int, key: str) -> Any:
        """A value that a task keeps in Airflow's task state store; ``None`` if it has none yet."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/state-store"
        entries = self.api("GET", path, map_index=map_index)["task_state_store"]
        return next((entry["value"] for entry in entries if entry["key"] == key), None)
