"""Faults of courses and of single requests, and that they stop when they should."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
import requests

from canvas_sandbox import Course, Effect, Fault, LimitedFault, RequestFault, Sandbox, Switches

if TYPE_CHECKING:
    from tests.support.canvas.sandbox_client import Call, Caller, Start

EXPORTS = "/api/v1/courses/101/content_exports"
SELF = "/api/v1/users/self"


def outcome(caller: Caller, method: str = "POST", path: str = EXPORTS) -> int:
    """Status of a request; 0 for a connection that ended without an answer."""
    try:
        return caller.request(method, path, data={"export_type": "qti"}).status_code
    except requests.RequestException:
        return 0


@pytest.mark.parametrize(
    ("fault", "statuses", "created"),
    [
        (Fault.LOST_ANSWER.times(1), [0, 200, 200], 3),
        (Fault.REFUSED.times(2), [0, 0, 200], 1),
        (Fault.SERVER_ERROR.times(2), [500, 500, 200], 1),
        (Fault.MAINTENANCE.times(1), [503, 200, 200], 2),
        (Fault.THROTTLED.times(2), [429, 429, 200], 1),
        (Fault.SERVER_ERROR, [500, 500, 500], 0),
        (Fault.POST_403, [403, 403, 403], 0),
        (Fault.POST_400, [400, 400, 400], 0),
        (Fault.POST_500, [500, 500, 500], 0),
        (Fault.POST_403.times(1), [403, 200, 200], 2),
    ],
)
def test_a_fault_of_the_post_has_its_effect_and_its_count(
    start: Start, call: Call, fault: Fault | LimitedFault, statuses: list[int], created: int
) -> None:
    canvas = start(Course(id=101, faults=[fault]))
    admin = call(canvas)
    assert [outcome(admin) for _ in range(3)] == statuses
    assert len(canvas.exports) == created
    assert [record.status for record in canvas.requests] == statuses


@pytest.mark.parametrize(
    ("effect", "status", "created"),
    [
        (Effect.LOST_ANSWER, 0, 1),
        (Effect.REFUSED, 0, 0),
        (Effect.THROTTLED, 429, 0),
        (Effect.SERVER_ERROR, 500, 0),
        (Effect.MAINTENANCE, 503, 0),
        (Effect.BAD_REQUEST_PAGE, 400, 0),
        (Effect.FORBIDDEN_PAGE, 403, 0),
        (Effect.ERROR_PAGE, 500, 0),
        (Effect.NOT_FOUND, 404, 0),
        (Effect.DENIED, 403, 0),
        (Effect.BAD_TOKEN, 401, 0),
        (Effect.DELAY, 200, 1),
        (Effect.CUT, 0, 1),
    ],
)
def test_an_injected_fault_strikes_once_and_only_where_it_should(
    canvas: Sandbox, admin: Caller, effect: Effect, status: int, created: int
) -> None:
    canvas.inject(RequestFault(effect, method="POST", path=r"/content_exports$", times=1, seconds=0.01))
    assert outcome(admin, "GET") == 200
    assert outcome(admin, "GET", SELF) == 200
    assert outcome(admin) == status
    assert len(canvas.exports) == created
    assert outcome(admin) == 200


@pytest.mark.parametrize("fault", [Fault.POST_403, Fault.POST_400, Fault.POST_500])
def test_a_page_instead_of_an_export_says_nothing_about_the_course_or_the_others(
    start: Start, call: Call, fault: Fault
) -> None:
    admin = call(start(Course(id=101, faults=[fault]), Course(id=102)))
    answer = admin.post(EXPORTS, {"export_type": "qti"})
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["x-request-context-id"]
    assert "error_report_id" not in answer.text
    assert admin.get(EXPORTS).json() == []
    assert admin.get("/api/v1/courses/101").status_code == 200
    assert admin.create("qti", "courses/102")["workflow_state"] == "created"


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        (Fault.PAGE_403, 403, "text/html"),
        (Fault.PAGE_400, 400, "text/html"),
        (Fault.PAGE_500, 500, "text/html"),
        (Fault.CRASHES, 500, "application/json"),
    ],
)
def test_a_course_that_is_listed_fails_on_every_path_of_its_own_for_ever(
    start: Start, call: Call, fault: Fault, status: int, kind: str
) -> None:
    course = Course(id=101, sis_course_id="BIO", faults=[fault])
    admin = call(start(course, Course(id=102, sis_course_id="CHE")))
    paths = ["/api/v1/courses/101", "/api/v1/courses/sis_course_id:BIO", EXPORTS, f"{EXPORTS}/1"]
    for path in paths * 2:
        answer = admin.get(path)
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (status, kind)
        assert ("error_report_id" in answer.text) is (fault is Fault.CRASHES)
    assert outcome(admin) == status
    assert [row["id"] for row in admin.get("/api/v1/accounts/1/courses").json()] == [101, 102]
    assert admin.get("/api/v1/courses/sis_course_id:CHE").status_code == 200


def test_a_fault_can_let_some_requests_pass_first(canvas: Sandbox, admin: Caller) -> None:
    canvas.inject(RequestFault("server_error", path="self", skip=2, times=1))
    assert [outcome(admin, "GET", SELF) for _ in range(4)] == [200, 200, 500, 200]


def test_a_fault_without_a_count_never_stops(canvas: Sandbox, admin: Caller) -> None:
    canvas.inject(RequestFault("maintenance", times=None))
    assert {outcome(admin, "GET", SELF) for _ in range(3)} == {503}


def test_garbled_json_ends_in_the_middle(canvas: Sandbox, admin: Caller) -> None:
    canvas.inject(RequestFault("garbled", path="self"))
    response = admin.get(SELF)
    assert response.status_code == 200
    with pytest.raises(requests.exceptions.JSONDecodeError):
        response.json()


def test_a_slow_answer_drips(start: Start, call: Call) -> None:
    canvas = start(switches=Switches(manual_clock=True, slow_rate=5_000))
    canvas.inject(RequestFault("slow", path="self"))
    assert call(canvas).get(SELF).json()["id"] == 1


def test_a_login_redirect_can_strike_the_storage_host_too(canvas: Sandbox, admin: Caller) -> None:
    export = admin.finish(admin.create())
    canvas.inject(RequestFault("server_error", path="/attachments/"))
    assert admin.download(export).status_code == 500
    assert admin.download(export).status_code == 200


def test_faults_are_checked_when_they_are_made() -> None:
    with pytest.raises(ValueError, match="frog"):
        RequestFault("frog")
    with pytest.raises(ValueError, match="denied_status"):
        Switches(denied_status=500)
    with pytest.raises(ValueError, match="job_workers"):
        Switches(job_workers=0)
    with pytest.raises(ValueError, match="backwards"):
        Sandbox().advance(-1)


def packed(start: Start, call: Call, fault: Fault, **course: Any) -> bytes:
    admin = call(start(Course(id=101, name="Biology 101", faults=[fault], **course)))
    return admin.download(admin.finish(admin.create())).content


def test_a_package_can_name_another_course(start: Start, call: Call) -> None:
    package = zipfile.ZipFile(io.BytesIO(packed(start, call, Fault.WRONG_COURSE)))
    assert b"<course_id>102</course_id>" in package.read("course_settings/context.xml")
    assert b"Another course" in package.read("imsmanifest.xml")


def test_an_empty_course_gives_a_cartridge_without_content_and_a_22_byte_file_export(
    start: Start, call: Call
) -> None:
    canvas = start(Course(id=101, faults=[Fault.EMPTY]))
    admin = call(canvas)
    names = admin.package().namelist()
    assert {name.partition("/")[0] for name in names} == {
        "course_settings",
        "imsmanifest.xml",
        "non_cc_assessments",
        "wiki_content",
    }
    assert admin.finish(admin.create("zip"))["attachment"]["size"] == 22
    assert all("count" not in row for row in admin.get("/api/v1/courses/101/content_list").json())


def test_a_corrupt_package_has_the_right_length_and_no_directory(start: Start, call: Call) -> None:
    content = packed(start, call, Fault.CORRUPT)
    assert content.startswith(b"PK\x03\x04")
    assert not zipfile.is_zipfile(io.BytesIO(content))


def test_zip64_records_do_not_need_a_large_package(start: Start, call: Call) -> None:
    content = packed(start, call, Fault.ZIP64)
    assert b"PK\x06\x06" in content
    assert zipfile.ZipFile(io.BytesIO(content)).testzip() is None


def test_a_package_fault_with_a_count_spares_the_next_export(start: Start, call: Call) -> None:
    admin = call(start(Course(id=101, faults=[Fault.CORRUPT.times(1)])))
    packages = [admin.download(admin.finish(admin.create())).content for _ in range(2)]
    assert [zipfile.is_zipfile(io.BytesIO(content)) for content in packages] == [False, True]
