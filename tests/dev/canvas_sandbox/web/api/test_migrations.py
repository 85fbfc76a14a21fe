"""Content migrations: conformance checks 53 to 61, and what a restore meets besides."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from canvas_sandbox import Course, Fault, Group, Sandbox, Switches

if TYPE_CHECKING:
    from tests.support.canvas.sandbox_client import Call, Caller, Start

PATH = "/api/v1/courses/102/content_migrations"
TYPE = "canvas_cartridge_importer"


@pytest.fixture
def canvas(start: Start) -> Sandbox:
    return start(
        Course(id=101, name="Biology", sis_course_id="BIO/1"),
        Course(id=102, name="Drill", size=0),
        groups=[Group(id=7, size=0)],
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "Invalid migration_type"),
        ({"migration_type": "jwplayer_importer"}, "Invalid migration_type"),
        ({"migration_type": TYPE}, "File upload, file_url, or content_export_id is required"),
        (
            {"migration_type": TYPE, "pre_attachment[size]": 7},
            "File upload, file_url, or content_export_id is required",
        ),
        ({"migration_type": "course_copy_importer"}, "A course copy requires a source course."),
        (
            {"migration_type": "zip_file_importer", "settings[file_url]": "http://127.0.0.1/a.zip"},
            "A .zip upload requires a folder to upload to.",
        ),
        (
            {
                "migration_type": "zip_file_importer",
                "settings[file_url]": "http://127.0.0.1/a.zip",
                "settings[source_folder_id]": 102000,
            },
            "A .zip upload requires a folder to upload to.",
        ),
        (
            {
                "migration_type": "zip_file_importer",
                "settings[file_url]": "http://127.0.0.1/a.zip",
                "settings[folder_id]": 101000,
            },
            "The specified folder couldn't be found in this course.",
        ),
    ],
)
def test_53_a_request_that_cannot_work_is_refused_in_canvas_s_words(
    canvas: Sandbox, admin: Caller, fields: dict[str, Any], message: str
) -> None:
    response = admin.post(PATH, fields)
    assert (response.status_code, response.json()) == (400, {"message": message})
    assert canvas.migrations == []


def test_53_a_type_that_the_context_does_not_know_is_refused(admin: Caller) -> None:
    for context in ("groups/7", "users/self", "accounts/1"):
        response = admin.post(f"/api/v1/{context}/content_migrations", {"migration_type": TYPE})
        assert response.json() == {"message": "Unsupported migration_type for context"}


def test_54_a_migration_that_waits_for_its_file_says_where_to_send_it(canvas: Sandbox, admin: Caller) -> None:
    migration = admin.migrate()
    assert migration["workflow_state"] == "pre_processing"
    assert migration["pre_attachment"]["upload_params"]
    assert (migration["started_at"], migration["finished_at"]) == (None, None)
    canvas.advance(600)
    assert admin.progress(migration)["workflow_state"] == "queued"
    shown = admin.show_migration(migration)
    assert shown["workflow_state"] == "pre_processing"
    assert "pre_attachment" not in shown


def test_55_the_migration_begins_when_the_upload_is_completed(start: Start, call: Call) -> None:
    canvas = start(Course(id=101), Course(id=102, size=0), switches=Switches(manual_clock=True, job_delay=5))
    admin = call(canvas)
    package = admin.exported()
    migration = admin.migrate()
    sent = admin.send(migration, package)
    canvas.advance(60)
    assert admin.show_migration(migration)["workflow_state"] == "pre_processing"
    assert admin.complete(sent).json()["size"] == len(package)
    assert admin.show_migration(migration)["workflow_state"] == "running"
    assert admin.progress(migration)["workflow_state"] == "queued"
    canvas.advance(5.01)
    assert admin.progress(migration)["workflow_state"] == "running"
    canvas.advance(60)
    assert admin.show_migration(migration)["workflow_state"] == "completed"
    progress = admin.progress(migration)
    assert (progress["workflow_state"], progress["completion"]) == ("completed", 100.0)
    assert (progress["context_type"], progress["context_id"]) == ("ContentMigration", migration["id"])


def test_56_a_file_too_large_for_the_course_is_answered_with_200_and_has_failed(admin: Caller) -> None:
    migration = admin.migrate(size=1024**3)
    assert migration["workflow_state"] == "failed"
    assert migration["pre_attachment"] == {"error": True, "message": "file size exceeds quota"}


def test_56_a_course_has_the_quota_it_was_given(start: Start, call: Call) -> None:
    admin = call(start(Course(id=102, size=0, storage_quota_mb=1)))
    assert admin.get("/api/v1/courses/102/files/quota").json() == {"quota": 1_048_576, "quota_used": 0}
    assert admin.migrate(size=1_048_576)["workflow_state"] == "pre_processing"
    assert admin.migrate(size=1_048_577)["workflow_state"] == "failed"


def test_57_a_file_that_never_comes_fails_its_migration_when_it_is_read(
    canvas: Sandbox, admin: Caller
) -> None:
    migration = admin.migrate()
    canvas.advance(3600)
    assert admin.show_migration(migration)["workflow_state"] == "pre_processing"
    canvas.advance(3600)
    assert canvas.migrations[0].state == "pre_processing"
    shown = admin.show_migration(migration)
    assert (shown["workflow_state"], shown["migration_issues_count"]) == ("failed", 1)
    (issue,) = admin.issues(shown)
    assert issue["description"] == "The file upload process timed out."
    assert (issue["issue_type"], issue["workflow_state"]) == ("error", "active")


def test_58_an_export_is_imported_without_a_transfer(canvas: Sandbox, admin: Caller) -> None:
    export = admin.finish(admin.create())
    migration = admin.migrate(size=None, **{"settings[content_export_id]": export["id"]})
    assert migration["workflow_state"] == "running"
    canvas.advance(60)
    assert admin.show_migration(migration)["workflow_state"] == "completed"
    assert admin.names("pages") == admin.names("pages", 101)
    assert not [row for row in canvas.requests if row.listener == "storage"]


def test_58_an_export_that_is_unknown_hidden_or_unfinished_is_refused(
    canvas: Sandbox, admin: Caller, student: Caller, teacher: Caller
) -> None:
    hidden = student.finish(student.create("zip"))
    unfinished = admin.create()
    for number, message in (
        (999, "invalid content export"),
        ("x", "invalid content export"),
        (hidden["id"], "invalid content export"),
        (unfinished["id"], "content export is incomplete"),
    ):
        form = {"migration_type": TYPE, "settings[content_export_id]": number}
        response = teacher.post(PATH, form)
        assert (response.status_code, response.json()) == (400, {"message": message})
    assert canvas.migrations == []


def test_59_a_selective_import_waits_for_the_selection_and_imports_it(canvas: Sandbox, admin: Caller) -> None:
    migration = admin.restore(admin.exported(), selective_import="true")
    assert migration["workflow_state"] == "waiting_for_select"
    assert admin.names("pages") == []
    offered = admin.get(f"{PATH}/{migration['id']}/selective_data").json()
    pages = next(row for row in offered if row["type"] == "wiki_pages")
    assert (pages["property"], pages["count"]) == ("copy[all_wiki_pages]", 4)
    rows = admin.get(pages["sub_items_url"]).json()
    response = admin.request("PUT", f"{PATH}/{migration['id']}", data={rows[1]["property"]: "1"})
    assert response.json()["workflow_state"] == "running"
    canvas.advance(60)
    assert admin.show_migration(migration)["workflow_state"] == "completed"
    assert admin.names("pages") == [rows[1]["title"]]
    assert (admin.names("quizzes"), admin.names("modules")) == ([], [])
    assert canvas.migrations[0].imports == 1


def test_60_a_round_trip_recreates_module_page_and_rewritten_link_with_equal_ids(admin: Caller) -> None:
    package = admin.exported()
    assert admin.restore(package)["workflow_state"] == "completed"
    assert admin.names("modules") == ["Start here", "Core"]
    module = admin.get("/api/v1/courses/102/modules").json()[0]
    item = admin.get(module["items_url"]).json()[0]
    page = admin.get(f"/api/v1/courses/102/pages/{item['page_url']}").json()
    files = {row["display_name"]: row for row in admin.get("/api/v1/courses/102/files").json()}
    linked = [name for name, row in files.items() if f'/courses/102/files/{row["id"]}"' in page["body"]]
    original = admin.get(f"/api/v1/courses/101/pages/{item['page_url']}").json()["body"]
    assert len(linked) == 1
    assert linked[0] in original
    assert "IMS-CC-FILEBASE" not in page["body"]
    assert not {row["id"] for row in files.values()} & {
        row["id"] for row in admin.get("/api/v1/courses/101/files").json()
    }
    assert identifiers(admin.exported(context="courses/102")) == identifiers(package)


def identifiers(package: bytes) -> set[str]:
    """The identifiers of all resources and items, without the course's own."""
    root = ET.fromstring(zipfile.ZipFile(io.BytesIO(package)).read("imsmanifest.xml"))  # noqa: S314  our own
    return {str(row.get("identifier")) for row in root.iter() if row is not root and row.get("identifier")}


def test_61_the_sis_id_of_a_source_course_is_translated(canvas: Sandbox, admin: Caller) -> None:
    migration = admin.migrate(
        "course_copy_importer", size=None, **{"settings[source_course_id]": "sis_course_id:BIO/1"}
    )
    assert migration["settings"] == {
        "source_course_id": 101,
        "source_course_name": "Biology",
        "source_course_html_url": f"{canvas.url}/courses/101",
    }
    canvas.advance(60)
    shown = admin.show_migration(migration)
    assert shown["workflow_state"] == "completed"
    assert "attachment" not in shown
    for listing in ("pages", "files", "quizzes", "modules", "discussion_topics", "assignments"):
        assert admin.names(listing) == admin.names(listing, 101)


def test_a_part_of_a_course_is_copied(canvas: Sandbox, admin: Caller) -> None:
    page = admin.get("/api/v1/courses/101/pages").json()[2]
    given = {"settings[source_course_id]": 101, "select[pages][]": page["page_id"]}
    admin.migrate("course_copy_importer", size=None, **given)
    canvas.advance(60)
    assert admin.names("pages") == [page["title"]]
    assert admin.names("files") == []


def test_a_migration_has_the_fields_of_canvas(admin: Caller) -> None:
    shown = admin.restore(admin.exported())
    assert list(shown)[:9] == [
        "id",
        "user_id",
        "workflow_state",
        "started_at",
        "finished_at",
        "migration_type",
        "created_at",
        "migration_issues_url",
        "migration_issues_count",
    ]
    assert shown["attachment"]["upload_status"] == "success"
    assert shown["migration_type_title"] == "Canvas Course Export Package"


def test_migrations_are_listed_newest_first_and_only_those_of_the_course(admin: Caller) -> None:
    ids = [admin.migrate()["id"] for _ in range(5)]
    admin.migrate(context="courses/101")
    first = admin.get(PATH, params={"per_page": 3})
    assert [row["id"] for row in first.json()] == ids[:1:-1]
    assert [row["id"] for row in admin.get(first.links["next"]["url"]).json()] == ids[1::-1]
    assert admin.get(f"/api/v1/courses/101/content_migrations/{ids[0]}").status_code == 404


def test_the_migrators_are_listed_with_their_trap(admin: Caller) -> None:
    rows = {row["type"]: row for row in admin.get(f"{PATH}/migrators").json()}
    assert {name for name, row in rows.items() if not row["requires_file_upload"]} == {"course_copy_importer"}
    assert rows["zip_file_importer"]["required_settings"] == ["source_folder_id"]
    groups = admin.get("/api/v1/groups/7/content_migrations/migrators").json()
    assert [row["type"] for row in groups] == ["zip_file_importer"]


def test_only_who_manages_a_course_imports_into_it(
    student: Caller, outsider: Caller, teacher: Caller
) -> None:
    for caller in (student, outsider):
        for response in (caller.post(PATH, {"migration_type": TYPE}), caller.get(PATH)):
            assert response.status_code == 403
    migration = teacher.migrate()
    assert student.get(f"{PATH}/{migration['id']}").status_code == 403
    assert student.get(migration["progress_url"]).status_code == 403
    assert teacher.get(migration["progress_url"]).status_code == 200


def test_issues_are_read_page_by_page_and_resolved_one_by_one(start: Start, call: Call) -> None:
    faults = [Fault.IMPORT_WARNINGS, Fault.IMPORT_ERRORS]
    canvas = start(Course(id=101), Course(id=102, size=0, faults=faults))
    admin = call(canvas)
    migration = admin.restore(admin.exported())
    assert (migration["workflow_state"], migration["migration_issues_count"]) == ("completed", 6)
    first = admin.get(migration["migration_issues_url"], params={"per_page": 4})
    rest = admin.get(first.links["next"]["url"])
    rows = first.json() + rest.json()
    assert [row["issue_type"] for row in rows] == ["warning", "todo", *["error"] * 4]
    assert len({row["id"] for row in rows}) == 6
    url = f"{migration['migration_issues_url']}/{rows[0]['id']}"
    assert admin.request("PUT", url, data={"workflow_state": "nonsense"}).status_code == 400
    assert (
        admin.request("PUT", url, data={"workflow_state": "resolved"}).json()["workflow_state"] == "resolved"
    )
    assert admin.get(url).json()["workflow_state"] == "resolved"


def test_an_import_with_errors_leaves_out_what_it_names(start: Start, call: Call) -> None:
    canvas = start(Course(id=101), Course(id=102, size=0, faults=[Fault.IMPORT_ERRORS]))
    admin = call(canvas)
    issues = admin.issues(admin.restore(admin.exported()))
    missing = [name for name in admin.names("pages", 101) if name not in admin.names("pages")]
    assert len(missing) == 2
    assert all(any(name in issue["description"] for issue in issues) for name in missing)
    assert len(admin.names("files")) == len(admin.names("files", 101)) - 2


def test_a_failed_import_leaves_nothing_behind(start: Start, call: Call) -> None:
    canvas = start(Course(id=101), Course(id=102, size=0, faults=[Fault.IMPORT_FAILS.times(1)]))
    admin = call(canvas)
    package = admin.exported()
    migration = admin.restore(package)
    assert migration["workflow_state"] == "failed"
    assert admin.progress(migration)["workflow_state"] == "failed"
    assert [issue["issue_type"] for issue in admin.issues(migration)] == ["error"]
    assert admin.names("files") == []
    assert admin.restore(package)["workflow_state"] == "completed"
    assert [record.imports for record in canvas.migrations] == [0, 1]


@pytest.mark.parametrize("data", [b"not a zip", b"PK\x05\x06" + bytes(18), b"PK\x03\x04" * 40])
def test_what_is_no_cartridge_fails_with_an_issue(admin: Caller, data: bytes) -> None:
    migration = admin.restore(data)
    assert migration["workflow_state"] == "failed"
    (issue,) = admin.issues(migration)
    assert issue["issue_type"] == "error"


def test_a_migration_waits_behind_another_one_in_its_course(start: Start, call: Call) -> None:
    faults = [Fault.IMPORT_SLOW.times(1)]
    switches = Switches(manual_clock=True, import_duration=10, recheck=60)
    canvas = start(Course(id=101), Course(id=102, size=0, faults=faults), switches=switches)
    admin = call(canvas)
    export = admin.finish(admin.create())
    given = {"settings[content_export_id]": export["id"]}
    first, second = (admin.migrate(size=None, **given) for _ in range(2))
    canvas.advance(1)
    assert admin.show_migration(first)["workflow_state"] == "running"
    assert admin.show_migration(second)["workflow_state"] == "queued"
    canvas.advance(200)
    assert admin.show_migration(first)["workflow_state"] == "completed"
    assert admin.show_migration(second)["workflow_state"] == "queued"
    canvas.advance(60)
    assert admin.show_migration(second)["workflow_state"] == "completed"


def test_a_migration_behind_a_stuck_one_is_given_up(start: Start, call: Call) -> None:
    switches = Switches(manual_clock=True, recheck=60)
    faults = [Fault.IMPORT_STUCK.times(1)]
    canvas = start(Course(id=101), Course(id=102, size=0, faults=faults), switches=switches)
    admin = call(canvas)
    export = admin.finish(admin.create())
    given = {"settings[content_export_id]": export["id"]}
    stuck, blocked = (admin.migrate(size=None, **given) for _ in range(2))
    canvas.advance(5 * 60 - 1)
    assert admin.show_migration(blocked)["workflow_state"] == "queued"
    canvas.advance(61)
    shown = admin.show_migration(blocked)
    assert shown["workflow_state"] == "failed"
    assert admin.issues(shown)[0]["description"] == "Blocked by running migration"
    canvas.advance(4 * 3600)
    assert admin.show_migration(stuck)["workflow_state"] == "running"
    later = admin.migrate(size=None, **given)
    canvas.advance(60)
    assert admin.show_migration(later)["workflow_state"] == "completed"


def test_a_migration_that_should_not_run_yet_runs_when_it_is_updated(canvas: Sandbox, admin: Caller) -> None:
    export = admin.finish(admin.create())
    given = {"settings[content_export_id]": export["id"]}
    migration = admin.migrate(size=None, do_not_run="1", **given)
    canvas.advance(60)
    assert admin.show_migration(migration)["workflow_state"] == "pre_processing"
    admin.request("PUT", f"{PATH}/{migration['id']}", data=given)
    canvas.advance(60)
    assert admin.show_migration(migration)["workflow_state"] == "completed"
