"""Listing and showing exports: order, pages, expiry, and who sees what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from canvas_sandbox import Course, Group, Sandbox, Switches

if TYPE_CHECKING:
    from tests.support.canvas.sandbox_client import Call, Caller, Start

EXPORTS = "/api/v1/courses/101/content_exports"
DAY = 86_400


def test_20_a_teacher_lists_course_exports_and_own_files_newest_first(
    canvas: Sandbox, teacher: Caller, student: Caller
) -> None:
    own_zip = teacher.create("zip")["id"]
    student.create("zip")
    cartridge = teacher.create()["id"]
    qti = teacher.create("qti")["id"]
    canvas.copy_course(101)
    assert [row["id"] for row in teacher.get(EXPORTS).json()] == [qti, cartridge, own_zip]


def test_21_pages_keep_the_order(teacher: Caller) -> None:
    ids = [teacher.create("qti")["id"] for _ in range(5)]
    first = teacher.get(EXPORTS, params={"per_page": 3})
    second = teacher.get(first.links["next"]["url"])
    assert [row["id"] for row in first.json()] == ids[:1:-1]
    assert [row["id"] for row in second.json()] == ids[1::-1]
    assert "next" not in second.links


def test_22_after_35_days_the_package_is_gone_but_the_state_is_not(canvas: Sandbox, teacher: Caller) -> None:
    export = teacher.finish(teacher.create())
    assert "attachment" in export
    canvas.advance(35 * DAY)
    old = teacher.show(export)
    assert old["workflow_state"] == "exported"
    assert "attachment" not in old


def test_23_with_the_setting_0_nothing_expires(start: Start, call: Call) -> None:
    canvas = start(switches=Switches(manual_clock=True, expire_days=0))
    admin = call(canvas)
    export = admin.finish(admin.create())
    canvas.advance(400 * DAY)
    assert admin.download(admin.show(export)).status_code == 200


def test_24_show_keeps_to_each_kind_of_export(canvas: Sandbox, teacher: Caller, student: Caller) -> None:
    cartridge, files = teacher.create()["id"], student.create("zip")["id"]
    copy = canvas.copy_course(101)
    assert student.get(f"{EXPORTS}/{cartridge}").status_code == 403
    assert teacher.get(f"{EXPORTS}/{files}").status_code == 403
    assert teacher.get(f"{EXPORTS}/{copy}").status_code == 404
    assert teacher.get(f"{EXPORTS}/999999").status_code == 404
    assert student.get(f"{EXPORTS}/{files}").status_code == 200


def test_24_an_export_of_another_course_is_not_found(start: Start, call: Call) -> None:
    admin = call(start(Course(id=101), Course(id=102)))
    export = admin.create(context="courses/102")
    assert admin.get(f"{EXPORTS}/{export['id']}").status_code == 404


def test_25_a_student_lists_own_files_only(teacher: Caller, student: Caller) -> None:
    teacher.create()
    teacher.create("zip")
    own = student.create("zip")["id"]
    assert [row["id"] for row in student.get(EXPORTS).json()] == [own]


def test_26_group_and_user_exports_have_no_course_id(start: Start, call: Call) -> None:
    admin = call(start(groups=[Group(id=7)]))
    for context in ("groups/7", "users/self"):
        created = admin.create("zip", context)
        shown = admin.show(created, context)
        assert "course_id" not in created
        assert (shown["id"], shown["export_type"]) == (created["id"], "zip")
        assert [row["id"] for row in admin.get(f"/api/v1/{context}/content_exports").json()] == [
            created["id"]
        ]


def test_27_without_a_credential_there_is_a_challenge(canvas: Sandbox, admin: Caller, call: Call) -> None:
    export = admin.create()
    nobody = call(canvas, None)
    for response in (nobody.get(f"{EXPORTS}/{export['id']}"), nobody.get(EXPORTS), nobody.post(EXPORTS)):
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="canvas-lms"'
        assert response.json() == {
            "status": "unauthenticated",
            "errors": [{"message": "user authorization required"}],
        }


def test_an_export_object_has_the_documented_fields(admin: Caller) -> None:
    export = admin.finish(admin.create())
    assert list(export) == [
        "id",
        "user_id",
        "workflow_state",
        "export_type",
        "created_at",
        "course_id",
        "attachment",
        "progress_url",
    ]
    assert export["created_at"].endswith("Z")
    attachment = export["attachment"]
    assert list(attachment)[:4] == ["id", "folder_id", "display_name", "filename"]
    assert {"content-type", "url", "size", "upload_status", "locked", "mime_class"} <= set(attachment)
    assert not {"uuid", "checksum"} & set(attachment)


def test_an_outsider_sees_nothing_of_a_course(outsider: Caller) -> None:
    assert outsider.get(EXPORTS).status_code == 403


def test_a_content_share_is_a_row_without_progress(canvas: Sandbox, admin: Caller) -> None:
    own = admin.create()["id"]
    shared = canvas.share_content(101, canvas.tokens["teacher"])
    rows = {row["id"]: row for row in admin.get(EXPORTS).json()}
    assert list(rows) == [shared, own]
    assert "progress_url" not in rows[shared]
    assert (rows[shared]["workflow_state"], rows[shared]["user_id"]) == ("exported", 2)
    assert rows[shared]["export_type"] == "common_cartridge"
    assert admin.download(rows[shared]).content.startswith(b"PK")
    assert admin.show(rows[shared]) == rows[shared]
    assert "progress_url" in rows[own]
