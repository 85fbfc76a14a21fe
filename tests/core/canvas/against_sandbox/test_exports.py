"""Every documented item of the Content Exports API, used from end to end against the sandbox.

The table in ``docs/canvas-api.md`` names these tests.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from tests.support.canvas.campus import A_DAY, CONTEXTS, COURSE, GROUP, Campus, Found

from canvas_exports.core.canvas.api.export_request import ExportRequest
from canvas_exports.core.canvas.api.models import ExportState, ProgressState
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.errors import (
    DownloadError,
)
from canvas_sandbox import Course, Fault
from canvas_sandbox.content.model import Kind

# -- endpoints: three calls for courses, groups and users -------------------------------------------------------------


@pytest.mark.parametrize("collection", ["courses", "groups", "users"])
def test_list_content_exports(campus: Campus, client: CanvasClient, collection: str) -> None:
    context = CONTEXTS[collection]
    made = [campus.export(client, context, export_type="zip").id for _ in range(5)]
    pending = client.create_export(context, ExportRequest.build("zip", kind=context.kind)).id
    listed = list(client.list_exports(context, per_page=2))
    assert [export.id for export in listed] == [pending, *reversed(made)]
    assert [export.is_ready for export in listed] == [False, True, True, True, True, True]
    pages = [record for record in campus.sandbox.requests if "per_page=2" in record.query]
    assert len(pages) == 3
    assert pages[0].path.startswith(f"/api/v1/{collection}/")


@pytest.mark.parametrize("collection", ["courses", "groups", "users"])
def test_show_content_export(campus: Campus, client: CanvasClient, collection: str) -> None:
    context = CONTEXTS[collection]
    export = campus.export(client, context, export_type="zip")
    assert client.show_export(context, export.id) == export
    last = campus.sandbox.requests[-1]
    assert (last.method, last.path.split("/")[3], last.path.rsplit("/", 1)[1]) == (
        "GET",
        collection,
        str(export.id),
    )


@pytest.mark.parametrize("collection", ["courses", "groups", "users"])
def test_export_content(campus: Campus, client: CanvasClient, collection: str) -> None:
    context = CONTEXTS[collection]
    created = client.create_export(context, ExportRequest.build("zip", kind=context.kind))
    assert created.workflow_state is ExportState.CREATED
    assert created.attachment is None
    assert created.progress_id is not None
    campus.sleep(3600)
    finished = client.show_export(context, created.id)
    assert finished.is_ready
    campus.package(client, finished, context)


def test_progress_leads_from_request_to_package(campus: Campus, client: CanvasClient) -> None:
    export = client.create_export(COURSE, ExportRequest.build("common_cartridge"))
    assert export.progress_id is not None
    seen = []
    while not client.show_export(COURSE, export.id).is_ready:
        seen.append(client.progress(export.progress_id))
        campus.sleep(0.004)
    assert {progress.workflow_state for progress in seen} >= {ProgressState.RUNNING, ProgressState.COMPLETED}
    completions = [progress.completion or 0.0 for progress in seen]
    assert max(completions) == 100
    assert completions != sorted(completions)  # 25 is followed by 15


# -- parameters of Export content -------------------------------------------------------------------------------------

INSIDE = {
    "common_cartridge": "course_settings/canvas_export.txt",
    "qti": "non_cc_assessments/",
    "zip": "Submissions of last year/",  # an empty folder
}


@pytest.mark.parametrize(
    ("export_type", "suffix"), [("common_cartridge", ".imscc"), ("qti", ".zip"), ("zip", ".zip")]
)
def test_export_type(campus: Campus, client: CanvasClient, export_type: str, suffix: str) -> None:
    export = campus.export(client, export_type=export_type)
    assert export.export_type == export_type
    assert export.attachment is not None
    assert export.attachment.filename.endswith(suffix)
    names = campus.package(client, export)
    assert INSIDE[export_type] in names
    assert ("imsmanifest.xml" in names) == (export_type != "zip")


@pytest.mark.parametrize("skip", [True, False])
def test_skip_notifications(campus: Campus, client: CanvasClient, skip: bool) -> None:
    campus.export(client, skip_notifications=skip)
    assert campus.sandbox.exports[-1].notified is not skip


def test_version(campus: Campus, client: CanvasClient) -> None:
    campus.export(client)
    campus.export(client, version="1.3")
    assert [export.version for export in campus.sandbox.exports] == ["1.1.0", "1.3.0"]


DOCUMENTED = {
    "folders": Kind.FOLDER,
    "files": Kind.FILE,
    "attachments": Kind.FILE,
    "quizzes": Kind.QUIZ,
    "assignments": Kind.ASSIGNMENT,
    "announcements": Kind.ANNOUNCEMENT,
    "calendar_events": Kind.EVENT,
    "discussion_topics": Kind.DISCUSSION,
    "modules": Kind.MODULE,
    "module_items": Kind.MODULE_ITEM,
    "pages": Kind.PAGE,
    "rubrics": Kind.RUBRIC,
}


@pytest.mark.parametrize("object_type", list(DOCUMENTED))
def test_select_object_type(campus: Campus, client: CanvasClient, object_type: str) -> None:
    item = next(iter(campus.sandbox.content(101).of(DOCUMENTED[object_type])))
    whole = campus.package(client, campus.export(client))
    export = campus.export(client, select={object_type: [item.id]})
    assert len(campus.package(client, export)) < len(whole)
    recorded = campus.sandbox.exports[-1].selection
    assert list(recorded) == [DOCUMENTED[object_type].value]
    assert recorded[DOCUMENTED[object_type].value] == [item.key]


@pytest.mark.parametrize("alias", ["context_modules", "content_tags", "wiki_pages"])
def test_select_canvas_own_names(campus: Campus, client: CanvasClient, alias: str) -> None:
    campus.export(client, select={alias: [5]})
    assert list(campus.sandbox.exports[-1].selection) == [alias]


def test_select_integers_strings_and_hashes_mean_the_same(campus: Campus, client: CanvasClient) -> None:
    quiz = next(iter(campus.sandbox.content(101).of(Kind.QUIZ)))
    for ids in ([quiz.id], [str(quiz.id)], {quiz.asset_string: "1"}):
        campus.export(client, export_type="qti", select={"quizzes": ids})
    first, second, third = (export.selection for export in campus.sandbox.exports)
    assert first == second == third
    assert first


def test_select_several_types_at_once(campus: Campus, client: CanvasClient) -> None:
    content = campus.sandbox.content(101)
    page, quiz = next(iter(content.of(Kind.PAGE))), next(iter(content.of(Kind.QUIZ)))
    campus.export(client, select={"pages": [page.id], "quizzes": [quiz.id]})
    assert set(campus.sandbox.exports[-1].selection) == {"wiki_pages", "quizzes"}


@pytest.mark.parametrize("object_type", ["folders", "files", "attachments"])
def test_select_for_zip(campus: Campus, client: CanvasClient, object_type: str) -> None:
    content = campus.sandbox.content(101)
    whole = campus.package(client, campus.export(client, export_type="zip"))
    item = next(item for item in content.of(DOCUMENTED[object_type]) if item.id != content.root)
    names = campus.package(client, campus.export(client, export_type="zip", select={object_type: [item.id]}))
    assert 0 < len(names) < len(whole)


def test_select_for_qti(campus: Campus, client: CanvasClient) -> None:
    quiz = next(iter(campus.sandbox.content(101).of(Kind.QUIZ)))
    names = campus.package(client, campus.export(client, export_type="qti", select={"quizzes": [quiz.id]}))
    assert any(quiz.key in name for name in names)
    names = campus.package(client, campus.export(client, export_type="qti", select={"quizzes": [999_999]}))
    assert not any(quiz.key in name for name in names)


# -- the ContentExport object -----------------------------------------------------------------------------------------


def test_field_id(campus: Campus, client: CanvasClient) -> None:
    assert campus.export(client).id == campus.sandbox.exports[-1].id


def test_field_created_at(campus: Campus, client: CanvasClient) -> None:
    created = client.create_export(COURSE, ExportRequest.build("zip")).created_at
    there = datetime.fromtimestamp(campus.sandbox.exports[-1].created_at, timezone.utc)
    assert created.utcoffset() == timedelta(0)
    assert abs(created - there) < timedelta(seconds=1)


def test_field_export_type(campus: Campus, client: CanvasClient) -> None:
    assert campus.export(client, export_type="qti").export_type == "qti"


def test_field_attachment(found: Found) -> None:
    campus = found(switches={"expire_days": 30})
    with campus.client() as client:
        export = client.create_export(COURSE, ExportRequest.build("common_cartridge"))
        assert export.attachment is None
        campus.sleep(3600)
        attachment = client.show_export(COURSE, export.id).attachment
        assert attachment is not None
        assert attachment.url.startswith(f"{campus.sandbox.url}/files/{attachment.id}/download")
        assert attachment.size > 0
        assert attachment.filename
        campus.sleep(31 * A_DAY)
        expired = client.show_export(COURSE, export.id)
        assert (expired.attachment, expired.workflow_state, expired.is_ready) == (
            None,
            ExportState.EXPORTED,
            False,
        )


def test_field_progress_url(campus: Campus, client: CanvasClient) -> None:
    export = campus.export(client)
    assert export.progress_url == f"{campus.sandbox.url}/api/v1/progress/{export.progress_id}"
    assert export.progress_id is not None
    assert client.progress(export.progress_id).workflow_state is ProgressState.COMPLETED


def test_field_user_id(campus: Campus, client: CanvasClient) -> None:
    assert campus.export(client).user_id == client.whoami().id


def test_undocumented_fields_are_tolerated(campus: Campus, client: CanvasClient) -> None:
    assert campus.export(client).course_id == 101
    assert campus.export(client, GROUP, export_type="zip").course_id is None


# -- states -----------------------------------------------------------------------------------------------------------


def test_state_created(found: Found) -> None:
    campus = found(Course(101, faults=[Fault.STUCK_CREATED]))
    with campus.client() as client:
        assert campus.export(client).workflow_state is ExportState.CREATED


def test_state_exporting(found: Found) -> None:
    campus = found(Course(101, faults=[Fault.STUCK_EXPORTING]))
    with campus.client() as client:
        export = campus.export(client)
        assert export.workflow_state is ExportState.EXPORTING
        assert not export.is_ready
        assert not export.has_failed


def test_state_exported(campus: Campus, client: CanvasClient) -> None:
    assert campus.export(client).workflow_state is ExportState.EXPORTED


def test_state_failed(found: Found) -> None:
    campus = found(Course(101, faults=[Fault.EXPORT_FAILS]))
    with campus.client() as client:
        export = campus.export(client)
        assert export.workflow_state is ExportState.FAILED
        assert export.has_failed
        assert export.progress_id is not None
        assert client.progress(export.progress_id).workflow_state is ProgressState.FAILED


def test_state_waiting_for_external_tool(found: Found) -> None:
    campus = found(Course(101, faults=[Fault.STUCK_WAITING]))
    with campus.client() as client:
        assert campus.export(client).workflow_state is ExportState.WAITING_FOR_EXTERNAL_TOOL


def test_exported_without_a_package_is_not_ready(found: Found) -> None:
    campus = found(Course(101, faults=[Fault.NO_ATTACHMENT]))
    with campus.client() as client:
        export = campus.export(client)
        assert (export.workflow_state, export.is_ready) == (ExportState.EXPORTED, False)
        with pytest.raises(DownloadError, match="export again"):
            next(client.download(COURSE, export))
