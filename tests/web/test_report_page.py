"""The page of a run in a real Airflow: shown to whoever may see the run, to nobody else, with no power over Airflow."""

from __future__ import annotations

import importlib
import re
import secrets
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest
import requests
from fastapi.routing import APIRoute
from playwright.sync_api import BrowserContext, sync_playwright
from tests.support.airflow.api_server import ApiServer
from tests.support.exports.batch_reports import batch
from tests.support.reports.chromium import CHROMIUM

from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.operators.task_support.report_xcom import MOST_CARRIED, pack, page_url, unpack

pytestmark = pytest.mark.stack

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Airflow:
    """An API server with runs to show, and somebody who may see them.

    Attributes:
        url: of its UI.
        token: of a viewer.
        archive: where the run ``told`` wrote its report.
        runs: run ids by DAG.
    """

    url: str
    token: str
    archive: Path
    runs: dict[str, str]

    def page(self, dag_id: str, task_id: str, run_id: str | None = None) -> str:
        return page_url(self.url, dag_id=dag_id, run_id=run_id or self.runs[dag_id], task_id=task_id)

    def get(self, address: str, *, token: str | None = "", accept: str = "*/*") -> requests.Response:
        headers = {"Accept": accept}
        if token is not None:
            headers["Authorization"] = f"Bearer {token or self.token}"
        return requests.get(address, headers=headers, timeout=30, allow_redirects=False)


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    home = tmp_path_factory.mktemp("airflow")
    archive = tmp_path_factory.mktemp("archive")
    batch(archive, 0, c1=Outcome.STORED, c2=Outcome.GONE)
    with ApiServer(home, home / "dags", user="vera", role="viewer") as server:
        make = REPOSITORY / "tests" / "support" / "airflow" / "airflow_with_runs.py"
        server.programs.run("runs", [sys.executable, str(make), archive.as_uri(), str(home / "dags")])
        log = (home / "programs" / "runs.log").read_text()
        runs = dict(re.findall(r"^RUN (\w+) (\S+) success$", log, re.MULTILINE))
        yield Airflow(server.url, server.start(), archive, runs)


def test_users_who_may_see_the_run_see_the_page_as_it_is_in_the_archive(airflow: Airflow) -> None:
    answer = airflow.get(airflow.page("told", "report"))
    assert answer.status_code == 200
    (stored,) = airflow.archive.glob("runs/*/told/*/report.html")
    assert answer.content == stored.read_bytes()


def run_tab(airflow: Airflow, dag_id: str, run_id: str | None = None) -> str:
    return f"{airflow.url}/canvas_exports/dags/{dag_id}/runs/{quote(run_id or airflow.runs[dag_id], safe='')}"


def test_the_tab_of_the_run_leads_to_it(airflow: Airflow) -> None:
    answer = airflow.get(run_tab(airflow, "told"))
    assert answer.status_code == 307
    assert airflow.page("told", "report").endswith(answer.headers["location"])


def test_a_run_without_a_report_has_a_sentence_in_its_tab(airflow: Airflow) -> None:
    for run_id in ("another_run", "\0", "x" * 3_000):
        answer = airflow.get(run_tab(airflow, "told", run_id))
        assert answer.status_code == 200
        assert "has no run report" in answer.text
    assert airflow.get(run_tab(airflow, "told"), token=None).status_code == 401


def test_nobody_else_sees_it(airflow: Airflow) -> None:
    answer = airflow.get(airflow.page("told", "report"), token=None)
    assert answer.status_code == 401
    assert b"course" not in answer.content
    assert airflow.get(airflow.page("told", "report"), token="wrong").status_code in (401, 403)


def test_a_browser_that_is_not_logged_in_is_led_to_the_login_and_back(airflow: Airflow) -> None:
    address = airflow.page("told", "report")
    answer = airflow.get(address, token=None, accept="text/html,*/*")
    assert answer.status_code == 307
    assert answer.headers["location"].startswith("/api/v2/auth/login?")
    assert "+" in airflow.runs["told"]
    assert "+" not in back_to(answer), "Airflow 3.1 hands it on as it is, and a + there is a space"
    assert unquote(back_to(answer)) == unquote(address.removeprefix(airflow.url))
    login = airflow.get(f"{airflow.url}{answer.headers['location']}", token=None)
    assert login.headers["location"].startswith("/auth/login?")
    assert unquote(back_to(login)) == unquote(back_to(answer))


def back_to(answer: requests.Response) -> str:
    (address,) = parse_qs(urlsplit(answer.headers["location"]).query)["next"]
    return address


def test_every_route_asks_who_is_there(airflow: Airflow) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Airflow's own
        app = importlib.import_module("canvas_exports.web.report_page").app
    routes = [route for route in app.routes if isinstance(route, APIRoute)]
    assert len(routes) == len(app.routes) == 2, "no document, no schema, no static file beside it"
    for path in ("/", "/docs", "/openapi.json", "/redoc", "/dags"):
        assert airflow.get(f"{airflow.url}/canvas_exports{path}", token=None).status_code in (401, 404)


@pytest.mark.parametrize(
    "wanted",
    [
        ("told", "another_task", None),
        ("told", "report", "another_run"),
        ("another_dag", "report", "run"),
        ("~", "~", "~"),
        ("untold", "garbled", None),
        ("told", "report", "../../courses/1/a.imscc"),
        ("told", "../report", None),
    ],
)
def test_where_there_is_no_page_there_is_nothing(
    airflow: Airflow, wanted: tuple[str, str, str | None]
) -> None:
    assert airflow.get(airflow.page(*wanted)).status_code in (403, 404)


@pytest.mark.parametrize("map_index", [-2, 7, 2**31, 2**63, 10**30, -(10**30)])
def test_a_map_index_that_no_task_can_have_is_not_found(airflow: Airflow, map_index: int) -> None:
    answer = airflow.get(f"{airflow.page('told', 'report')}?map_index={map_index}")
    assert answer.status_code == 404
    assert b"Traceback" not in answer.content


@pytest.mark.parametrize("name", ["re\0port", "\0", "x" * 3_000, "\ud7ff"])
def test_a_name_that_no_task_can_have_is_not_found(airflow: Airflow, name: str) -> None:
    assert airflow.get(airflow.page("told", name)).status_code == 404
    assert airflow.get(airflow.page("told", "report", name)).status_code == 404
    assert airflow.get(airflow.page(name, "report", "run")).status_code in (403, 404)


def test_the_browser_is_told_to_trust_it_with_nothing(airflow: Airflow) -> None:
    headers = airflow.get(airflow.page("told", "report")).headers
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "private, no-store"
    policy = headers["content-security-policy"].split("; ")
    assert {"sandbox allow-scripts", "default-src 'none'", "frame-ancestors 'self'"} <= set(policy)


def test_airflow_finds_the_plugin_without_an_error(airflow: Airflow) -> None:
    answer = airflow.get(f"{airflow.url}/api/v2/plugins/importErrors")
    assert answer.status_code == 403 or answer.json()["total_entries"] == 0


@pytest.fixture(scope="module")
def window(airflow: Airflow) -> Iterator[BrowserContext]:
    """A browser in which the viewer is logged in."""
    if CHROMIUM is None:
        pytest.skip("no chromium here: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1400, "height": 900})
        context.add_cookies([{"name": "_token", "value": airflow.token, "url": airflow.url}])
        yield context
        browser.close()


def test_the_button_of_the_task_opens_the_page(airflow: Airflow, window: BrowserContext) -> None:
    page = window.new_page()
    page.goto(f"{airflow.url}/dags/told/runs/{airflow.runs['told']}/tasks/report")
    page.get_by_role("link", name="Details").click()
    link = page.get_by_role("link", name="Run report")
    link.evaluate("link => link.removeAttribute('target')")  # 3.1 opens links in new tabs
    link.click()
    page.wait_for_url("**/canvas_exports/**")
    assert page.get_by_role("heading", level=1).inner_text() == "Run report: told"
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.reload()
    page.get_by_role("columnheader", name="Course").get_by_role("button").click()
    page.get_by_label("Find", exact=True).fill("course:2")
    assert page.locator("#rows tbody tr").count() == 1
    assert complaints == []
    cell = page.locator("#rows tbody td.where")
    cell.get_by_text("Open").click()
    cell.get_by_role("link", name="Restore").click()
    page.wait_for_url("**/dags/canvas_restore")


def test_the_tab_of_the_run_shows_the_page(airflow: Airflow, window: BrowserContext) -> None:
    page = window.new_page()
    page.goto(f"{airflow.url}/dags/told/runs/{airflow.runs['told']}")
    page.get_by_role("link", name="Run report").click()
    page.frame_locator("iframe").get_by_role("heading", name="Run report: told").wait_for()


def test_a_page_that_a_task_made_up_gets_no_hold_of_airflow(airflow: Airflow, window: BrowserContext) -> None:
    page = window.new_page()
    page.goto(airflow.page("untold", "hostile"))
    assert page.get_by_role("heading").inner_text() == "hostile"
    assert page.evaluate("origin") == "null", (
        "an origin of its own: no cookies, no storage, no requests as the person"
    )
    assert "taken" not in page.title()
    refused = "fetch('/api/v2/dags').then(() => 'answered', () => 'refused')"
    assert page.evaluate(refused) == "refused"


def test_what_is_carried_comes_out_as_it_went_in() -> None:
    assert unpack(pack(b"<h1>a page</h1>")) == b"<h1>a page</h1>"
    assert pack(secrets.token_bytes(MOST_CARRIED)) is None
    for other in (
        None,
        7,
        "",
        "courses/1/a.imscc",
        "AAAA",
        (pack(b"page") or "")[:-8],
        "x" * (MOST_CARRIED + 1),
    ):
        assert unpack(other) is None


def test_a_page_that_unpacks_to_more_than_is_allowed_is_none() -> None:
    bomb = pack(bytes(40 * 1024 * 1024))
    assert bomb is not None
    assert unpack(bomb) is None
