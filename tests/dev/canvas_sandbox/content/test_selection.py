"""``select``: its forms, its aliases, and what ends up in the package."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from canvas_sandbox import Sandbox
from canvas_sandbox.content.model import Item, Kind

if TYPE_CHECKING:
    from tests.support.canvas.sandbox_client import Caller


def first(canvas: Sandbox, kind: Kind) -> Item:
    return next(iter(canvas.content(101).of(kind)))


def titles(names: list[str], folder: str) -> set[str]:
    return {name.removeprefix(folder) for name in names if name.startswith(folder) and name != folder}


def test_15_ids_and_asset_strings_mean_the_same(canvas: Sandbox, admin: Caller) -> None:
    module = first(canvas, Kind.MODULE)
    admin.create(select={"context_modules": [module.id]})
    admin.create(select={"context_modules": {module.asset_string: "1"}})
    admin.create(select={"context_modules": {module.key: "1"}})
    selections = [record.selection for record in canvas.exports]
    assert selections == [{"context_modules": [module.key]}] * 3


@pytest.mark.parametrize(
    ("alias", "collection"),
    [
        ("modules", "context_modules"),
        ("module_items", "content_tags"),
        ("pages", "wiki_pages"),
        ("files", "attachments"),
    ],
)
def test_16_aliases_are_understood(canvas: Sandbox, admin: Caller, alias: str, collection: str) -> None:
    for name in (alias, collection):
        admin.create(select={name: [5]})
    one, other = (record.selection for record in canvas.exports)
    assert one == other
    assert list(one) == [collection]


def test_17_a_module_brings_its_page_and_the_file_the_page_links_to(canvas: Sandbox, admin: Caller) -> None:
    content = canvas.content(101)
    module = first(canvas, Kind.MODULE)
    page = next(
        content.items[item.target]
        for item in content.of(Kind.MODULE_ITEM)
        if item.parent == module.id and item.target and content.items[item.target].kind is Kind.PAGE
    )
    names = admin.package(select={"modules": [module.id]}).namelist()
    assert titles(names, "wiki_content/") == {f"{page.slug}.html"}
    linked = content.path(content.items[page.links[0]])
    assert {name for name in titles(names, "web_resources/") if not name.endswith("/")} == {linked}


def test_17_a_module_item_brings_only_itself(canvas: Sandbox, admin: Caller) -> None:
    content = canvas.content(101)
    item = next(
        item
        for item in content.of(Kind.MODULE_ITEM)
        if content.items[item.target or 0].kind is Kind.DISCUSSION
    )
    package = admin.package(select={"module_items": [item.id]})
    assert titles(package.namelist(), "wiki_content/") == set()
    assert package.read("course_settings/module_meta.xml").count(b"<item ") == 1


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        ("all_discussion_topics", {Kind.DISCUSSION}),
        ("all_announcements", {Kind.ANNOUNCEMENT}),
        ("discussion_topics", {Kind.ANNOUNCEMENT}),
        ("announcements", {Kind.ANNOUNCEMENT}),
    ],
)
def test_18_announcements_come_only_when_named(
    canvas: Sandbox, admin: Caller, select: str, expected: set[Kind]
) -> None:
    value = "1" if select.startswith("all_") else [first(canvas, Kind.ANNOUNCEMENT).id]
    names = admin.package(select={select: value}).namelist()
    found = {
        kind for kind in (Kind.DISCUSSION, Kind.ANNOUNCEMENT) if f"{first(canvas, kind).key}.xml" in names
    }
    assert found == expected


def test_18_all_assignments_imply_their_groups(admin: Caller) -> None:
    package = admin.package(select={"all_assignments": "1"})
    assert b"<assignmentGroup " in package.read("course_settings/assignment_groups.xml")


def test_19_a_file_export_holds_exactly_the_chosen_subtree(canvas: Sandbox, admin: Caller) -> None:
    content = canvas.content(101)
    folders = {folder.title: folder for folder in content.of(Kind.FOLDER)}
    lectures, empty = folders["Lectures"], folders["Submissions of last year"]
    below = {
        content.path(file) for file in content.of(Kind.FILE) if content.path(file).startswith("Lectures/")
    }
    names = admin.package("zip", select={"folders": [lectures.id, empty.id]}).namelist()
    assert set(names) == below | {"Submissions of last year/"}


def test_19_paths_begin_at_the_deepest_common_folder(canvas: Sandbox, admin: Caller) -> None:
    content = canvas.content(101)
    file = next(file for file in content.of(Kind.FILE) if "/" in content.path(file))
    export = admin.finish(admin.create("zip", select={"files": [file.id]}))
    assert export["attachment"]["filename"] == "Lectures_export.zip"
    assert admin.package("zip", select={"attachments": [file.id]}).namelist() == [file.title]


def test_a_file_export_of_nothing_that_exists_fails(admin: Caller) -> None:
    for select in ({"files": [999]}, {"quizzes": [1]}):
        export = admin.finish(admin.create("zip", select=select))
        assert export["workflow_state"] == "failed"


def test_a_cartridge_of_nothing_that_exists_is_exported_without_content(admin: Caller) -> None:
    names = admin.package(select={"pages": ["999"]}).namelist()
    assert "imsmanifest.xml" in names
    assert titles(names, "wiki_content/") == set()
    assert titles(names, "web_resources/") == set()
