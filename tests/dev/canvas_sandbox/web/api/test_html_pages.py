"""Pages that a person can read: where the links of reports and of Airflow's tasks lead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from canvas_sandbox import Course, Fault, Group, Sandbox

if TYPE_CHECKING:
    from tests.support.canvas.sandbox_client import Call, Start

NAME = "<Biology> & 'Co'"


@pytest.fixture
def canvas(start: Start) -> Sandbox:
    return start(
        Course(id=101, name=NAME, sis_course_id="BIO/101", course_code="BIO 101"),
        Course(id=102, size=0),
        Course(id=103, faults=[Fault.FORBIDDEN]),
        Course(id=104, faults=[Fault.DELETED]),
        Course(id=105, faults=[Fault.PAGE_403]),
        groups=[Group(id=7)],
    )


def page(canvas: Sandbox, path: str, status: int = 200) -> str:
    """What a browser without any credential is shown."""
    answer = requests.get(canvas.url + path, headers={"Accept": "text/html"}, timeout=20)
    assert answer.status_code == status, path
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<h1>" in answer.text
    return answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/courses/101",
        "/courses/sis_course_id:BIO%2F101",
        "/courses/101/content_exports",
        "/courses/101/content_migrations",
        "/courses/101/settings",
        "/courses/101/pages/week-1",
    ],
)
def test_every_page_of_a_course_says_which_course_it_is(canvas: Sandbox, path: str) -> None:
    text = page(canvas, path)
    assert "&lt;Biology&gt; &amp; &#x27;Co&#x27;" in text
    assert "<Biology>" not in text


def test_a_course_says_what_it_holds(canvas: Sandbox) -> None:
    text = page(canvas, "/courses/101")
    for word in ("BIO 101", "BIO/101", "Default Term", "available", "Quizzes", "Week 1"):
        assert word in text
    assert "None." in page(canvas, "/courses/102")


def test_exports_and_imports_are_listed_with_their_states(canvas: Sandbox, call: Call) -> None:
    admin = call(canvas)
    export = admin.create()
    assert "<td>exporting</td>" in page(canvas, "/courses/101/content_exports")
    size = admin.finish(export)["attachment"]["size"]
    text = page(canvas, "/courses/101/content_exports")
    assert f"<td>{export['id']}</td><td>common_cartridge</td><td>exported</td>" in text
    assert f"<td>{size}</td>" in text
    admin.restore(admin.exported())
    assert "<td>completed</td>" in page(canvas, "/courses/102/content_migrations")
    assert "None." in page(canvas, "/courses/101/content_migrations")


def test_what_is_not_there_or_not_to_be_seen_is_a_page_too(canvas: Sandbox) -> None:
    assert "Page not found" in page(canvas, "/courses/999", 404)
    assert "Page not found" in page(canvas, "/courses/104/content_exports", 404)
    assert "Page not found" in page(canvas, "/accounts/999", 404)
    assert "Access denied" in page(canvas, "/courses/103", 401)
    assert "Access Denied" in page(canvas, "/courses/105", 403)


@pytest.mark.parametrize("path", ["/", "/courses", "/accounts/1"])
def test_the_start_page_leads_to_every_course(canvas: Sandbox, path: str) -> None:
    text = page(canvas, path)
    assert 'href="/courses/101"' in text
    assert 'href="/courses/104"' not in text
    assert "Sandbox University" in text
