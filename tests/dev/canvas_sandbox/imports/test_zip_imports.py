"""Plain archives of files, unpacked into a folder."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import pytest

from canvas_sandbox import Course, Group, Sandbox

if TYPE_CHECKING:
    from tests.support.canvas.sandbox_client import Caller, Start


@pytest.fixture
def canvas(start: Start) -> Sandbox:
    return start(Course(id=102, size=0), groups=[Group(id=7, size=0)])


def test_a_zip_is_unpacked_into_the_folder_it_was_sent_to(admin: Caller) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("notes.txt", "notes")
        package.writestr("deep/er/data.csv", "1,2")
        package.writestr("../../escape.txt", "no")
    given = {"settings[folder_id]": admin.get("/api/v1/courses/102/folders").json()[0]["id"]}
    for _ in range(2):
        migration = admin.restore(archive.getvalue(), migration_type="zip_file_importer", **given)
        assert migration["workflow_state"] == "completed"
        assert admin.names("files") == ["notes.txt", "data.csv"]
    assert admin.names("folders")[1:] == ["deep", "er"]
    back = zipfile.ZipFile(io.BytesIO(admin.exported("zip", "courses/102")))
    assert {name: back.read(name) for name in back.namelist()} == {
        "notes.txt": b"notes",
        "deep/er/data.csv": b"1,2",
    }


def test_a_group_and_a_person_take_files(admin: Caller, student: Caller) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("notes.txt", "notes")
    for context, folder in (("groups/7", 4_000_007_000), ("users/self", 6_000_001_000)):
        given = {"settings[folder_id]": folder}
        migration = admin.restore(archive.getvalue(), context, "zip_file_importer", **given)
        assert migration["workflow_state"] == "completed"
        assert "notes.txt" in admin.package("zip", context).namelist()
    assert (
        student.post(
            "/api/v1/groups/7/content_migrations", {"migration_type": "zip_file_importer"}
        ).status_code
        == 403
    )
