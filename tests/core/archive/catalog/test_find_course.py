"""A course is found by its SIS id, code or name, in the manifests alone; several matches are all listed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.archives.holdings import lay, manifest

from canvas_exports.cli.main import main
from canvas_exports.core.archive.catalog.find_course import find_course, parse_course_name
from canvas_exports.core.model.contexts import Context
from canvas_exports.core.storage.local import FileStore
from canvas_exports.errors import InputError, NoArchiveError


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    store = FileStore(tmp_path.as_uri(), tmp_path)
    lay(
        store,
        manifest(
            "course:101", facts={"sis_id": "BIO-101", "course_code": "BIO", "name": "Old name", "uuid": "u1"}
        ),
    )
    lay(
        store,
        manifest(
            "course:101",
            day=5,
            export_id=7,
            facts={"sis_id": "BIO-101", "course_code": "BIO", "name": "Biology"},
        ),
    )
    lay(store, manifest("course:102", facts={"sis_id": "CHE-1", "course_code": "BIO", "name": "BIO-101"}))
    lay(store, manifest("group:9", export_type="zip", facts={"name": "Biology", "sis_id": "BIO-101"}))
    return store


def found(store: FileStore, text: str) -> str:
    return str(find_course(store, parse_course_name(text, field="COURSE"), field="COURSE"))


@pytest.mark.parametrize(
    ("text", "context"),
    [
        ("101", "course:101"),
        ("group:9", "group:9"),
        ("999", "course:999"),  # taken as it is
        ("BIO-101", "course:101"),  # an SIS id counts before a name
        ("bio-101", "course:101"),
        ("sis_course_id:CHE-1", "course:102"),
        ("group:sis_group_id:BIO-101", "group:9"),
        ("uuid:u1", "course:101"),
        ("Biology", "course:101"),
        ("old  NAME", "course:101"),  # what it was called once
    ],
)
def test_it_is_found(store: FileStore, text: str, context: str) -> None:
    assert found(store, text) == context


def test_several_are_listed_newest_first(store: FileStore) -> None:
    with pytest.raises(
        InputError, match=r"COURSE: 2 courses are called 'BIO': course:101 .*Biology.*; course:102 "
    ):
        found(store, "BIO")


def test_a_hundred_are_not_all_listed(store: FileStore) -> None:
    for number in range(200, 300):
        lay(store, manifest(f"course:{number}", facts={"name": "Seminar"}))
    with pytest.raises(InputError, match=r"100 courses are called 'Seminar'.*and 95 more") as error:
        found(store, "Seminar")
    assert len(str(error.value)) < 1000


@pytest.mark.parametrize(
    "text", ["Physics", "sis_course_id:X", "lti_context_id:x", "user:sis_user_id:BIO-101"]
)
def test_what_no_manifest_names_is_a_sentence(store: FileStore, text: str) -> None:
    with pytest.raises(InputError, match="COURSE: no manifest in this archive names"):
        found(store, text)


def test_an_address_without_an_archive_is_reported(tmp_path: Path) -> None:
    empty = FileStore((tmp_path / "empty").as_uri(), tmp_path / "empty")
    with pytest.raises(NoArchiveError):
        found(empty, "Biology")


@given(st.text(max_size=300))
def test_whatever_is_written_is_a_context_a_name_or_refused(text: str) -> None:
    try:
        read = parse_course_name(text, field="COURSE")
    except InputError:
        return
    assert isinstance(read, Context) or (read == " ".join(text.split()) and read)


@pytest.mark.parametrize("command", [["history"], ["compare"], ["hold", "--tag", "legal"]])
def test_the_commands_take_any_of_these(
    store: FileStore, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    def ask(name: str) -> tuple[int, str]:
        status = main([command[0], name, *command[1:], "--archive", store.uri])
        told = capsys.readouterr()
        return status, told.out + told.err

    if command[0] != "hold":
        assert ask("Biology") == ask("101") == ask("sis_course_id:BIO-101")
    else:
        assert ask("Biology") == (0, "The tag legal was put on 2 packages of course:101.\n")
    status, text = ask("BIO")
    assert status == 2
    assert "2 courses are called 'BIO'" in text


def test_history_of_a_name_is_that_of_its_number(
    store: FileStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["history", "CHE-1", "--json", "--archive", store.uri]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert document["context"] == "course:102"
