"""An Airflow spoken to over its REST API, as a person or a script would."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import requests

_PATIENCE = 300.0  # seconds a component or a DAG may take to come up on a busy machine
_SERVICES = ("metadatabase", "scheduler", "triggerer", "dag_processor")
_PAGE = 100
_ENDED = ("success", "failed")


class AirflowError(RuntimeError):
    """Airflow did not come up, or refused a request.

    Attributes:
        status: of its refusal; ``None`` if it never answered.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class AirflowApi:
    """Airflow's REST API for a caller whom everything is allowed.

    Args:
        url: where the API server answers, without ``/api``.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = requests.Session()
        self._http.trust_env = False

    def check(self) -> None:
        """Raise if there is no more to wait for; called while waiting."""

    def log_in(self) -> None:
        """Fetch the token that every request carries from now on.

        Raises:
            AirflowError: there is none.
        """
        answer = self._http.get(f"{self.url}/auth/token", timeout=30)
        if not answer.ok:
            raise AirflowError(f"the login: {answer.status_code} {answer.text[:500]}", answer.status_code)
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def api(self, method: str, path: str, body: Mapping[str, Any] | None = None, **query: Any) -> Any:
        """Call Airflow's REST API.

        Raises:
            AirflowError: it refused; with its own words.
        """
        answer = self._http.request(method, f"{self.url}/api/v2{path}", json=body, params=query, timeout=60)
        if not answer.ok:
            text = f"{method} {path}: {answer.status_code} {answer.text[:500]}"
            raise AirflowError(text, answer.status_code)
        return answer.json() if answer.content else None

    def wait_until_healthy(self, patience: float = _PATIENCE) -> None:
        """Wait until the database and one of each component report healthy.

        Raises:
            AirflowError: not within ``patience`` seconds.
        """
        deadline = time.monotonic() + patience
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
        raise AirflowError(f"Airflow did not come up within {patience:.0f} s: {health or 'no answer'}")

    def wait_for_dag(self, dag_id: str, patience: float = _PATIENCE) -> None:
        """Wait until a DAG has been parsed.

        Raises:
            AirflowError: it does not appear; with Airflow's import errors.
        """
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            self.check()
            found = self.api("GET", "/dags", dag_id_pattern=dag_id)["dags"]
            if any(dag["dag_id"] == dag_id for dag in found):
                return
            time.sleep(1)
        errors = [error["stack_trace"] for error in self.api("GET", "/importErrors")["import_errors"]]
        raise AirflowError(f"DAG {dag_id} did not appear. Import errors: {errors}")

    def add_canvas(self, url: str, token: str, connection_id: str = "canvas_default") -> None:
        """Enter a Canvas connection."""
        self.api(
            "POST",
            "/connections",
            {"connection_id": connection_id, "conn_type": "canvas", "host": url, "password": token},
        )

    def add_archive(self, uri: str, connection_id: str = "canvas_demo_archive") -> str:
        """Enter an archive under a name, which is returned: forms take nothing else."""
        body = {"connection_id": connection_id, "conn_type": "canvas_archive", "host": uri}
        self.api("POST", "/connections", body)
        return connection_id

    def add_variable(self, key: str, value: str) -> None:
        """Enter an Airflow Variable, such as ``canvas_archive``."""
        self.api("POST", "/variables", {"key": key, "value": value})

    def trigger(self, dag_id: str, conf: Mapping[str, Any] | None = None, run_id: str | None = None) -> str:
        """Unpause a DAG and run it now, under a name of its own choosing unless it is given; returns the run id."""
        self.api("PATCH", f"/dags/{dag_id}", {"is_paused": False})
        body: dict[str, Any] = {"logical_date": None, "conf": dict(conf or {})}
        if run_id is not None:
            body["dag_run_id"] = run_id
        return str(self.api("POST", f"/dags/{dag_id}/dagRuns", body)["dag_run_id"])

    def run_state(self, dag_id: str, run_id: str) -> str:
        """The state of a DAG run."""
        return str(self.api("GET", f"/dags/{dag_id}/dagRuns/{run_id}")["state"])

    def wait_for_end(self, dag_id: str, run_id: str, patience: float) -> str:
        """Wait until a run has ended; returns its state.

        Raises:
            AirflowError: not within ``patience`` seconds; with the states of its tasks.
        """
        deadline = time.monotonic() + patience
        while (state := self.run_state(dag_id, run_id)) not in _ENDED:
            self.check()
            if time.monotonic() > deadline:
                rows = self.task_instances(dag_id, run_id)
                tasks = [(row["task_id"], row["map_index"], row["try_number"], row["state"]) for row in rows]
                raise AirflowError(f"{run_id} is still {state} after {patience:.0f} s: {tasks}")
            time.sleep(0.5)
        return state

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Every task instance of a run, mapped ones one by one."""
        found: list[dict[str, Any]] = []
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances"
        while True:
            page = self.api("GET", path, limit=_PAGE, offset=len(found))
            found += page["task_instances"]
            if len(found) >= page["total_entries"] or not page["task_instances"]:
                return found

    def state_store(self, dag_id: str, run_id: str, task_id: str, map_index: int, key: str) -> Any:
        """A value that a task keeps in Airflow's task state store; ``None`` if it has none yet."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/state-store"
        entries = self.api("GET", path, map_index=map_index)["task_state_store"]
        return next((entry["value"] for entry in entries if entry["key"] == key), None)

    def log(self, dag_id: str, run_id: str, task_id: str, try_number: int, map_index: int = -1) -> str:
        """The log of one attempt of a task, as the UI shows it."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{try_number}"
        content = self.api("GET", path, map_index=map_index, full_content=True)["content"]
        return "\n".join(line if isinstance(line, str) else str(line.get("event", line)) for line in content)

    def clear(self, dag_id: str, run_id: str, *task_ids: str) -> None:
        """Clear tasks of a run and what comes after them, as a person would; without names, all of them."""
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
        """Mark a task ``failed`` or ``success`` as a person would."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}"
        if map_index >= 0:
            path += f"/{map_index}"
        self.api("PATCH", path, {"new_state": state})
