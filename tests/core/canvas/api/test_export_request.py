from __future__ import annotations

from typing import Any

import pytest

from canvas_exports.core.canvas.api.export_request import ExportRequest
from canvas_exports.core.canvas.api.selection import Selection
from canvas_exports.core.model.contexts import ContextKind
from canvas_exports.core.model.export_types import ExportType
from canvas_exports.errors import InputError


def test_a_plain_request_keeps_canvas_from_mailing() -> None:
    request = ExportRequest.build("common_cartridge")
    assert request == ExportRequest(ExportType.COMMON_CARTRIDGE)
    assert list(request.pairs()) == [("export_type", "common_cartridge"), ("skip_notifications", "true")]


def test_mail_is_wanted_by_saying_nothing_of_it() -> None:
    # Canvas reads any value loosely; absence is the one form that is surely false.
    assert list(ExportRequest.build("zip", skip_notifications=False).pairs()) == [("export_type", "zip")]


def test_everything_at_once() -> None:
    request = ExportRequest.build(
        "common_cartridge", select={"pages": [1], "quizzes": {"quiz_2": "1"}}, version="1.3"
    )
    assert list(request.pairs()) == [
        ("export_type", "common_cartridge"),
        ("skip_notifications", "true"),
        ("version", "1.3"),
        ("select[pages][]", "1"),
        ("select[quizzes][quiz_2]", "1"),
    ]


def test_a_version_written_as_a_number_is_understood() -> None:
    assert ExportRequest.build("common_cartridge", version=1.3).version == "1.3"


@pytest.mark.parametrize("kind", [ContextKind.GROUP, ContextKind.USER])
def test_groups_and_users_have_files_only(kind: ContextKind) -> None:
    assert ExportRequest.build("zip", kind=kind).export_type is ExportType.ZIP
    for export_type in ("common_cartridge", "qti"):
        with pytest.raises(InputError, match="Accepted: zip") as caught:
            ExportRequest.build(export_type, kind=kind)
        assert caught.value.field == "export_type"
        assert kind.value in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "field", "says"),
    [
        ({"export_type": "frog"}, "export_type", "common_cartridge, qti, zip"),
        ({"export_type": ""}, "export_type", "common_cartridge"),
        ({"export_type": "quizzes2"}, "export_type", "changes the course"),
        ({"export_type": "common_cartridge", "version": "1.2"}, "version", "1.3"),
        ({"export_type": "common_cartridge", "version": ""}, "version", "1.3"),
        ({"export_type": "qti", "version": "1.3"}, "version", "common_cartridge"),
        ({"export_type": "zip", "select": {}}, "select", "everything"),
        ({"export_type": "zip", "select": {"pages": [1]}}, "select", "folders, files, attachments"),
        ({"export_type": "qti", "select": {"files": [1]}}, "select", "quizzes"),
    ],
)
def test_what_canvas_refuses_is_refused_here_with_what_it_accepts(
    arguments: dict[str, Any], field: str, says: str
) -> None:
    with pytest.raises(InputError) as caught:
        ExportRequest.build(**arguments)
    assert caught.value.field == field
    assert says in str(caught.value)


def test_a_request_put_together_by_hand_is_checked_all_the_same() -> None:
    with pytest.raises(InputError):
        ExportRequest(ExportType.ZIP, Selection.parse({"quizzes": [1]})).check(ContextKind.COURSE)
