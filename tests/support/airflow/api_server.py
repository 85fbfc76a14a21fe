"""Start an API server of Airflow with one user, and no other component."""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import requests

from canvas_demo.processes.ports import any_free
from canvas_demo.processes.programs import Programs

REPOSITORY = Path(__file__).parents[3]
_PATIENCE = 180.0  # seconds for the API server to start


class ApiServer:
    """An API server. Programs that prepare its database run in its environment before.

    Args:
        home: an empty folder.
        dags: the folder of DAG files.
        user: its name.
        role: of the user.
        others: further users, with their roles.
        path: before all of Airflow's, such as ``/team/airflow``.
        settings: further environment variables.

    Attributes:
        url: of the server, without a slash at the end.
        programs: starts programs in the environment of the server.
    """

    def __init__(
        self,
        home: Path,
        dags: Path,
        *,
        user: str,
        role: str,
        others: Mapping[str, str] | None = None,
        path: str = "",
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._port = any_free()
        self.url = f"http://127.0.0.1:{self._port}{path}"
        self._user = user
        users = {user: role, **(others or {})}
        passwords = home / "passwords.json"
        passwords.write_text(json.dumps(dict.fromkeys(users, "secret")))
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
            "NO_PROXY": "127.0.0.1",
            "PYTHONPATH": str(REPOSITORY),
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(
                f"{name}:{has}" for name, has in users.items()
            ),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(64),
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            **(settings or {}),
        }
        self.programs = Programs(home / "programs", environment)

    def start(self) -> str:
        """Start the server on the database that is there. Returns a token of its user."""
        port = str(self._port)
        command = [sys.executable, "-m", "airflow", "api-server", "--host", "127.0.0.1", "--port", port]
        self.programs.start("api-server", command)
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            self.programs.check()
            try:
                return self.token(self._user)
            except (requests.RequestException, ValueError):
                time.sleep(0.3)
        raise TimeoutError("the API server did not start")

    def token(self, user: str) -> str:
        """Return a token of one of the users. The server has started."""
        body = {"username": user, "password": "secret"}
        response = requests.post(f"{self.url}/auth/token", json=body, timeout=10)
        return str(response.json()["access_token"])

    def __enter__(self) -> ApiServer:  # noqa: PYI034 - Self is in Python 3.11
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop all that was started."""
        self.programs.stop()
