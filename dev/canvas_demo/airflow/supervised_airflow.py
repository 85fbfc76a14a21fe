"""The demo's Airflow: whichever of its processes somebody kills, it goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import requests

from canvas_demo.airflow.airflow_api import AirflowError
from canvas_demo.airflow.airflow_stack import PARALLELISM, AirflowStack
from canvas_demo.processes.supervisor import Pool, TendedPrograms
from canvas_demo.state import Kept

_Answer = TypeVar("_Answer")
_PATIENCE = 300.0  # seconds that the API server may be away: it starts slowly on a busy machine
_EXISTS, _BROKEN = 409, 500
#: Airflow takes minutes to believe that a component is dead; somebody who watches wants it to take seconds.
_QUICK = {
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "15",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
    "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "15",
    "AIRFLOW__WORKERS__EXECUTION_API_RETRIES": "8",
}
#: The LocalExecutor's processes fetch their tasks from a queue under one lock.
_POOLS = {"scheduler": Pool(b"Worker starting up", PARALLELISM)}


class TendedAirflow(AirflowStack):
    """An Airflow whose components are started again when they end, and that goes on from an earlier one's database.

    Args:
        home: its folder.
        repository: the checkout whose DAGs it runs.
        kept: what it has in common with the one before it.
        say: tells the person.
    """

    def __init__(self, home: Path, repository: Path, kept: Kept, say: Callable[[str], None]) -> None:
        programs = partial(TendedPrograms, say=say, pools=_POOLS)
        super().__init__(home, repository, kept.ui_port, {**_QUICK, **kept.secrets}, programs)

    def api(self, method: str, path: str, body: Mapping[str, Any] | None = None, **query: Any) -> Any:
        """Call Airflow's REST API, again and again while nobody answers, or nothing but a failure of its own.

        Raises:
            AirflowError: it refused, or nobody answered for five minutes.
            ProgramDiedError: a component ends whenever it is started.
        """
        return self._patiently(
            f"{method} {path}", lambda: super(TendedAirflow, self).api(method, path, body, **query)
        )

    def log_in(self) -> None:
        """Fetch the token; as patient as `api`."""
        self._patiently("the login", super().log_in)

    def _patiently(self, what: str, ask: Callable[[], _Answer]) -> _Answer:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                return ask()
            except AirflowError as error:
                if (error.status or 0) < _BROKEN or time.monotonic() > deadline:
                    raise
            except requests.RequestException as error:
                if time.monotonic() > deadline:
                    raise AirflowError(f"{what}: no answer for {_PATIENCE:.0f} s") from error
            self.check()
            time.sleep(0.5)

    def add_canvas(self, url: str, token: str, connection_id: str = "canvas_default") -> None:
        """Enter a Canvas connection, unless it is there."""
        _unless_there(lambda: super(TendedAirflow, self).add_canvas(url, token, connection_id))

    def add_archive(self, uri: str, connection_id: str = "canvas_demo_archive") -> str:
        """Enter an archive under a name, unless it is there."""
        _unless_there(lambda: super(TendedAirflow, self).add_archive(uri, connection_id))
        return connection_id

    def add_variable(self, key: str, value: str) -> None:
        """Enter an Airflow Variable, unless it is there."""
        _unless_there(lambda: super(TendedAirflow, self).add_variable(key, value))

    def trigger_once(self, dag_id: str, conf: Mapping[str, Any], run_id: str) -> None:
        """Unpause a DAG and run it now, unless that run is there."""
        _unless_there(lambda: self.trigger(dag_id, conf, run_id))


def _unless_there(make: Callable[[], object]) -> None:
    """Make what an earlier life of the demo may have made, or a request whose answer was lost."""
    try:
        make()
    except AirflowError as error:
        if error.status != _EXISTS:
            raise
