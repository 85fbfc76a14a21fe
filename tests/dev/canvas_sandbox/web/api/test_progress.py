"""Progress: what it shows, to whom, and what cancelling does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from canvas_sandbox import Course, Fault

if TYPE_CHECKING:
    from tests.support.canvas.sandbox_client import Call, Caller, Start


def test_36_progress_has_its_fields_and_a_float(start: Start, call: Call) -> None:
    canvas = start(Course(id=101, duration=100))
    admin = call(canvas)
    export = admin.create()
    canvas.advance(50)
    response = admin.get(export["progress_url"])
    progress = response.json()
    assert list(progress) == [
        "id",
        "context_id",
        "context_type",
        "user_id",
        "tag",
        "completion",
        "workflow_state",
        "created_at",
        "updated_at",
        "message",
        "url",
    ]
    assert isinstance(progress["completion"], float)
    assert (progress["context_type"], progress["context_id"]) == ("ContentExport", export["id"])
    assert (progress["tag"], progress["message"], progress["user_id"]) == ("content_export", None, 1)
    assert progress["url"] == export["progress_url"]
    assert progress["updated_at"] > progress["created_at"]
    assert b'"completion":35.0' in response.content or b'"completion":37.0' in response.content


def test_36_before_the_job_starts_completion_may_be_null(start: Start, call: Call) -> None:
    admin = call(start(Course(id=101, faults=[Fault.STUCK_CREATED])))
    assert admin.progress(admin.create())["completion"] is None


def test_36_without_rights_progress_is_denied_and_unknown_ones_are_not_found(
    admin: Caller, student: Caller, teacher: Caller
) -> None:
    cartridge = admin.create()
    assert student.get(cartridge["progress_url"]).status_code == 403
    assert teacher.get(cartridge["progress_url"]).status_code == 200
    assert admin.get("/api/v1/progress/1").status_code == 404


def test_37_only_the_owner_cancels_and_the_export_continues(admin: Caller, teacher: Caller) -> None:
    export = admin.create()
    cancel = export["progress_url"] + "/cancel"
    assert teacher.post(cancel).status_code == 403
    cancelled = admin.post(cancel, {"message": "no longer wanted"}).json()
    assert (cancelled["workflow_state"], cancelled["message"]) == ("failed", "no longer wanted")
    assert admin.finish(export)["workflow_state"] == "exported"
    assert admin.progress(export)["workflow_state"] == "completed"
