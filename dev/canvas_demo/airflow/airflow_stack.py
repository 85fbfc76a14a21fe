"""An Airflow in one folder: scheduler, triggerer, DAG processor, API server with the UI; SQLite, LocalExecutor."""

from __future__ import annotations

import base64
import os
import secrets
import sqlite3
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from canvas_demo.airflow.airflow_api import AirflowApi
from canvas_demo.processes.programs import Programs

PARALLELISM = 4
"""Number of concurrent tasks; SQLite allows one writer at a time."""
_WRITERS_WAIT = 60  # seconds that a writer waits for the others before it fails
# The API server waits less. It writes its audit log on its event loop, where another of its own requests may need a turn
# to release the database: then no request is answered until the wait has ended. That request fails, and others continue.
_API_WAITS = 10


_DATABASE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"


class AirflowStack(AirflowApi):
    """A real Airflow on the loopback interface, for demos and tests. Every user is an administrator.

    Args:
        home: its folder; database, logs and configuration are there and nowhere else.
        repository: the checkout whose ``dags/`` and ``plugins/`` it runs.
        port: of the UI and the API.
        settings: further environment variables; may name another database.
        programs: makes what starts its components, from a folder for logs and their environment.

    Attributes:
        environment: the variables of its processes.
    """

    def __init__(
        self,
        home: Path,
        repository: Path,
        port: int,
        settings: Mapping[str, str] | None = None,
        programs: Callable[[Path, Mapping[str, str]], Programs] = Programs,
    ) -> None:
        super().__init__(f"http://127.0.0.1:{port}")
        self.home = home
        self._port = port
        self.environment = self._environment(home, repository, port, settings or {})
        self._has_sqlite = self.environment[_DATABASE] == _database(home, _WRITERS_WAIT)
        self.programs = programs(home / "programs", self.environment)

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
            "AIRFLOW__CORE__PARALLELISM": str(PARALLELISM),
            "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
            "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
            "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(64),
            "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",  # run at any hour
            _DATABASE: _database(home, _WRITERS_WAIT),
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "10",
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            **settings,
        }

    def start(self) -> None:
        """Create the database, start every component, and wait until all report healthy.

        Raises:
            AirflowError: a component did not come up in time.
            ProgramDiedError: a component ended.
        """
        self.prepare()
        self.launch()

    def prepare(self) -> None:
        """Create or migrate the database. Raises `ProgramDiedError`."""
        self.programs.run("db-migrate", [sys.executable, "-m", "airflow", "db", "migrate"])
        if self._has_sqlite:
            with closing(sqlite3.connect(self.home / "airflow.db")) as database:
                # A property of the file: readers do not wait for writers.
                database.execute("PRAGMA journal_mode=WAL")

    def launch(self) -> None:
        """Start every component on an existing database, and wait until all report healthy."""
        airflow = [sys.executable, "-m", "airflow"]
        self.programs.start(
            "api-server",
            [*airflow, "api-server", "--host", "127.0.0.1", "--port", str(self._port)],
            {_DATABASE: _database(self.home, _API_WAITS)} if self._has_sqlite else None,
        )
        self.programs.start("scheduler", [*airflow, "scheduler", "--skip-serve-logs"])
        self.programs.start("dag-processor", [*airflow, "dag-processor"])
        self.programs.start("triggerer", [*airflow, "triggerer", "--skip-serve-logs"])
        self.wait_until_healthy()
        self.log_in()

    def stop(self) -> None:
        """Stop every component."""
        self.programs.stop()

    def check(self) -> None:
        """Raise `ProgramDiedError` if a component has ended."""
        self.programs.check()


def _database(home: Path, wait: int) -> str:
    return f"sqlite:///{home}/airflow.db?timeout={wait}"
