"""Starting exports: who may, which types, and what the answer says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from canvas_sandbox import Course, Group, Sandbox, Switches

if TYPE_CHECKING:
    from tests.support.canvas.sandbox_client import Call, Caller, Start

DENIED = {"status": "unauthorized", "errors": [{"message": "user not authorized to perform that action"}]}
EXPORTS = "/api/v1/courses/101/content_exports"


@pytest.mark.parametrize("export_type", ["qti", "common_cartridge"])
def test_01_and_11_a_student_may_export_neither_quizzes_nor_a_cartridge(
    student: Caller, export_type: str
) -> None:
    response = student.post(EXPORTS, {"export_type": export_type})
    assert (response.status_code, response.json()) == (403, DENIED)
    assert "WWW-Authenticate" not in response.headers
    assert response.headers["Cache-Control"] == "no-store"


def test_02_and_03_a_missing_or_unknown_type_is_a_flat_400(teacher: Caller) -> None:
    for fields in ({}, {"export_type": "frog"}):
        response = teacher.post(EXPORTS, fields)
        assert (response.status_code, response.json()) == (400, {"message": "invalid export_type"})


def test_04_a_new_qti_export_is_created_and_queued_with_all_quizzes(canvas: Sandbox, teacher: Caller) -> None:
    created = teacher.post(EXPORTS, {"export_type": "qti"})
    assert created.status_code == 200
    export = created.json()
    assert export["workflow_state"] == "created"
    assert export["course_id"] == 101
    assert "attachment" not in export
    canvas_record = canvas.exports[0]
    assert canvas_record.selection == {"all_quizzes": 1}
    assert (canvas_record.context, canvas_record.user) == ("course:101", 2)


def test_04_progress_is_queued_until_a_worker_is_free(start: Start, call: Call) -> None:
    canvas = start(Course(id=101, duration=10), switches=Switches(manual_clock=True, job_workers=1))
    admin = call(canvas)
    first, second = admin.create("qti"), admin.create("qti")
    assert [admin.progress(export)["workflow_state"] for export in (first, second)] == ["running", "queued"]
    canvas.advance(11)
    assert [admin.progress(export)["workflow_state"] for export in (first, second)] == [
        "completed",
        "running",
    ]


def test_05_a_cartridge_ends_exported_completed_and_attached(teacher: Caller) -> None:
    export = teacher.finish(teacher.create())
    assert export["workflow_state"] == "exported"
    assert teacher.progress(export)["workflow_state"] == "completed"
    assert export["attachment"]["filename"] == "biology-101-export.imscc"


@pytest.mark.parametrize(
    ("fields", "version"), [({"version": "1.3"}, "1.3.0"), ({}, "1.1.0"), ({"version": "2"}, "1.1.0")]
)
def test_06_the_version_decides_the_schema(teacher: Caller, fields: dict[str, str], version: str) -> None:
    manifest = teacher.package(**fields).read("imsmanifest.xml").decode()
    assert f"<schemaversion>{version}</schemaversion>" in manifest
    assert ("imsccv1p3" in manifest) is (version == "1.3.0")


@pytest.mark.parametrize(
    ("fields", "notified"),
    [
        ({}, True),
        ({"skip_notifications": "false"}, True),
        ({"skip_notifications": "true"}, False),
        ({"skip_notifications": "1"}, False),
    ],
)
def test_07_skip_notifications_spares_the_mail(
    canvas: Sandbox, teacher: Caller, fields: dict[str, Any], notified: bool
) -> None:
    teacher.finish(teacher.create(**fields))
    assert canvas.exports[0].notified is notified


def test_07_a_file_export_never_sends_mail(canvas: Sandbox, teacher: Caller) -> None:
    teacher.finish(teacher.create("zip"))
    assert canvas.exports[0].notified is False


def test_08_groups_and_users_export_files_only(start: Start, call: Call) -> None:
    admin = call(start(groups=[Group(id=7)]))
    for path, export_type in (
        ("groups/7", "common_cartridge"),
        ("users/self", "qti"),
        ("users/self", "quizzes2"),
    ):
        response = admin.post(f"/api/v1/{path}/content_exports", {"export_type": export_type})
        assert (response.status_code, response.json()) == (400, {"message": "invalid export_type"})
        assert admin.create("zip", path)["export_type"] == "zip"


def test_09_other_peoples_groups_and_accounts_are_closed(start: Start, call: Call) -> None:
    canvas = start(groups=[Group(id=7)])
    for role, path in (("outsider", "groups/7"), ("teacher", "users/3")):
        response = call(canvas, role).post(f"/api/v1/{path}/content_exports", {"export_type": "zip"})
        assert (response.status_code, response.json()) == (403, DENIED)


def test_10_a_students_file_export_omits_locked_files(teacher: Caller, student: Caller) -> None:
    theirs, all_files = set(student.package("zip").namelist()), set(teacher.package("zip").namelist())
    assert theirs < all_files
    assert len(all_files - theirs) == 1


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "quiz_id required and must be a valid ID"),
        ({"quiz_id": "abc"}, "quiz_id required and must be a valid ID"),
        ({"quiz_id": "999"}, "Quiz could not be found"),
    ],
)
def test_12_a_quiz_migration_needs_a_quiz(teacher: Caller, fields: dict[str, str], message: str) -> None:
    response = teacher.post(EXPORTS, {"export_type": "quizzes2", **fields})
    assert (response.status_code, response.json()) == (400, {"message": message})


def test_13_a_second_request_makes_a_second_export(canvas: Sandbox, teacher: Caller) -> None:
    ids = [teacher.create()["id"] for _ in range(2)]
    canvas.advance(60)
    assert [(record.id, record.state) for record in canvas.exports] == [
        (ids[0], "exported"),
        (ids[1], "exported"),
    ]


@pytest.mark.parametrize("form", [{"data": {"select": ""}}, {"json": {"select": {}}}])
def test_14_an_empty_selection_is_everything(canvas: Sandbox, teacher: Caller, form: dict[str, Any]) -> None:
    body = {key: {**value, "export_type": "common_cartridge"} for key, value in form.items()}
    response = teacher.request("POST", EXPORTS, **body)
    assert response.status_code == 200
    assert canvas.exports[0].selection == {"everything": 1}


def test_the_order_of_checks_is_type_before_right(student: Caller, outsider: Caller) -> None:
    assert student.post(EXPORTS, {"export_type": "frog"}).status_code == 400
    assert outsider.post(EXPORTS, {"export_type": "frog"}).status_code == 403


def test_a_selection_that_is_no_hash_is_a_crash(teacher: Caller) -> None:
    response = teacher.post(EXPORTS, {"export_type": "zip", "select": "folders"})
    assert response.status_code == 500
    assert response.json()["error_report_id"]


def test_a_multipart_form_is_read_like_any_other(teacher: Caller) -> None:
    fields = {"export_type": (None, "zip"), "select[folders][]": (None, "101001")}
    response = teacher.request("POST", EXPORTS, files=fields)
    assert response.json()["export_type"] == "zip"
