from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from tests.support.canvas.scripted_canvas import export_json

from canvas_exports.core.canvas.api.models import Attachment, ContentExport, ExportState, ProgressState
from canvas_exports.core.canvas.api.parsing import (
    read_course,
    read_export,
    read_list_item,
    read_progress,
    read_user,
)
from canvas_exports.core.canvas.http.pagination import read_rows
from canvas_exports.errors import UnexpectedResponseError


def test_a_finished_export_is_read_whole() -> None:
    export = read_export(export_json())
    assert export == ContentExport(
        id=501,
        created_at=datetime(2026, 11, 23, 2, tzinfo=timezone.utc),
        export_type="common_cartridge",
        workflow_state=ExportState.EXPORTED,
        user_id=9,
        attachment=Attachment(
            id=7,
            filename="biology-export.imscc",
            size=4,
            url="https://canvas.example.edu/files/7/download?download_frd=1&verifier=abc",
            content_type="application/zip",
        ),
        progress_url="https://canvas.example.edu/api/v1/progress/88",
        course_id=101,
    )
    assert export.progress_id == 88
    assert export.is_ready


def test_what_canvas_leaves_out_is_none() -> None:
    export = read_export(export_json(user_id=None, attachment=..., progress_url=..., course_id=...))
    assert (export.user_id, export.attachment, export.progress_id, export.course_id) == (
        None,
        None,
        None,
        None,
    )
    assert not export.is_ready


def test_undocumented_fields_of_one_value_are_kept_and_never_shown() -> None:
    export = read_export(export_json(new_quizzes_export_state="completed", quota={"a": 1}))
    assert export.extra == {"new_quizzes_export_state": "completed"}
    assert "completed" not in repr(export)


def test_ids_may_be_strings() -> None:
    export = read_export(export_json(id="501", user_id="9", course_id="101"))
    assert (export.id, export.user_id, export.course_id) == (501, 9, 101)


@pytest.mark.parametrize(
    "state", ["created", "exporting", "exported", "failed", "waiting_for_external_tool", "deleted"]
)
def test_every_state_of_an_export_is_known(state: str) -> None:
    assert read_export(export_json(workflow_state=state)).workflow_state.value == state


def test_a_state_invented_later_reads_as_unknown() -> None:
    assert read_export(export_json(workflow_state="pondering")).workflow_state is ExportState.UNKNOWN


def test_a_locked_package_has_no_url_and_is_not_ready() -> None:
    export = read_export(export_json(attachment={"id": 7, "display_name": "x.zip", "size": 0, "url": ""}))
    assert export.attachment == Attachment(7, "x.zip", 0, "")
    assert not export.is_ready


@pytest.mark.parametrize(
    "document",
    [
        *(export_json(**{name: ...}) for name in ("id", "created_at", "workflow_state", "export_type")),
        export_json(id=True),
        export_json(id="x"),
        export_json(created_at="yesterday"),
        export_json(created_at="2026-13-01T00:00:00Z"),
        export_json(created_at=5),
        export_json(attachment=[]),
        export_json(attachment={"id": 1, "url": "x"}),
        [],
        None,
        "x",
    ],
)
def test_an_export_without_what_is_needed_is_unexpected(document: Any) -> None:
    with pytest.raises(UnexpectedResponseError):
        read_export(document)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-23T02:00:00Z", datetime(2026, 11, 23, 2, tzinfo=timezone.utc)),
        ("2026-11-23T02:00:00.5Z", datetime(2026, 11, 23, 2, microsecond=500_000, tzinfo=timezone.utc)),
        ("2026-11-23T02:00:00.1234567Z", datetime(2026, 11, 23, 2, microsecond=123_456, tzinfo=timezone.utc)),
        ("2026-11-23T04:00:00+02:00", datetime(2026, 11, 23, 2, tzinfo=timezone.utc)),
        ("2026-11-22T19:00:00-0700", datetime(2026, 11, 23, 2, tzinfo=timezone.utc)),
        ("2026-11-23T02:00:00", datetime(2026, 11, 23, 2, tzinfo=timezone.utc)),
    ],
)
def test_times_are_utc_in_every_form_of_iso_8601(written: str, meant: datetime) -> None:
    read = read_export(export_json(created_at=written)).created_at
    assert read == meant
    assert read.utcoffset() == timedelta(0)


@pytest.mark.parametrize("completion", [0, 0.0, 55.5, 100.0, None])
def test_progress_completion_is_a_number_or_absent(completion: float | None) -> None:
    progress = read_progress(
        {"id": 88, "workflow_state": "running", "completion": completion, "updated_at": None}
    )
    assert progress.completion == completion
    assert progress.workflow_state is ProgressState.RUNNING


@pytest.mark.parametrize(
    "state", ["queued", "running", "completed", "failed", "waiting_for_external_tool", "canceled"]
)
def test_every_state_of_a_progress_is_known(state: str) -> None:
    assert read_progress({"id": 1, "workflow_state": state}).workflow_state.value == state


def test_an_unknown_progress_state_means_keep_waiting() -> None:
    assert read_progress({"id": 1, "workflow_state": "x"}).workflow_state is ProgressState.UNKNOWN


def test_a_course_has_its_real_name_not_the_users_nickname() -> None:
    course = read_course(
        {
            "id": 101,
            "name": "my bio",
            "original_name": "Biology",
            "course_code": "BIO",
            "workflow_state": "available",
            "account_id": 3,
            "root_account_id": 1,
            "enrollment_term_id": 5,
            "term": {"id": 5, "name": "Winter", "sis_term_id": "2026-W"},
            "sis_course_id": "BIO-101",
            "uuid": "u",
        }
    )
    assert (course.name, course.term_name, course.sis_term_id) == ("Biology", "Winter", "2026-W")
    assert (course.account_id, course.root_account_id, course.enrollment_term_id) == (3, 1, 5)
    assert (course.sis_course_id, course.uuid, course.course_code) == ("BIO-101", "u", "BIO")


def test_a_course_cut_down_to_its_id_is_a_course() -> None:
    course = read_course({"id": 101, "access_restricted_by_date": True})
    assert (course.id, course.name, course.term_name, course.sis_course_id) == (101, None, None, None)


def test_a_user_does_not_show_a_name() -> None:
    user = read_user({"id": 9, "name": "Jane Doe"})
    assert user.name == "Jane Doe"
    assert "Jane" not in repr(user)


def test_content_list_rows_are_types_or_items() -> None:
    (kinds, item), unreadable = read_rows(
        [
            {"type": "wiki_pages", "property": "select[all_wiki_pages]", "title": "Pages", "count": 3},
            {"type": "quizzes", "id": 5, "title": "Quiz"},
        ],
        read_list_item,
    )
    assert (kinds.type, kinds.property, kinds.count, kinds.id) == (
        "wiki_pages",
        "select[all_wiki_pages]",
        3,
        None,
    )
    assert (item.id, item.title, item.count) == ("5", "Quiz", None)
    assert unreadable is None


@pytest.mark.parametrize("read", [read_progress, read_course, read_user, read_list_item])
@pytest.mark.parametrize("document", [{}, [], None, {"id": None, "type": None}])
def test_objects_without_their_id_are_unexpected(read: Callable[[Any], object], document: Any) -> None:
    with pytest.raises(UnexpectedResponseError):
        read(document)


def test_a_list_must_be_a_list() -> None:
    with pytest.raises(UnexpectedResponseError):
        read_rows({"errors": []}, read_course)
