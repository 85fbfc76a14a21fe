"""``canvas-archive compare``."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.support.archives.publishing import BaselineOf, Canvas, store_package
from tests.support.packages.build import PAGE, draft, zipped
from tests.support.packages.courses import course

from canvas_exports.core.archive.manifest import ContextFacts
from canvas_exports.core.storage.local import FileStore


@pytest.fixture
def ask(tmp_path: Path, run_command: Any) -> Any:
    """Three nights of a course: a page is edited in the second; in the third nothing has changed. And another course."""
    store = FileStore(tmp_path.as_uri(), tmp_path)
    old, new = (zipped(course(page=text).members()) for text in (b"<p>old</p>", b"<p>new text</p>"))
    store_package(store, Canvas(old), draft=draft(501))
    second = store_package(store, Canvas(new), draft=draft(502))
    store_package(store, Canvas(new), draft=draft(503), baseline=BaselineOf(second.manifest))
    other = replace(
        draft(601), context=ContextFacts("course", 102, name="Botany"), key="courses/102/601.imscc"
    )
    store_package(store, Canvas(zipped(course(page=b"<p>new text</p><p>more</p>").members())), draft=other)

    return partial(run_command, store.uri, "compare")


def test_the_newest_copy_is_compared_with_the_last_that_names_another_package(ask: Any) -> None:
    status, text = ask("course:101")
    assert status == 1
    lines = text.splitlines()
    assert lines[0].startswith("course:101 from ")
    assert lines[0].endswith("(export 503): 1 page changed")
    assert "(export 501)" in lines[0]
    assert [line.split() for line in lines[-2:]] == [["-", "old"], ["+", "new", "text"]]


def test_the_files_of_the_packages_are_listed_if_asked_for(ask: Any) -> None:
    status, text = ask("course:101", "--members")
    assert status == 1
    assert text.splitlines()[0].endswith("(export 503): 1 changed")
    assert text.splitlines()[-1].split() == ["changed", PAGE, "Welcome", "10", "B", "15", "B"]


def test_as_json_by_the_numbers_of_exports(ask: Any) -> None:
    status, text = ask("101", "--from", "502", "--to", "501", "--json")
    told = json.loads(text)
    assert status == 1
    assert (told["from"]["export_id"], told["to"]["export_id"], told["same"]) == (502, 501, False)
    assert told["changed"] == [{"name": PAGE, "title": "Welcome", "before": 15, "after": 10}]
    assert [(each["kind"], each["what"]) for each in told["content"]["changes"]] == [("page", ["changed"])]


def test_copies_of_one_package_are_the_same(ask: Any) -> None:
    status, text = ask("101", "--from", "502", "--to", "503")
    assert (status, text.strip().endswith("nothing changed")) == (0, True)


def test_a_day_means_its_last_copy(ask: Any) -> None:
    day = f"{draft(501).export.created_at:%Y-%m-%d}"
    assert ask("101", "--from", "501", "--to", day)[0] == 1


@pytest.mark.parametrize(
    ("arguments", "blamed"),
    [
        (["103"], "COURSE"),
        (["101", "--with", "103"], "--with"),
        (["101", "--output", "/nowhere/changes.html"], "--output"),
        (["sis_course_id:BIO"], "COURSE"),
        (["101", "--to", "yesterday"], "--to"),
        (["101", "--from", "7"], "--from"),
        (["101", "--from", "2001-01-01"], "--from"),
        (["101", "--type", "qti"], "--type"),
        (["101", "--type", "qti", "--to", "501"], "--to"),
    ],
)
def test_what_names_no_version_is_reported(ask: Any, arguments: list[str], blamed: str) -> None:
    status, text = ask(*arguments)
    assert status == 2
    assert text.startswith(f"canvas-archive: {blamed}")


def test_two_courses_are_compared_by_their_newest_copies(ask: Any) -> None:
    status, text = ask("101", "--with", "102")
    assert status == 1
    assert text.splitlines()[0].startswith(
        "course:101 from 2026-11-23T02:00:00Z (export 503) to course:102 of "
    )
    assert text.splitlines()[-1].split() == ["+", "more"]


def test_the_changes_are_written_as_a_page(ask: Any, tmp_path: Path) -> None:
    page = tmp_path / "out" / "changes.html"
    page.parent.mkdir()
    assert ask("101", "--output", str(page.parent))[0] == 1
    assert "<ins>" in page.read_text("utf-8")
    status, text = ask("101", "--output", str(page))
    assert (status, "exists" in text) == (2, True)
    assert ask("101", "--output", str(page), "--force")[0] == 1


def test_a_package_that_is_gone_is_reported(ask: Any, tmp_path: Path) -> None:
    (tmp_path / draft(501).key).unlink()
    status, text = ask("101")
    assert status == 2
    assert "a package is not there" in text
