"""A client of Airflow's REST API."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import requests

_TIMEOUT = 300.0  # seconds a component or a DAG may take to come up on a busy machine
_SERVICES = ("metadatabase", "scheduler", "triggerer", "dag_processor")
_PAGE = 100
_ENDED = ("success", "failed")


class AirflowError(RuntimeError):
    """Airflow did not come up, or refused a request.

    Attributes:
        status: of the response; ``None`` without one.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class AirflowApi:
    """A client of Airflow's REST API with all permissions.

    Args:
        url: base URL of the API server, without ``/api``.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = requests.Session()
        self._http.trust_env = False

    def check(self) -> None:
        """Raise if Airflow cannot come up any more. Every wait calls it."""

    def log_in(self) -> None:
        """Fetch the token for all further requests.

        Raises:
            AirflowError: Airflow refused.
        """
        answer = self._http.get(f"{self.url}/auth/token", timeout=30)
        if not answer.ok:
            raise AirflowError(f"the login: {answer.status_code} {answer.text[:500]}", answer.status_code)
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def api(self, method: str, path: str, body: Mapping[str, Any] | None = None, **query: Any) -> Any:
        """Call Airflow's REST API.

        Raises:
            AirflowError: Airflow refused; with its message.
        """
        answer = self._http.request(method, f"{self.url}/api/v2{path}", json=body, params=query, timeout=60)
        if not answer.ok:
            text = f"{method} {path}: {answer.status_code} {answer.text[:500]}"
            raise AirflowError(text, answer.status_code)
        return answer.json() if answer.content else None

    def wait_until_healthy(self, timeout: float = _TIMEOUT) -> None:
        """Wait until the database and one of each component report healthy.

        Raises:
            AirflowError: not within ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        health: dict[str, Any] = {}
        while time.monotonic() < deadline:
            self.check()
            try:
                health = self._http.get(f"{self.url}/api/v2/monitor/health", timeout=5).json()
            except (requests.RequestException, ValueError):
                health = {}
            if all((health.get(service) or {}).get("status") == "healthy" for service in _SERVICES):
                return
            time.sleep(0.5)
        raise AirflowError(f"Airflow did not come up within {timeout:.0f} s: {health or 'no answer'}")

    def wait_for_dag(self, dag_id: str, timeout: float = _TIMEOUT) -> None:
        """Wait until a DAG has been parsed.

        Raises:
            AirflowError: not within ``timeout`` seconds; with Airflow's import errors.
        """
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            self.check()
            found = self.api("GET", "/dags", dag_id_pattern=dag_id)["dags"]
            if any(dag["dag_id"] == dag_id for dag in found):
                return
            time.sleep(1)
        errors = [error["stack_trace"] for error in self.api("GET", "/importErrors")["import_errors"]]
        raise AirflowError(f"DAG {dag_id} did not appear. Import errors: {errors}")

    def add_canvas(self, url: str, token: str, connection_id: str = "canvas_default") -> None:
        """Add a Canvas connection."""
        self.api(
            "POST",
            "/connections",
            {"connection_id": connection_id, "conn_type": "canvas", "host": url, "password": token},
        )

    def add_archive(self, uri: str, connection_id: str = "canvas_demo_archive") -> str:
        """Add a connection of an archive and return its id."""
        body = {"connection_id": connection_id, "conn_type": "canvas_archive", "host": uri}
        self.api("POST", "/connections", body)
        return connection_id

    def add_variable(self, key: str, value: str) -> None:
        """Add an Airflow Variable, such as ``canvas_archive``."""
        self.api("POST", "/variables", {"key": key, "value": value})

    def trigger(self, dag_id: str, conf: Mapping[str, Any] | None = None, run_id: str | None = None) -> str:
        """Unpause a DAG and run it now. Returns the run id."""
        self.api("PATCH", f"/dags/{dag_id}", {"is_paused": False})
        body: dict[str, Any] = {"logical_date": None, "conf": dict(conf or {})}
        if run_id is not None:
            body["dag_run_id"] = run_id
        return str(self.api("POST", f"/dags/{dag_id}/dagRuns", body)["dag_run_id"])

    def run_state(self, dag_id: str, run_id: str) -> str:
        """Return the state of a DAG run."""
        return str(self.api("GET", f"/dags/{dag_id}/dagRuns/{run_id}")["state"])

    def wait_for_end(self, dag_id: str, run_id: str, timeout: float) -> str:
        """Wait until a run has ended and return its state.

        Raises:
            AirflowError: not within ``timeout`` seconds; with the states of its tasks.
        """
        deadline = time.monotonic() + timeout
        while (state := self.run_state(dag_id, run_id)) not in _ENDED:
            self.check()
            if time.monotonic() > deadline:
                rows = self.task_instances(dag_id, run_id)
                tasks = [(row["task_id"], row["map_index"], row["try_number"], row["state"]) for row in rows]
                raise AirflowError(f"{run_id} is still {state} after {timeout:.0f} s: {tasks}")
            time.sleep(0.5)
        return state

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Return every task instance of a run, mapped ones one by one."""
        found: list[dict[str, Any]] = []
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances"
        while True:
            page = self.api("GET", path, limit=_PAGE, offset=len(found))
            found += page["task_instances"]
            if len(found) >= page["total_entries"] or not page["task_instances"]:
                return found

    def state_store(self, dag_id: str, run_id: str, task_id: str, map_index: int, key: str) -> Any:
        """Return a value of a task in Airflow's task state store; ``None`` if it has none yet."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/state-store"
        entries = self.api("GET", path, map_index=map_index)["task_state_store"]
        return next((entry["value"] for entry in entries if entry["key"] == key), None)

    def log(self, dag_id: str, run_id: str, task_id: str, try_number: int, map_index: int = -1) -> str:
        """Return the log of one try of a task, as the UI shows it."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{try_number}"
        content = self.api("GET", path, map_index=map_index, full_content=True)["content"]
        return "\n".join(line if isinstance(line, str) else str(line.get("event", line)) for line in content)

    def clear(self, dag_id: str, run_id: str, *task_ids: str) -> None:
        """Clear tasks of a run and everything downstream; without names, all of them."""
        body: dict[str, Any] = {
            "dry_run": False,
            "dag_run_id": run_id,
            "only_failed": False,
            "include_downstream": True,
            "reset_dag_runs": True,
        }
        if task_ids:
            body["task_ids"] = list(task_ids)
        self.api("POST", f"/dags/{dag_id}/clearTaskInstances", body)

    def mark(self, dag_id: str, run_id: str, task_id: str, state: str, map_index: int = -1) -> None:
        """Mark a task ``failed`` or ``success``."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}"
        if map_index >= 0:
            path += f"/{map_index}"
        self.api("PATCH", path, {"new_state": state})
