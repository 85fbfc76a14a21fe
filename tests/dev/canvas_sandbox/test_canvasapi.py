"""The public client library `canvasapi` drives the sandbox through its own calls: proof that it speaks Canvas."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from canvasapi import Canvas  # type: ignore[import-untyped]  # the library has no types
from canvasapi.exceptions import (  # type: ignore[import-untyped]  # the library has no types
    Forbidden,
    InvalidAccessToken,
    RateLimitExceeded,
    ResourceDoesNotExist,
)
from canvasapi.upload import Uploader  # type: ignore[import-untyped]  # the library has no types

from canvas_sandbox import Course, Group, RequestFault, Sandbox, Switches

if TYPE_CHECKING:
    from tests.support.canvas.sandbox_client import Start


pytestmark = pytest.mark.filterwarnings("ignore:Canvas may respond unexpectedly:UserWarning")


@pytest.fixture
def canvas(start: Start) -> Sandbox:
    courses = [
        Course(id=number, name=f"Course {number}", sis_course_id=f"C-{number}") for number in range(101, 126)
    ]
    return start(*courses, groups=[Group(id=7, name="Lab", course_id=101)])


@pytest.fixture
def client(canvas: Sandbox) -> Any:
    return Canvas(canvas.url, canvas.token)


def test_it_finds_people_accounts_and_courses(client: Any) -> None:
    assert client.get_current_user().name == "Ada Admin"
    courses = list(client.get_account(1).get_courses(state=["available"], per_page=7))
    assert [course.id for course in courses] == list(range(101, 126))
    assert client.get_course("C-102", use_sis_id=True).id == 102
    assert client.get_group(7).name == "Lab"


def test_it_exports_a_course_from_request_to_bytes(canvas: Sandbox, client: Any, tmp_path: Path) -> None:
    course = client.get_course(101)
    export = course.export_content("common_cartridge", skip_notifications=True)
    assert (export.workflow_state, hasattr(export, "attachment")) == ("created", False)
    progress = client.get_progress(export.progress_url.rpartition("/")[2])
    assert progress.workflow_state in ("queued", "running")
    canvas.advance(60)
    assert progress.query().workflow_state == "completed"
    finished = course.get_content_export(export.id)
    assert finished.workflow_state == "exported"
    file = client.get_file(finished.attachment["id"])
    assert zipfile.ZipFile(io.BytesIO(file.get_contents(binary=True))).testzip() is None
    file.download(str(tmp_path / "course.imscc"))
    assert (tmp_path / "course.imscc").stat().st_size == file.size
    assert not [
        record for record in canvas.requests if record.listener == "storage" and record.had_authorization
    ]


def test_it_selects_lists_and_pages(canvas: Sandbox, client: Any) -> None:
    course = client.get_course(101)
    ids = [course.export_content("zip", select={"folders": [101_001]}).id for _ in range(12)]
    assert [export.id for export in course.get_content_exports(per_page=5)] == ids[::-1]
    assert canvas.exports[0].selection == {"folders": ["folder_101001"]}


def test_it_exports_groups_and_users(client: Any) -> None:
    for context in (client.get_group(7), client.get_current_user()):
        export = context.export_content("zip")
        assert export.export_type == "zip"
        assert [row.id for row in context.get_content_exports()] == [export.id]


@pytest.mark.parametrize("storage", ["instfs", "s3"])
def test_it_imports_a_package(start: Start, tmp_path: Path, storage: str) -> None:
    """It follows redirects without its token, so what completes an upload has to do without."""
    switches = Switches(manual_clock=True, storage=storage, create_success_auth=False)
    canvas = start(Course(id=101), Course(id=102, size=0), switches=switches)
    client = Canvas(canvas.url, canvas.token)
    export = client.get_course(101).export_content("common_cartridge", skip_notifications=True)
    canvas.advance(60)
    file = client.get_file(client.get_course(101).get_content_export(export.id).attachment["id"])
    file.download(str(tmp_path / "course.imscc"))
    course = client.get_course(102)
    migrator = next(row for row in course.get_migration_systems() if row.type == "canvas_cartridge_importer")
    size = (tmp_path / "course.imscc").stat().st_size
    given = {"name": "course.imscc", "size": size}
    migration = course.create_content_migration(migrator, pre_attachment=given)
    assert migration.workflow_state == "pre_processing"
    with (tmp_path / "course.imscc").open("rb") as package:
        uploader = Uploader(client._Canvas__requester, "unused", package)
        done, answer = uploader.upload(Prepared(migration.pre_attachment), package)
    assert (done, answer["size"]) == (True, size)
    canvas.advance(60)
    assert migration.get_progress().workflow_state == "completed"
    assert course.get_content_migration(migration.id).workflow_state == "completed"
    assert list(migration.get_migration_issues()) == []
    for listed in ("get_modules", "get_pages", "get_quizzes", "get_files", "get_assignments"):
        there, here = (
            [str(row) for row in getattr(client.get_course(number), listed)()] for number in (101, 102)
        )
        assert len(there) == len(here) > 0


class Prepared:
    """A first step already taken, as the library's uploader wants to read it."""

    def __init__(self, step: Any) -> None:
        self._step = step

    def json(self) -> Any:
        return self._step


def test_it_understands_the_refusals(canvas: Sandbox, client: Any) -> None:
    with pytest.raises(ResourceDoesNotExist):
        client.get_course(999)
    with pytest.raises(Forbidden):
        Canvas(canvas.url, canvas.tokens["outsider"]).get_course(101)
    with pytest.raises(InvalidAccessToken):
        Canvas(canvas.url, "nonsense").get_course(101)
    canvas.inject(RequestFault("throttled"))
    with pytest.raises(RateLimitExceeded):
        client.get_course(101)
