"""Imports of a sandbox with a state: what was uploaded, and what courses hold, outlives its process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from tests.support.canvas.link_server import served

from canvas_sandbox import Course, Fault, LimitedFault, RequestFault, Sandbox, Switches

if TYPE_CHECKING:
    from tests.support.canvas.sandbox_client import Call

FROZEN = Switches(manual_clock=True, import_duration=10)


@contextmanager
def canvas_with(state: Path, *faults: Fault | LimitedFault, **options: Any) -> Iterator[Sandbox]:
    """A Canvas with a course and one to restore into, built anew each time as another process would."""
    courses = [Course(id=101), Course(id=102, size=0, faults=faults)]
    with Sandbox(courses, state=state, **{"switches": FROZEN, **options}) as canvas:
        yield canvas


def test_a_restored_course_is_still_restored(tmp_path: Path, call: Call) -> None:
    with canvas_with(tmp_path) as canvas:
        admin = call(canvas)
        admin.restore(admin.exported())
        records, names = canvas.migrations, [admin.names(name) for name in ("pages", "files", "modules")]
        first = admin.get("/api/v1/courses/102/files").json()
        files = {name: data for name, data in zipped(admin).items() if name != CONTEXT}
    with canvas_with(tmp_path) as canvas:
        admin = call(canvas)
        assert canvas.migrations == records
        assert [admin.names(name) for name in ("pages", "files", "modules")] == names
        assert [row["id"] for row in admin.get("/api/v1/courses/102/files").json()] == [
            row["id"] for row in first
        ]
        assert {name: data for name, data in zipped(admin).items() if name != CONTEXT} == files


CONTEXT = "course_settings/context.xml"


def zipped(admin: Any) -> dict[str, bytes]:
    package = admin.package(context="courses/102")
    return {name: package.read(name) for name in package.namelist() if name != "imsmanifest.xml"}


def test_an_upload_continues_from_its_last_step(tmp_path: Path, call: Call) -> None:
    with canvas_with(tmp_path) as canvas:
        admin = call(canvas)
        package = admin.exported()
        created, sent = admin.migrate(), admin.migrate()
        location = admin.send(sent, package).headers["Location"]
        ports = [int(url.rpartition(":")[2]) for url in (canvas.url, canvas.storage_url)]
    with canvas_with(tmp_path, port=ports[0], storage_port=ports[1]) as canvas:
        admin = call(canvas)
        assert admin.get(location).status_code == 200
        assert admin.complete(admin.send(created, package)).status_code == 200
        canvas.advance(3)
        assert [record.state for record in canvas.migrations] == ["running", "running"]
    with canvas_with(tmp_path) as canvas:
        admin = call(canvas)
        canvas.advance(60)
        assert [record.state for record in canvas.migrations] == ["completed", "completed"]
        assert [record.imports for record in canvas.migrations] == [1, 1]


def test_a_used_up_fault_stays_used_up(tmp_path: Path, call: Call) -> None:
    faults = (Fault.OVER_QUOTA.times(1), Fault.IMPORT_FAILS.times(1), Fault.IMPORT_WARNINGS.times(1))
    with canvas_with(tmp_path, *faults) as canvas:
        admin = call(canvas)
        assert admin.migrate()["workflow_state"] == "failed"
        timed_out = admin.migrate()
        canvas.advance(7200)
        assert admin.show_migration(timed_out)["workflow_state"] == "failed"
        assert canvas.migrations[0].issues == []
        before = canvas.migrations
    with canvas_with(tmp_path, *faults) as canvas:
        admin = call(canvas)
        assert canvas.migrations == before
        assert admin.restore(admin.exported())["migration_issues_count"] == 0


def test_a_course_that_was_made_is_there_and_may_be_restored_into(tmp_path: Path, call: Call) -> None:
    with canvas_with(tmp_path) as canvas:
        admin = call(canvas)
        made = admin.post("/api/v1/accounts/self/courses", {"course[name]": "Made"}).json()
        admin.restore(admin.exported(), f"courses/{made['id']}")
    with canvas_with(tmp_path) as canvas:
        assert call(canvas).names("pages", made["id"]) == call(canvas).names("pages", 101)


def test_a_link_that_was_being_followed_is_followed_again(tmp_path: Path, call: Call) -> None:
    with canvas_with(tmp_path / "other") as other:
        package = call(other).exported()
    with served(package, at_once=False) as link:
        with canvas_with(tmp_path) as canvas:
            migration = call(canvas).migrate(size=None, **{"settings[file_url]": link.url})
            assert link.followed.wait(30)
            canvas.advance(60)
            assert call(canvas).show_migration(migration)["workflow_state"] == "running"
        link.answers.set()
        with canvas_with(tmp_path) as canvas:
            admin = call(canvas)
            assert admin.fetched(migration)["workflow_state"] == "completed"
            assert admin.names("pages") == admin.names("pages", 101)
            assert canvas.migrations[0].imports == 1
    assert len(link.seen) == 2


def test_what_a_killed_process_had_not_received_is_removed(tmp_path: Path, call: Call) -> None:
    with canvas_with(tmp_path) as canvas:
        admin = call(canvas)
        canvas.inject(RequestFault("cut", "POST", "^/canvas-sandbox$", after=10))
        with pytest.raises(requests.ConnectionError):
            admin.send(admin.migrate(), bytes(100_000))
        assert list((tmp_path / "files").iterdir()) == []
    (tmp_path / "files" / "0123.part").write_bytes(b"half")
    with canvas_with(tmp_path):
        assert list((tmp_path / "files").iterdir()) == []


def test_a_removed_file_fails_its_migration_alone(tmp_path: Path, call: Call) -> None:
    with canvas_with(tmp_path) as canvas:
        admin = call(canvas)
        sent = admin.send(admin.migrate(), admin.exported())
        for kept in (tmp_path / "files").iterdir():
            kept.unlink()
        assert admin.complete(sent).status_code == 200
        canvas.advance(60)
        assert canvas.migrations[0].state == "failed"
        assert admin.names("pages", 101)


def test_without_a_state_nothing_stays_on_the_disk(
    tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Sandbox([Course(id=101), Course(id=102, size=0)], switches=FROZEN) as canvas:
        admin = call(canvas)
        admin.restore(admin.exported())
        assert list(tmp_path.iterdir()) != []
    assert list(tmp_path.iterdir()) == []
