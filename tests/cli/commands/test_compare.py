"""``canvas-archive compare``."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.support.archives.publishing import BaselineOf, Canvas, store_package
from tests.support.packages.build import PAGE, cartridge, draft

from canvas_exports.core.storage.local import FileStore


@pytest.fixture
def ask(tmp_path: Path, run_command: Any) -> Any:
    """Three nights of a course: a page is edited in the second; in the third nothing has changed."""
    store = FileStore(tmp_path.as_uri(), tmp_path)
    old, new = cartridge({PAGE: b"old"}), cartridge({PAGE: b"new text"})
    store_package(store, Canvas(old), draft=draft(501))
    second = store_package(store, Canvas(new), draft=draft(502))
    store_package(store, Canvas(new), draft=draft(503), baseline=BaselineOf(second.manifest))

    return partial(run_command, store.uri, "compare")


def test_the_newest_copy_is_compared_with_the_last_that_names_another_package(ask: Any) -> None:
    status, text = ask("course:101")
    assert status == 1
    lines = text.splitlines()
    assert lines[0].startswith("course:101 from ")
    assert lines[0].endswith("(export 503): 1 changed")
    assert "(export 501)" in lines[0]
    assert lines[-1].split() == ["changed", PAGE, "3", "B", "8", "B"]


def test_as_json_by_the_numbers_of_exports(ask: Any) -> None:
    status, text = ask("101", "--from", "502", "--to", "501", "--json")
    told = json.loads(text)
    assert status == 1
    assert (told["from"]["export_id"], told["to"]["export_id"], told["same"]) == (502, 501, False)
    assert told["changed"] == [{"name": PAGE, "title": None, "before": 8, "after": 3}]


def test_copies_of_one_package_are_the_same(ask: Any) -> None:
    status, text = ask("101", "--from", "502", "--to", "503")
    assert (status, text.strip().endswith("nothing changed")) == (0, True)


def test_a_day_means_its_last_copy(ask: Any) -> None:
    day = f"{draft(501).export.created_at:%Y-%m-%d}"
    assert ask("101", "--from", "501", "--to", day)[0] == 1


@pytest.mark.parametrize(
    ("arguments", "blamed"),
    [
        (["102"], "COURSE"),
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


def test_a_package_that_is_gone_is_reported(ask: Any, tmp_path: Path) -> None:
    (tmp_path / draft(501).key).unlink()
    status, text = ask("101")
    assert status == 2
    assert "a package is not there" in text
