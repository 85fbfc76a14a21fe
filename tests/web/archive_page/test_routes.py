"""Every route of the page asks for its right: nobody without a login sees anything, and nobody more than the role allows."""

from __future__ import annotations

import importlib
import warnings
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from fastapi.routing import APIRoute
from tests.support.airflow.archive_page import ARCHIVE, ArchiveAirflow

pytestmark = pytest.mark.stack

#: What each route asks for. A route that is not here fails the first test.
PAGE, CONTENT = "the right to see the page", "a role that may read contents"
TRIGGER = "the right to trigger the DAG"
COPY = "/{archive}/courses/{context}/copies/{copy}"
RIGHTS = {
    ("GET", "/"): PAGE,
    ("GET", "/{archive}"): PAGE,
    ("GET", "/{archive}/courses"): PAGE,
    ("GET", "/{archive}/courses/{context}"): PAGE,
    ("GET", "/{archive}/courses/{context}/do/{action}"): TRIGGER,
    ("POST", "/{archive}/courses/{context}/do/{action}"): TRIGGER,
    ("GET", "/{archive}/courses/{context}/compare"): CONTENT,
    ("GET", "/{archive}/search"): CONTENT,
    ("GET", f"{COPY}/package"): CONTENT,
    ("GET", f"{COPY}/{{view}}/"): CONTENT,
    ("GET", f"{COPY}/{{view}}/lists/{{kind}}"): CONTENT,
    ("GET", f"{COPY}/{{view}}/items/{{kind}}"): CONTENT,
    ("GET", f"{COPY}/{{view}}/texts/{{kind}}"): CONTENT,
    ("GET", f"{COPY}/{{view}}/files"): CONTENT,
}

#: What stands for the parameters of a route.
EXAMPLES = {
    "{archive}": ARCHIVE,
    "{context}": "course:101",
    "{copy}": "any",
    "{view}": "read",
    "{kind}": "page",
    "{action}": "restore",
}


def address(path: str) -> str:
    for name, example in EXAMPLES.items():
        path = path.replace(name, example)
    assert "{" not in path
    return path.removeprefix("/")


def test_every_route_is_listed_here_with_its_right() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Airflow's own
        app = importlib.import_module("canvas_exports.web.archive_page.app").app
    routes = [route for route in app.routes if isinstance(route, APIRoute)]
    assert len(routes) == len(app.routes), "no document, no schema, no static file beside them"
    assert {(method, route.path) for route in routes for method in route.methods} == set(RIGHTS)


@pytest.mark.parametrize(("method", "path"), RIGHTS)
def test_without_a_login_no_route_answers(airflow: ArchiveAirflow, method: str, path: str) -> None:
    for user in (None, "nobody's token"):
        answer = airflow.get(airflow.page(address(path)), user, html=False, method=method)
        assert answer.status_code in (401, 403)
        assert b"ourse" not in answer.content


@pytest.mark.parametrize("path", ["docs", "openapi.json", "redoc", f"{ARCHIVE}/..%2f..", "static/x"])
def test_nothing_else_is_served(airflow: ArchiveAirflow, path: str) -> None:
    assert airflow.get(airflow.page(path), None, html=False).status_code in (401, 404)


@pytest.mark.parametrize(("method", "path"), [each for each, right in RIGHTS.items() if right == PAGE])
def test_a_viewer_sees_coverage(airflow: ArchiveAirflow, method: str, path: str) -> None:
    answer = airflow.get(airflow.page(address(path)), "vera", method=method)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(("method", "path"), [each for each, right in RIGHTS.items() if right == CONTENT])
def test_only_the_roles_that_are_named_reach_contents(
    airflow: ArchiveAirflow, method: str, path: str
) -> None:
    for user in ("vera", "uma", "ada"):
        answer = airflow.get(airflow.page(address(path)), user, method=method)
        assert answer.status_code == 403
        assert "content_roles" in answer.text


@pytest.mark.parametrize(("method", "path"), [each for each, right in RIGHTS.items() if right == TRIGGER])
def test_only_those_who_may_trigger_the_dag_reach_its_form(
    airflow: ArchiveAirflow, method: str, path: str
) -> None:
    answer = airflow.get(airflow.page(address(path)), "vera", method=method)
    assert answer.status_code == 403
    assert "canvas_restore" in answer.text


def test_a_browser_that_is_not_logged_in_is_led_to_the_login_and_back(airflow: ArchiveAirflow) -> None:
    wanted = airflow.page(ARCHIVE, "courses?find=biology")
    answer = airflow.get(wanted, None)
    assert answer.status_code == 307
    parts = urlsplit(answer.headers["location"])
    assert parts.path == "/team/airflow/api/v2/auth/login"
    (back,) = parse_qs(parts.query)["next"]
    assert wanted.endswith(unquote(back))


@pytest.mark.parametrize("name", ["other", "...", "file:", "~", "missing_connection", ARCHIVE.upper(), "%00"])
def test_no_name_opens_anything_that_the_administrator_did_not_name(
    airflow: ArchiveAirflow, name: str
) -> None:
    for path in ((name,), (name, "courses"), (name, "courses", "course:101")):
        assert airflow.get(airflow.page(*path)).status_code == 404


def test_an_archive_that_cannot_be_opened_is_a_sentence(airflow: ArchiveAirflow) -> None:
    answer = airflow.get(airflow.page("lost"))
    assert answer.status_code == 503
    assert "there is no connection of this name" in answer.text
    assert "Traceback" not in answer.text


def test_the_page_trusts_nothing_but_itself(airflow: ArchiveAirflow) -> None:
    headers = airflow.get(airflow.page(ARCHIVE)).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == "'none'"
    assert policy["frame-ancestors"] == policy["form-action"] == policy["img-src"] == "'self'"
    assert policy["script-src"].startswith("'sha256-")
    assert policy["style-src"].startswith("'sha256-")
    assert headers["cache-control"] == "private, no-store"
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "query", ["offset=-1", "offset=x", f"find={'x' * 300}", "account=-1", "account=99999999999999999999"]
)
def test_a_filter_that_no_form_sends_is_refused_with_a_sentence(airflow: ArchiveAirflow, query: str) -> None:
    answer = airflow.get(airflow.page(ARCHIVE, f"courses?{query}"))
    assert answer.status_code == 400
    assert "is not what it should be" in answer.text


@pytest.mark.parametrize(
    "context",
    [
        "course:999",
        "course",
        "course:x",
        "user:101",
        "%00",
        "course:101'--",
        "x" * 3000,
        "%F0%9F%98%80",
        "%ff",
    ],
)
def test_an_unknown_course_is_not_found(airflow: ArchiveAirflow, context: str) -> None:
    answer = airflow.get(airflow.page(ARCHIVE, "courses", context))
    assert answer.status_code == 404
    assert "Traceback" not in answer.text


def test_airflow_finds_the_plugin_without_an_error(airflow: ArchiveAirflow) -> None:
    answer = airflow.get(f"{airflow.url}/api/v2/plugins/importErrors", "ada", html=False)
    assert answer.json()["total_entries"] == 0
