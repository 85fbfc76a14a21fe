"""Pages and their links; numeric, SIS and other ids."""

from __future__ import annotations

import http.client
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest

from canvas_sandbox import Account, Course, Group, Sandbox, Switches, User

if TYPE_CHECKING:
    from tests.support.canvas.sandbox_client import Call, Caller, Start

COURSES = "/api/v1/accounts/1/courses"


@pytest.fixture
def full(start: Start) -> Sandbox:
    return start(*(Course(id=number) for number in range(1, 24)))


def raw_get(canvas: Sandbox, target: str) -> tuple[int, bytes, list[tuple[str, str]]]:
    """A GET whose path nobody normalises on the way."""
    connection = http.client.HTTPConnection(urlsplit(canvas.url).netloc, timeout=20)
    connection.request(
        "GET", target, headers={"Authorization": f"Bearer {canvas.token}", "User-Agent": "raw"}
    )
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, body, response.getheaders()


@pytest.mark.parametrize(
    ("asked", "rows"), [("0", 1), ("-5", 1), ("abc", 1), ("1000", 100), ("7", 7), (None, 10), ("25x", 25)]
)
def test_43_page_sizes_are_clamped(start: Start, call: Call, asked: str | None, rows: int) -> None:
    admin = call(start(*(Course(id=number) for number in range(1, 121))))
    assert len(admin.get(COURSES, params={"per_page": asked} if asked else {}).json()) == rows


def test_44_beyond_the_end_is_empty_and_nonsense_is_not_found(full: Sandbox, call: Call) -> None:
    admin = call(full)
    exports = "/api/v1/courses/1/content_exports"
    beyond = admin.get(exports, params={"page": 999})
    assert (beyond.status_code, beyond.json()) == (200, [])
    for page in ("abc", "0", "-1"):
        response = admin.get(exports, params={"page": page})
        assert response.status_code == 404
        assert response.json() == {"errors": [{"message": "An error occurred.", "error_code": "not_found"}]}


def test_45_links_come_in_order_without_spaces_and_without_the_token(admin: Caller, canvas: Sandbox) -> None:
    for _ in range(5):
        admin.create("qti")
    query = f"?page=2&per_page=2&access_token={canvas.token}&b[]=2&a=1"
    _, _, headers = raw_get(canvas, f"/api/v1/courses/101/content_exports{query}")
    link = dict(headers)["link"]
    base = f"{canvas.url}/api/v1/courses/101/content_exports?a=1&b%5B%5D=2&page="
    assert link == ",".join(
        f'<{base}{page}&per_page=2>; rel="{rel}"'
        for rel, page in (("current", 2), ("next", 3), ("prev", 1), ("first", 1), ("last", 3))
    )


def test_45_links_carry_the_numeric_id_whatever_was_asked(start: Start, call: Call) -> None:
    admin = call(start(Course(id=101, sis_course_id="BIO-101")))
    response = admin.get("/api/v1/courses/sis_course_id:BIO-101/content_exports")
    assert "/courses/101/content_exports" in response.links["first"]["url"]


@pytest.mark.parametrize("lower", [True, False])
def test_45_header_names_are_lower_case_by_switch(start: Start, lower: bool) -> None:
    canvas = start(switches=Switches(manual_clock=True, lowercase_headers=lower))
    _, _, headers = raw_get(canvas, COURSES)
    names = {name for name, _ in headers}
    assert ("link" in names, "Link" in names) == (lower, not lower)
    assert not lower or all(name == name.lower() for name in names)


@pytest.mark.parametrize("bookmarks", [False, True])
def test_46_an_account_list_has_no_last_and_ends_without_next(
    start: Start, call: Call, bookmarks: bool
) -> None:
    switches = Switches(manual_clock=True, bookmarks=bookmarks)
    admin = call(start(*(Course(id=number) for number in range(1, 24)), switches=switches))
    seen: list[int] = []
    url: str | None = COURSES
    while url:
        response = admin.get(url)
        assert "last" not in response.links
        seen += [row["id"] for row in response.json()]
        url = response.links.get("next", {}).get("url")
    assert seen == list(range(1, 24))


def test_46_an_account_list_has_opaque_bookmarks_unless_its_canvas_is_old(start: Start, call: Call) -> None:
    courses = [Course(id=number) for number in range(1, 24)]
    links = call(start(*courses)).get(COURSES).links
    assert set(links) == {"current", "next", "first"}
    assert re.search(r"[?&]page=first&", links["first"]["url"])
    assert re.search(r"[?&]page=bookmark:[\w-]+&", links["next"]["url"])
    old = call(start(*courses, switches=Switches(manual_clock=True, bookmarks=False))).get(COURSES).links
    assert "page=2&" in old["next"]["url"]


@pytest.mark.parametrize("order", [{}, {"sort": "course_name", "order": "desc"}])
def test_46_a_bookmark_stays_where_it_is_whatever_is_deleted(
    start: Start, call: Call, order: dict[str, str]
) -> None:
    canvas = start(*(Course(id=number, name=f"C {number:02}") for number in range(1, 8)))
    admin = call(canvas)
    page = admin.get(COURSES, params={"per_page": 3, **order})
    seen = [row["id"] for row in page.json()]
    canvas.delete_course(seen[0])
    canvas.delete_course(seen[2])
    while "next" in page.links:
        page = admin.get(page.links["next"]["url"])
        seen += [row["id"] for row in page.json()]
    assert sorted(seen) == list(range(1, 8))


@pytest.mark.parametrize("page", ["bookmark:!!", "2", "bookmark:", "bookmark:e30", "bookmark:WyJhIl0", "x"])
def test_46_a_foreign_bookmark_is_a_400(full: Sandbox, call: Call, page: str) -> None:
    response = call(full).get(COURSES, params={"page": page})
    assert response.status_code == 400
    assert response.json() == {
        "status": "bad_request",
        "errors": [{"page": "Invalid page; please restart iteration and follow `next` links"}],
    }


@pytest.mark.parametrize(
    ("padding", "kept"),
    [
        (1000, {"current", "next", "prev", "first", "last"}),
        (1400, {"current", "next", "prev", "last"}),
        (1900, {"next", "last", "prev"}),
        (2500, {"next", "last"}),
        (5000, {"next"}),
        (6100, set()),
    ],
)
def test_46_links_beyond_6_kib_in_total_are_dropped_and_next_is_the_last_to_go(
    admin: Caller, padding: int, kept: set[str]
) -> None:
    for _ in range(6):
        admin.create("qti")
    query = {"per_page": 2, "page": 2, "padding": "x" * padding}
    response = admin.get("/api/v1/courses/101/content_exports", params=query)
    assert set(response.links) == kept
    assert len(response.json()) == 2
    assert ("link" in response.headers) is bool(kept)


def test_46_a_filter_by_very_many_teachers_gives_a_full_page_that_seems_the_last(
    start: Start, call: Call
) -> None:
    admin = call(start(*(Course(id=number) for number in range(1, 121))))
    teachers = [("by_teachers[]", 2)] + [("by_teachers[]", 10_000 + number) for number in range(260)]
    response = admin.get(COURSES, params=[("per_page", 100), *teachers])
    assert len(response.json()) == 100
    assert "link" not in response.headers
    assert "next" in admin.get(COURSES, params=[("per_page", 100), *teachers[:200]]).links


ODD = "CS/101.11é"


@pytest.mark.parametrize(
    "spelling",
    [
        "sis_course_id:" + quote(ODD, safe="").replace(".", "%2E"),
        "hex:sis_course_id:" + ODD.encode().hex(),
        "%20101%20",
        "uuid:" + Course(id=101).uuid,
        "lti_context_id:" + Course(id=101).uuid,
        "sis_integration_id:int-1",
    ],
)
def test_47_every_spelling_finds_the_course(start: Start, spelling: str) -> None:
    canvas = start(Course(id=101, sis_course_id=ODD, integration_id="int-1"))
    status, body, _ = raw_get(canvas, f"/api/v1/courses/{spelling}")
    assert status == 200
    assert b'"id":101,' in body


@pytest.mark.parametrize(
    "spelling",
    [
        "sis_course_id:CS%2F101.11%C3%A9",
        "sis_id:1",
        "sis_term_id:1",
        "abc",
        "12345678901234567890",
        "sis_course_id:other",
    ],
)
def test_47_anything_else_is_not_found(start: Start, spelling: str) -> None:
    canvas = start(Course(id=101, sis_course_id=ODD))
    status, body, _ = raw_get(canvas, f"/api/v1/courses/{spelling}")
    assert status == 404
    assert body == b'{"errors":[{"message":"The specified resource does not exist."}]}'


def test_47_a_dot_matters_only_at_the_end_of_the_path(start: Start) -> None:
    canvas = start(Course(id=101, sis_course_id="CS.101"))
    assert raw_get(canvas, "/api/v1/courses/sis_course_id:CS.101/content_exports")[0] == 200
    assert raw_get(canvas, "/api/v1/courses/sis_course_id:CS.101")[0] == 404


def test_47_sis_ids_of_another_root_account_are_not_found_but_numbers_are(start: Start, call: Call) -> None:
    accounts = [Account(1, "Ours"), Account(9, "Theirs")]
    admin = call(start(Course(id=101, sis_course_id="X-1", account_id=9), accounts=accounts))
    assert admin.get("/api/v1/courses/sis_course_id:X-1").status_code == 404
    assert admin.get("/api/v1/courses/101").status_code == 403


def test_groups_accounts_and_users_have_sis_ids_too(start: Start, call: Call) -> None:
    canvas = start(
        groups=[Group(id=7, sis_group_id="G/7")],
        accounts=[Account(1, "Root", sis_account_id="UNI"), Account(2, "Sub", parent_id=1)],
        users=[User(id=11, name="Nia", login_id="Nia@uni.example")],
    )
    admin = call(canvas)
    found: dict[str, Any] = {
        "groups/sis_group_id:G%2F7": 7,
        "accounts/sis_account_id:UNI": 1,
        "accounts/self": 1,
        "users/sis_login_id:nia@UNI.example": 11,
        "users/self": 1,
    }
    for path, number in found.items():
        status, body, _ = raw_get(canvas, f"/api/v1/{path.replace('.', '%2E')}")
        assert status == 200, path
        assert f'"id":{number},'.encode() in body
    assert admin.get("/api/v1/groups/8").status_code == 404


def test_ids_are_strings_for_those_who_ask(admin: Caller) -> None:
    export = admin.create()
    headers = {"Accept": "application/json+canvas-string-ids"}
    shown = admin.get(f"/api/v1/courses/101/content_exports/{export['id']}", headers=headers).json()
    assert (shown["id"], shown["user_id"], shown["course_id"]) == (str(export["id"]), "1", "101")


def test_json_is_compact_and_escapes_what_html_minds(start: Start, call: Call) -> None:
    switches = Switches(manual_clock=True, verifier_in_url=True)
    admin = call(start(Course(id=101, name="<Q&A>"), switches=switches))
    course = admin.get("/api/v1/courses/101")
    assert b'"name":"\\u003cQ\\u0026A\\u003e"' in course.content
    assert course.json()["name"] == "<Q&A>"
    export = admin.finish(admin.create())
    shown = admin.get(f"/api/v1/courses/101/content_exports/{export['id']}")
    assert b"download_frd=1\\u0026verifier=" in shown.content
