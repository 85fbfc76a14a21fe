"""The demo's Airflow: every component is restarted when it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import requests

from canvas_demo.airflow.airflow_api import AirflowError
from canvas_demo.airflow.airflow_stack import PARALLELISM, AirflowStack
from canvas_demo.processes.supervisor import Pool, SupervisedPrograms
from canvas_demo.state import DemoState

_Result = TypeVar("_Result")
_TIMEOUT = 300.0  # seconds that the API server may be away: it starts slowly on a busy machine
_EXISTS, _BROKEN = 409, 500
#: Airflow takes minutes to notice that a component is dead; these settings make it seconds.
_QUICK = {
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "15",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
    "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "15",
    "AIRFLOW__WORKERS__EXECUTION_API_RETRIES": "8",
}
#: Of the page *Canvas archive*. In the demo everybody is an administrator, and reads the contents of packages.
_PAGE = {
    "AIRFLOW__CANVAS_EXPORTS__ARCHIVES": "canvas_demo_archive",
    "AIRFLOW__CANVAS_EXPORTS__CONTENT_ROLES": "ADMIN",
    "AIRFLOW__CANVAS_EXPORTS__CACHE_SECONDS": "20",
}
#: The LocalExecutor's processes fetch their tasks from a queue under one lock.
_POOLS = {"scheduler": Pool(b"Worker starting up", PARALLELISM)}


class SupervisedAirflow(AirflowStack):
    """An Airflow whose components are restarted, and which continues with the database of an earlier start.

    Args:
        home: its folder.
        repository: the checkout whose DAGs it runs.
        demo: the state of the demo.
        print_line: prints a text.
    """

    def __init__(
        self, home: Path, repository: Path, demo: DemoState, print_line: Callable[[str], None]
    ) -> None:
        programs = partial(SupervisedPrograms, print_line=print_line, pools=_POOLS)
        super().__init__(home, repository, demo.ui_port, {**_QUICK, **_PAGE, **demo.secrets}, programs)

    def api(self, method: str, path: str, body: Mapping[str, Any] | None = None, **query: Any) -> Any:
        """Call Airflow's REST API, and retry without a response or after a server error.

        Raises:
            AirflowError: Airflow refused, or did not respond for five minutes.
            ProgramDiedError: a component ends whenever it is started.
        """
        return self._with_retries(
            f"{method} {path}", lambda: super(SupervisedAirflow, self).api(method, path, body, **query)
        )

    def log_in(self) -> None:
        """Fetch the token, with the retries of `api`."""
        self._with_retries("the login", super().log_in)

    def _with_retries(self, what: str, request: Callable[[], _Result]) -> _Result:
        deadline = time.monotonic() + _TIMEOUT
        while True:
            try:
                return request()
            except AirflowError as error:
                if (error.status or 0) < _BROKEN or time.monotonic() > deadline:
                    raise
            except requests.RequestException as error:
                if time.monotonic() > deadline:
                    raise AirflowError(f"{what}: no answer for {_TIMEOUT:.0f} s") from error
            self.check()
            time.sleep(0.5)

    def add_canvas(self, url: str, token: str, connection_id: str = "canvas_default") -> None:
        """Add a Canvas connection, unless it exists."""
        _unless_there(lambda: super(SupervisedAirflow, self).add_canvas(url, token, connection_id))

    def add_archive(self, uri: str, connection_id: str = "canvas_demo_archive") -> str:
        """Add a connection of an archive, unless it exists."""
        _unless_there(lambda: super(SupervisedAirflow, self).add_archive(uri, connection_id))
        return connection_id

    def add_variable(self, key: str, value: str) -> None:
        """Add an Airflow Variable, unless it exists."""
        _unless_there(lambda: super(SupervisedAirflow, self).add_variable(key, value))

    def trigger_once(self, dag_id: str, conf: Mapping[str, Any], run_id: str) -> None:
        """Unpause a DAG and run it now, unless that run exists."""
        _unless_there(lambda: self.trigger(dag_id, conf, run_id))


def _unless_there(make: Callable[[], object]) -> None:
    """Make a request, and accept that an earlier one has already succeeded."""
    try:
        make()
    except AirflowError as error:
        if error.status != _EXISTS:
            raise
