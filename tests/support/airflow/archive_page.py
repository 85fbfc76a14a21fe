"""An API server that shows an archive with a history, a browser, and users with every kind of right."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from playwright.sync_api import Browser, BrowserContext, sync_playwright
from tests.support.airflow.api_server import REPOSITORY, ApiServer
from tests.support.archives.history import History, lay_history
from tests.support.reports.chromium import CHROMIUM

from canvas_exports.core.archive.search.update_index import update_search_index
from canvas_exports.core.storage.open_store import open_store

#: Users by name, with their roles: the last may read contents.
USERS = {"vera": "viewer", "uma": "user", "ada": "admin", "otto": "op"}
CONTENT_ROLE = "op"
#: The name of the archive, and of its connection.
ARCHIVE = "campus"


@dataclass(frozen=True)
class ArchiveAirflow:
    """The server.

    Attributes:
        url: of Airflow's UI, with a path.
        tokens: of its users.
        folder: of the archive.
        history: what it holds.
        home: of the server.
    """

    url: str
    tokens: dict[str, str]
    folder: Path
    history: History
    home: Path

    def page(self, *path: str) -> str:
        return "/".join((self.url, "canvas_archive", *path))

    def get(
        self, address: str, user: str | None = "vera", *, html: bool = True, method: str = "GET", **more: str
    ) -> requests.Response:
        headers = {"Accept": "text/html" if html else "*/*", **more}
        if user is not None:
            headers["Authorization"] = f"Bearer {self.tokens.get(user, user)}"
        return requests.request(method, address, headers=headers, timeout=60, allow_redirects=False)

    def window(
        self,
        browser: Browser,
        user: str,
        *,
        width: int = 1280,
        dark: bool | None = None,
        theme: str | None = None,
        scripts: bool = True,
    ) -> BrowserContext:
        """A window of the browser in which a user is logged in.

        Args:
            browser: that opens it.
            user: its name.
            width: of the window.
            dark: what the browser says that the person prefers; by default it says nothing.
            theme: of Airflow.
            scripts: whether it runs scripts.
        """
        context = browser.new_context(
            java_script_enabled=scripts,
            viewport={"width": width, "height": 900},
            color_scheme="null" if dark is None else "dark" if dark else "light",
        )
        context.set_default_timeout(30_000)
        context.add_cookies([{"name": "_token", "value": self.tokens[user], "url": self.url}])
        if theme is not None:
            context.add_init_script(f"localStorage.setItem('theme', {json.dumps(theme)})")
        return context

    def audit(self, event: str) -> list[dict[str, str]]:
        """The entries of an event in Airflow's audit log, oldest first: who, and the details."""
        answer = self.get(
            f"{self.url}/api/v2/eventLogs?event={event}&order_by=id&limit=100", "ada", html=False
        )
        return [{"user": each["owner"], **json.loads(each["extra"])} for each in answer.json()["event_logs"]]


@contextmanager
def archive_airflow(home: Path, *, path: str = "/team/airflow") -> Iterator[ArchiveAirflow]:
    """Start it on the DAG files of this checkout.

    Args:
        home: an empty folder.
        path: before Airflow's own.
    """
    folder = home / "archive"
    folder.mkdir()
    with open_store(folder.as_uri()) as store:
        history = lay_history(store)
        update_search_index(store)
    (first, role), *others = USERS.items()
    settings = {
        "AIRFLOW__CANVAS_EXPORTS__ARCHIVES": f"{ARCHIVE}, lost = missing_connection",
        "AIRFLOW__CANVAS_EXPORTS__CONTENT_ROLES": CONTENT_ROLE,
        "AIRFLOW__CANVAS_EXPORTS__CACHE_SECONDS": "10",
        f"AIRFLOW_CONN_{ARCHIVE.upper()}": json.dumps(
            {"conn_type": "canvas_archive", "host": folder.as_uri()}
        ),
    }
    server_home = home / "airflow"
    server_home.mkdir()
    with ApiServer(
        server_home,
        REPOSITORY / "dags",
        user=first,
        role=role,
        others=dict(others),
        path=path,
        settings=settings,
    ) as server:
        for name, command in (("migrate", ["db", "migrate"]), ("read", ["dags", "reserialize"])):
            server.programs.run(name, [sys.executable, "-m", "airflow", *command])
        server.start()
        tokens = {user: server.token(user) for user in USERS}
        yield ArchiveAirflow(server.url, tokens, folder, history, server_home)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()
