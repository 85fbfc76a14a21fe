"""The requests of content migrations, and the objects in their responses."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest
from tests.support.canvas.scripted_canvas import COURSE, Either, ScriptedServer

from canvas_exports.core.canvas.api.migrations import (
    IssueType,
    MigrationRequest,
    MigrationState,
    MigrationType,
    PackageFile,
)
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.model.contexts import Context
from canvas_exports.core.model.export_types import ExportType
from canvas_exports.errors import InputError, ResponseLostError, UnexpectedResponseError

MIGRATIONS = "/api/v1/courses/101/content_migrations"
FILE = PackageFile("501.imscc", 3)
CARTRIDGE = MigrationRequest(MigrationType.CARTRIDGE, FILE)


def migration_json(**changes: Any) -> dict[str, Any]:
    """A migration that waits for its file, as Canvas shows it; a value of ``...`` removes the field."""
    row = {
        "id": 9,
        "user_id": 1,
        "workflow_state": "pre_processing",
        "migration_type": "canvas_cartridge_importer",
        "created_at": "2026-11-23T02:00:00Z",
        "progress_url": "https://canvas.example.edu/api/v1/progress/88",
        "pre_attachment": {
            "upload_url": "https://storage.example.edu/put?signature=secret",
            "upload_params": {"key": "a/b", "Policy": "secret", "size": 3, "acl": None},
            "file_param": "file",
        },
    }
    row.update(changes)
    return {name: value for name, value in row.items() if value is not ...}


@pytest.mark.parametrize(
    ("export_type", "importer"),
    [
        ("common_cartridge", "canvas_cartridge_importer"),
        ("qti", "qti_converter"),
        ("zip", "zip_file_importer"),
    ],
)
def test_every_type_of_package_has_its_importer(export_type: str, importer: str) -> None:
    assert MigrationType.of(ExportType(export_type)).value == importer


def test_a_migration_is_created_with_the_file_that_will_be_uploaded(
    client: CanvasClient, server: ScriptedServer
) -> None:
    server.on(f"POST {MIGRATIONS}", {"json": migration_json()})
    made = client.create_migration(COURSE, CARTRIDGE)
    assert parse_qsl(server.seen[0].body) == [
        ("migration_type", "canvas_cartridge_importer"),
        ("pre_attachment[name]", "501.imscc"),
        ("pre_attachment[size]", "3"),
        ("pre_attachment[content_type]", "application/zip"),
    ]
    assert (made.id, made.progress_id, made.workflow_state) == (9, 88, MigrationState.PRE_PROCESSING)
    assert made.ticket is not None
    assert made.ticket.params == (("key", "a/b"), ("Policy", "secret"), ("size", "3"), ("acl", ""))


def test_a_url_is_handed_over_and_shown_nowhere(client: CanvasClient, server: ScriptedServer) -> None:
    server.on(f"POST {MIGRATIONS}", {"json": migration_json(pre_attachment=..., workflow_state="running")})
    request = MigrationRequest(MigrationType.CARTRIDGE, file_url="https://s3.example.edu/a?signature=secret")
    made = client.create_migration(COURSE, request)
    assert parse_qsl(server.seen[0].body)[-1] == (
        "settings[file_url]",
        "https://s3.example.edu/a?signature=secret",
    )
    assert made.ticket is None
    assert "secret" not in repr(request) + repr(made)


def test_a_ticket_shows_nothing_of_itself(client: CanvasClient, server: ScriptedServer) -> None:
    server.on(f"POST {MIGRATIONS}", {"json": migration_json()})
    assert "secret" not in repr(client.create_migration(COURSE, CARTRIDGE))


def test_files_go_into_a_folder_and_nothing_else_does(client: CanvasClient, server: ScriptedServer) -> None:
    server.on("GET /api/v1/courses/101/folders/root", {"json": {"id": 77}})
    assert client.root_folder(COURSE) == 77
    assert ("settings[folder_id]", "77") in MigrationRequest(MigrationType.ZIP, FILE, folder_id=77).pairs()
    for wrong in (
        {"migration_type": MigrationType.ZIP},
        {"migration_type": MigrationType.QTI, "folder_id": 7},
    ):
        with pytest.raises(InputError, match="folder_id"):
            MigrationRequest(file=FILE, **wrong)


def test_a_migration_has_exactly_one_source() -> None:
    for file, url in ((None, None), (FILE, "https://s3.example.edu/a")):
        with pytest.raises(InputError, match="one source"):
            MigrationRequest(MigrationType.CARTRIDGE, file, url)


def test_a_refusal_for_the_quota_is_an_answer_of_200(client: CanvasClient, server: ScriptedServer) -> None:
    refused = {"error": True, "message": "file size exceeds quota"}
    server.on(f"POST {MIGRATIONS}", {"json": migration_json(workflow_state="failed", pre_attachment=refused)})
    made = client.create_migration(COURSE, CARTRIDGE)
    assert (made.workflow_state, made.refusal) == (MigrationState.FAILED, "file size exceeds quota")
    assert made.ticket is None


@pytest.mark.parametrize(
    ("state", "is_over"),
    [
        ("pre_processing", False),
        ("pre_processed", False),
        ("queued", False),
        ("running", False),
        ("invented_later", False),
        ("waiting_for_select", True),
        ("completed", True),
        ("failed", True),
    ],
)
def test_every_state_says_whether_canvas_will_go_on(
    either: Either, server: ScriptedServer, state: str, is_over: bool
) -> None:
    server.on(f"GET {MIGRATIONS}/9", {"json": migration_json(workflow_state=state)})
    assert either.show_migration(COURSE, 9).workflow_state.is_over is is_over


def test_a_creation_is_not_repeated_when_its_answer_is_lost(
    client: CanvasClient, server: ScriptedServer
) -> None:
    server.on(f"POST {MIGRATIONS}", {"drop": True})
    with pytest.raises(ResponseLostError, match="list of content migrations first"):
        client.create_migration(COURSE, CARTRIDGE)
    assert len(server.seen) == 1


def test_an_upload_begun_anew_is_asked_for_again_when_the_answer_is_lost(
    client: CanvasClient, server: ScriptedServer
) -> None:
    server.on(f"PUT {MIGRATIONS}/9", {"drop": True}, {"json": migration_json()})
    assert client.upload_again(COURSE, 9, FILE).ticket is not None
    assert [seen.method for seen in server.seen] == ["PUT", "PUT"]
    assert parse_qsl(server.seen[1].body)[0] == ("pre_attachment[name]", "501.imscc")


def test_migrations_and_their_issues_are_walked_to_the_end(either: Either, server: ScriptedServer) -> None:
    issues = f"{MIGRATIONS}/9/migration_issues"
    server.on(
        f"GET {issues}",
        {
            "json": [
                {"id": 1, "issue_type": "todo", "description": "Look at the quiz", "workflow_state": "active"}
            ],
            "headers": {"link": f'<{server.url}/more>; rel="next"'},
        },
    )
    server.on(
        "GET /more",
        {
            "json": [
                {
                    "id": 2,
                    "issue_type": "error",
                    "description": None,
                    "error_report_html_url": "https://x/?a=1",
                },
                {"id": 3, "issue_type": "invented", "description": "?"},
            ]
        },
    )
    found = either.migration_issues(COURSE, 9)
    assert [issue.issue_type for issue in found] == [IssueType.TODO, IssueType.ERROR, IssueType.WARNING]
    assert [issue.description for issue in found] == ["Look at the quiz", "", "?"]


def test_the_list_of_migrations_is_walked(client: CanvasClient, server: ScriptedServer) -> None:
    server.on(f"GET {MIGRATIONS}", {"json": [migration_json(id=2), migration_json(id=1)]})
    assert [row.id for row in client.list_migrations(COURSE)] == [2, 1]


def test_a_syllabus_is_text_or_nothing(client: CanvasClient, server: ScriptedServer) -> None:
    server.on(
        "GET /api/v1/courses/101",
        {"json": {"id": 101, "syllabus_body": None}},
        {"json": {"syllabus_body": "x"}},
    )
    assert (client.syllabus(COURSE), client.syllabus(COURSE)) == ("", "x")


def test_an_answer_that_is_no_migration_is_unexpected(client: CanvasClient, server: ScriptedServer) -> None:
    server.on(f"GET {MIGRATIONS}/9", {"json": []})
    with pytest.raises(UnexpectedResponseError):
        client.show_migration(COURSE, 9)


def test_only_courses_are_restored_into(client: CanvasClient, server: ScriptedServer) -> None:
    with pytest.raises(InputError, match="not a course"):
        client.create_migration(Context.parse("group:7"), CARTRIDGE)
    with pytest.raises(InputError, match="migration_id"):
        client.show_migration(COURSE, 0)
    assert server.seen == []
