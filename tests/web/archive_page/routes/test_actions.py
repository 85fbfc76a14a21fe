"""Restore, back up now, hold, release: started from the page, as the user, by those who may trigger these DAGs."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser
from tests.support.airflow.archive_page import ARCHIVE, ArchiveAirflow
from tests.support.archives.history import EMPTIED

from canvas_exports.web.archive_page.trigger import unpause

pytestmark = pytest.mark.stack

COURSE = "course:101"


def form_page(airflow: ArchiveAirflow, action: str, course: str = COURSE) -> str:
    return airflow.page(ARCHIVE, "courses", course, "do", action)


def send(
    airflow: ArchiveAirflow, address: str, user: str, form: dict[str, str], **headers: str
) -> requests.Response:
    given = {"Accept": "text/html", "Cookie": f"_token={airflow.tokens[user]}", **headers}
    return requests.post(address, data=form, headers=given, timeout=60, allow_redirects=False)


def runs(airflow: ArchiveAirflow, dag_id: str) -> list[dict[str, Any]]:
    answer = airflow.get(f"{airflow.url}/api/v2/dags/{dag_id}/dagRuns?limit=100", "ada", html=False)
    found: list[dict[str, Any]] = answer.json()["dag_runs"]
    return found


OURS = {"Sec-Fetch-Site": "same-origin"}


def test_buttons_are_shown_to_those_who_may_press_them(airflow: ArchiveAirflow) -> None:
    course = airflow.page(ARCHIVE, "courses", COURSE)
    assert "/do/" not in airflow.get(course, "vera").text
    for path in ("restore", "back-up", "hold"):
        assert f"/do/{path}" in airflow.get(course, "uma").text
    bare = airflow.get(airflow.page(ARCHIVE, "courses", "course:109"), "uma").text
    assert "/do/back-up" in bare
    assert "/do/restore" not in bare, "there is no copy"


@pytest.mark.parametrize(
    ("action", "dag_id", "form", "conf"),
    [
        (
            "restore",
            "canvas_restore",
            {"into": "sis_course_id:NEW", "copy": "newest", "allow_incomplete": "yes"},
            {
                "course": COURSE,
                "copy": "newest",
                "into": "sis_course_id:NEW",
                "allow_incomplete": True,
                "allow_content": False,
                "confirm_same_course": None,
                "archive": ARCHIVE,
            },
        ),
        (
            "back-up",
            "canvas_export",
            {},
            {"courses": ["101"], "export_type": "common_cartridge", "archive": ARCHIVE},
        ),
        (
            "hold",
            "canvas_hold",
            {"tag": "legal"},
            {"course": COURSE, "tag": "legal", "copy": None, "lift": False, "archive": ARCHIVE},
        ),
    ],
)
def test_a_form_starts_a_run_of_the_dag_as_the_user(
    airflow: ArchiveAirflow, action: str, dag_id: str, form: dict[str, str], conf: dict[str, Any]
) -> None:
    before = len(runs(airflow, dag_id))
    more = {"archive": "file:///etc", "archive_conn_id": "aws_default", "course": "course:102"}
    answer = send(airflow, form_page(airflow, action), "uma", {**form, **more}, **OURS)
    assert answer.status_code == 303
    assert len(runs(airflow, dag_id)) == before + 1
    (started,) = [
        run for run in runs(airflow, dag_id) if run["dag_run_id"] in unquote(answer.headers["location"])
    ]
    assert started["conf"].items() >= conf.items()
    assert "archive_conn_id" not in started["conf"]
    assert started["triggering_user_name"] == "uma"
    shown = airflow.get(f"{airflow.url.partition('/team')[0]}{answer.headers['location']}", "uma").text
    assert f"{dag_id} is queued" in shown


class TestRelease:
    COURSE = EMPTIED.context or ""

    def test_an_alarm_is_on_the_overview_and_on_the_page_of_its_course(self, airflow: ArchiveAirflow) -> None:
        overview = airflow.get(airflow.page(ARCHIVE), "uma").text
        course = airflow.get(airflow.page(ARCHIVE, "courses", self.COURSE), "uma").text
        for shown in (overview, course):
            assert EMPTIED.sentence in shown
        assert EMPTIED.next_step in course

    def test_its_button_is_there_for_those_who_may_hold_and_only_with_an_alarm(
        self, airflow: ArchiveAirflow
    ) -> None:
        course = airflow.page(ARCHIVE, "courses", self.COURSE)
        assert "/do/release" in airflow.get(course, "uma").text
        assert "/do/release" not in airflow.get(course, "vera").text
        assert "/do/release" not in airflow.get(airflow.page(ARCHIVE, "courses", COURSE), "uma").text
        assert airflow.get(form_page(airflow, "release"), "uma").status_code == 404

    def test_it_lifts_the_hold_of_the_alarm_as_the_user(self, airflow: ArchiveAirflow) -> None:
        answer = send(airflow, form_page(airflow, "release", self.COURSE), "uma", {"tag": "legal"}, **OURS)
        assert answer.status_code == 303
        (started,) = [
            run
            for run in runs(airflow, "canvas_hold")
            if run["dag_run_id"] in unquote(answer.headers["location"])
        ]
        conf = {"course": self.COURSE, "tag": "alarm", "copy": None, "lift": True, "archive": ARCHIVE}
        assert started["conf"].items() >= conf.items()
        assert started["triggering_user_name"] == "uma"

    def test_a_viewer_releases_nothing(self, airflow: ArchiveAirflow) -> None:
        before = len(runs(airflow, "canvas_hold"))
        assert (
            send(airflow, form_page(airflow, "release", self.COURSE), "vera", {}, **OURS).status_code == 403
        )
        assert len(runs(airflow, "canvas_hold")) == before


def paused(airflow: ArchiveAirflow, dag_id: str, *, to: bool | None = None) -> bool:
    """Whether a DAG is paused, once it was set so."""
    address = f"{airflow.url}/api/v2/dags/{dag_id}"
    headers = {"Authorization": f"Bearer {airflow.tokens['ada']}"}
    if to is not None:
        requests.patch(address, json={"is_paused": to}, headers=headers, timeout=60).raise_for_status()
    return bool(requests.get(address, headers=headers, timeout=60).json()["is_paused"])


def test_a_paused_dag_without_a_schedule_is_unpaused_so_that_the_run_begins(airflow: ArchiveAirflow) -> None:
    paused(airflow, "canvas_hold", to=True)
    answer = send(airflow, form_page(airflow, "hold"), "uma", {"tag": "legal"}, **OURS)
    assert answer.status_code == 303
    assert not paused(airflow, "canvas_hold")
    address = f"{airflow.url.partition('/team')[0]}{answer.headers['location']}"
    assert "waits until somebody unpauses it" not in airflow.get(address, "uma").text
    paused(airflow, "canvas_hold", to=True)
    assert (
        "The DAG is paused, and the run waits until somebody unpauses it." in airflow.get(address, "uma").text
    )


@pytest.mark.parametrize(
    ("found", "patched"),
    [
        ({"is_paused": True, "timetable_summary": None}, ["PATCH"]),
        ({"is_paused": True, "timetable_summary": "0 2 * * *"}, []),
        ({"is_paused": False, "timetable_summary": None}, []),
    ],
)
def test_a_dag_with_a_schedule_stays_paused(found: dict[str, object], patched: list[str]) -> None:
    asked: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        return httpx.Response(200 if request.method == "GET" else 403, json=found)

    async def run() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(respond)) as api:
            await unpause(api, "http://airflow.example.org/api/v2/dags/canvas_hold")

    asyncio.run(run())
    assert asked == ["GET", *patched]


def test_one_copy_is_restored_from_its_entry(airflow: ArchiveAirflow, browser: Browser) -> None:
    window = airflow.window(browser, "uma")
    page = window.new_page()
    page.goto(airflow.page(ARCHIVE, "courses", COURSE))
    page.get_by_role("link", name="Restore the copy of").last.click()
    chosen = page.get_by_label("Copy", exact=True)
    assert chosen.input_value() == chosen.locator("option").last.get_attribute("value")
    window.close()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example.org"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_form_of_another_page_starts_nothing(airflow: ArchiveAirflow, headers: dict[str, str]) -> None:
    before = len(runs(airflow, "canvas_hold"))
    answer = send(airflow, form_page(airflow, "hold"), "uma", {"tag": "legal"}, **headers)
    assert answer.status_code == 403
    assert len(runs(airflow, "canvas_hold")) == before


def test_a_viewer_starts_nothing(airflow: ArchiveAirflow) -> None:
    for action, dag_id in (
        ("restore", "canvas_restore"),
        ("back-up", "canvas_export"),
        ("hold", "canvas_hold"),
    ):
        before = len(runs(airflow, dag_id))
        assert send(airflow, form_page(airflow, action), "vera", {}, **OURS).status_code == 403
        assert len(runs(airflow, dag_id)) == before


@pytest.mark.parametrize(
    ("action", "course"),
    [("delete", COURSE), ("restore", "course:999"), ("restore", "course:109"), ("hold", "course:109")],
)
def test_what_is_not_possible_is_not_found(airflow: ArchiveAirflow, action: str, course: str) -> None:
    assert airflow.get(form_page(airflow, action, course), "uma").status_code == 404


def test_a_form_of_any_size_is_bounded(airflow: ArchiveAirflow) -> None:
    answer = send(airflow, form_page(airflow, "hold"), "uma", {"tag": "x" * 100_000}, **OURS)
    assert answer.status_code == 400


def test_a_restore_is_started_inside_airflow(airflow: ArchiveAirflow, browser: Browser) -> None:
    window = airflow.window(browser, "uma")
    page = window.new_page()
    page.goto(f"{airflow.url}/plugin/canvas_archive")
    inside = page.frame_locator("iframe")
    inside.get_by_role("link", name=ARCHIVE).first.click()
    inside.get_by_role("link", name="Courses", exact=True).click()
    inside.get_by_role("link", name="Course 101").click()
    inside.get_by_role("link", name="Restore", exact=True).click()
    inside.get_by_label("Target course").fill("sis_course_id:RESTORED")
    inside.get_by_role("button", name="Restore").click()
    inside.get_by_text("canvas_restore is queued").wait_for()
    inside.get_by_role("link", name="See it in Airflow").click()
    page.wait_for_url("**/dags/canvas_restore/runs/**")
    window.close()


def test_the_forms_can_be_used_by_everybody(airflow: ArchiveAirflow, browser: Browser) -> None:
    window = airflow.window(browser, "uma", width=390, dark=True)
    page = window.new_page()
    for action in ("restore", "back-up", "hold"):
        page.goto(form_page(airflow, action))
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
    window.close()
