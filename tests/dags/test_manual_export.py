from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk.exceptions import ParamValidationError
from tests.support.backups import forms
from tests.support.backups.forms import administrator  # noqa: F401 - used by each test

from canvas_exports.core.model.contexts import ContextKind
from canvas_exports.dags.manual_export import WHAT, canvas_export, form
from canvas_exports.dags.trigger_form import CONNECTIONS, RUN_SETTINGS
from canvas_exports.errors import InputError
from canvas_exports.operators.content_export import CanvasContentExportOperator


def rules() -> dict[str, dict[str, Any]]:
    """The JSON Schema of each field of the form."""
    return {name: param.schema for name, param in form().items()}


def rendered(task_id: str, **entries: Any) -> Any:
    return forms.rendered(canvas_export, task_id, {"courses": ["course:101"]}, **entries)


def options(**entries: Any) -> Any:
    """What the export task makes of the form, before it does anything."""
    task = rendered("export", **entries)
    assert isinstance(task, CanvasContentExportOperator)
    return task._options(task.courses)


def test_what_everybody_needs_stands_open_and_the_rest_in_three_sections() -> None:
    sections: dict[str | None, list[str]] = {}
    for name, rule in rules().items():
        sections.setdefault(rule.get("section"), []).append(name)
    assert sections == {
        None: ["courses", "export_type", "archive"],
        WHAT: ["groups", "users", "select", "version", "skip_notifications"],
        CONNECTIONS: ["canvas_conn_id"],
        RUN_SETTINGS: [
            "batch_size",
            "max_in_flight",
            "parallel_transfers",
            "parallel_ranges",
            "deadline",
            "stall_after",
            "proof",
            "unchanged",
            "skip_unchanged",
            "fail_on",
        ],
    }


def test_every_field_has_a_title_and_a_help_text() -> None:
    for rule in rules().values():
        assert rule["title"]
        assert rule["description_md"].endswith(".")


def test_fields_get_the_widget_they_need() -> None:
    """Airflow chooses by type: lines of text, a drop-down list, a JSON editor, a spinner."""
    schemas = rules()
    for name in ("courses", "groups", "users"):
        assert schemas[name]["type"][0] == "array"
        assert schemas[name]["items"]["type"] == "string"
        assert not {"examples", "enum"} & set(schemas[name])
    assert schemas["export_type"]["type"] == "string"
    assert set(schemas["export_type"]["values_display"]) == set(schemas["export_type"]["enum"])
    assert schemas["select"]["type"] == ["object", "null"]
    assert (schemas["max_in_flight"]["minimum"], schemas["max_in_flight"]["maximum"]) == (1, 200)
    assert schemas["deadline"]["format"] == "duration"


def test_the_empty_form_is_valid_and_means_the_defaults() -> None:
    choice = options()
    assert [each.value for each in choice.export_types] == ["common_cartridge"]
    assert (choice.select, choice.version, choice.skip_notifications) == (None, None, True)
    assert (choice.max_in_flight, choice.parallel_transfers) == (50, 4)
    assert str(choice.deadline) == "12:00:00"


def test_courses_stay_a_list_and_empty_lines_are_dropped() -> None:
    task = rendered(
        "list", courses=["101", " sis_course_id:BIO-101 ", "", "00102"], groups=None, users=["self"]
    )
    assert task.courses == ["101", "sis_course_id:BIO-101", "00102"]
    assert (task.groups, task.users) == (None, ["self"])
    assert (task.batch_size, task.export_types) == (50, "common_cartridge")


def test_an_emptied_field_of_courses_is_no_course() -> None:
    assert not rendered("list", courses=None).courses


def test_what_is_filled_in_reaches_the_export_with_its_type() -> None:
    choice = options(
        export_type="common_cartridge",
        select={"modules": [1, "2"]},
        version="1.3",
        skip_notifications=False,
        max_in_flight=3,
        deadline="P1D",
        stall_after="PT30M",
    )
    assert choice.select == {"modules": [1, "2"]}
    request = choice.request(choice.export_types[0], ContextKind.COURSE)
    assert dict(request.pairs())["version"] == "1.3"
    assert choice.skip_notifications is False
    assert choice.max_in_flight == 3
    assert (choice.deadline.total_seconds(), choice.stall_after.total_seconds()) == (86400, 1800)


@pytest.mark.parametrize("task_id", ["list", "export", "report"])
def test_without_an_archive_the_variable_is_meant(task_id: str) -> None:
    assert rendered(task_id).archive == "s3://campus/canvas"
    assert rendered(task_id, archive="").archive == "s3://campus/canvas"
    assert rendered(task_id, archive=" law ").archive == "law"
    assert rendered(task_id).archive_conn_id is None


def test_a_selection_that_was_left_alone_is_none() -> None:
    """Airflow's form shows {} where nothing was entered."""
    assert options(select={}).select is None


def test_the_run_is_judged_by_the_report_alone() -> None:
    assert rendered("report", fail_on="5%").fail_on == "5%"
    assert rendered("export", fail_on="5%").fail_on == "never"


REFUSED: list[tuple[str, Any]] = [
    ("courses", "101"),
    ("courses", [101]),
    ("export_type", "cartridge"),
    ("export_type", None),
    ("archive", ["law"]),
    ("groups", "7"),
    ("select", []),
    ("version", "1.2"),
    ("skip_notifications", "no"),
    ("canvas_conn_id", 7),
    ("batch_size", 0),
    ("max_in_flight", 201),
    ("parallel_transfers", 17),
    ("deadline", "12 hours"),
    ("stall_after", 2),
    ("proof", "deep"),
    ("fail_on", None),
]


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_the_form_refuses_and_names_the_field(name: str, value: Any) -> None:
    with pytest.raises(ParamValidationError, match=name):
        forms.filled(canvas_export, **{name: value})


@pytest.mark.parametrize(
    ("entries", "field"),
    [
        ({"select": {"lessons": [1]}}, "select"),
        ({"export_type": "zip", "select": {"pages": [1]}}, "select"),
        ({"export_type": "qti", "version": "1.3"}, "version"),
        ({"deadline": "PT0S"}, "deadline"),
    ],
)
def test_what_the_form_cannot_see_is_refused_before_anything_is_created(
    entries: dict[str, Any], field: str
) -> None:
    forms.filled(canvas_export, **entries)
    with pytest.raises(InputError, match=f"^{field}"):
        options(**entries)


def test_a_few_courses_by_hand_sweep_nothing() -> None:
    assert rendered("report").sweep_after == "never"
