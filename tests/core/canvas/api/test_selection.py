from __future__ import annotations

from typing import Any

import pytest

from canvas_exports.core.canvas.api.selection import OBJECT_TYPES, SELECTABLE, Selection
from canvas_exports.core.model.export_types import ExportType
from canvas_exports.errors import InputError

DOCUMENTED = [
    "folders",
    "files",
    "attachments",
    "quizzes",
    "assignments",
    "announcements",
    "calendar_events",
    "discussion_topics",
    "modules",
    "module_items",
    "pages",
    "rubrics",
]


@pytest.mark.parametrize("object_type", [*DOCUMENTED, "context_modules", "content_tags", "wiki_pages"])
def test_every_object_type_can_be_selected_for_a_cartridge(object_type: str) -> None:
    selection = Selection.parse({object_type: [12]})
    selection.check(ExportType.COMMON_CARTRIDGE)
    assert list(selection.pairs()) == [(f"select[{object_type}][]", "12")]


def test_ids_are_integers_or_strings_in_the_order_written_and_once_each() -> None:
    selection = Selection.parse({"quizzes": [3, "1", " 2 ", 3], "pages": ("g0abc",)})
    assert list(selection.pairs()) == [
        ("select[quizzes][]", "3"),
        ("select[quizzes][]", "1"),
        ("select[quizzes][]", "2"),
        ("select[pages][]", "g0abc"),
    ]
    assert selection.as_dict() == {"quizzes": ["3", "1", "2"], "pages": ["g0abc"]}


@pytest.mark.parametrize("yes", ["1", 1, True, "true"])
def test_the_hash_form_is_sent_as_a_hash(yes: object) -> None:
    selection = Selection.parse({"folders": {"folder_12": yes}})
    assert list(selection.pairs()) == [("select[folders][folder_12]", "1")]


def test_equal_selections_are_equal_and_hashable() -> None:
    assert len({Selection.parse({"files": [1]}), Selection.parse({"files": ["1"]})}) == 1


@pytest.mark.parametrize(
    ("select", "field"),
    [
        ({}, "select"),
        ({"files": []}, "select.files"),
        ({"files": {}}, "select.files"),
        ({"courses": [1]}, "select"),
        ({1: [1]}, "select"),
        ({"files": 12}, "select.files"),
        ({"files": "12"}, "select.files"),
        ({"files": [None]}, "select.files"),
        ({"files": [True]}, "select.files"),
        ({"files": [-1]}, "select.files"),
        ({"files": [1.5]}, "select.files"),
        ({"files": [""]}, "select.files"),
        ({"files": ["a]["]}, "select.files"),
        ({"files": {"attachment_1": "0"}}, "select.files"),
        ({"files": {"attachment 1": "1"}}, "select.files"),
        ({"files": [1], "attachments": [2]}, "select"),
        ({"modules": [1], "context_modules": [2]}, "select"),
        (["files"], "select"),
    ],
)
def test_what_canvas_would_take_for_everything_or_nothing_is_refused(select: Any, field: str) -> None:
    with pytest.raises(InputError) as caught:
        Selection.parse(select)
    assert caught.value.field == field


@pytest.mark.parametrize("export_type", list(ExportType))
@pytest.mark.parametrize("object_type", list(OBJECT_TYPES))
def test_each_export_type_takes_what_it_can_hold_and_names_it(
    export_type: ExportType, object_type: str
) -> None:
    selection = Selection.parse({object_type: [1]})
    if object_type in SELECTABLE[export_type]:
        selection.check(export_type)
        return
    with pytest.raises(InputError) as caught:
        selection.check(export_type)
    assert object_type in str(caught.value)
    assert all(name in str(caught.value) for name in SELECTABLE[export_type])


def test_zip_holds_files_and_qti_holds_quizzes() -> None:
    assert SELECTABLE[ExportType.ZIP] == {"folders", "files", "attachments"}
    assert SELECTABLE[ExportType.QTI] == {"quizzes"}
