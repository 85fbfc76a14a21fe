"""The schema tells editors what the engine accepts: neither may drift from the other."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from canvas_exports.core.archive.sweep_age import GRACE, read_grace
from canvas_exports.core.backups.backup import Backup
from canvas_exports.core.backups.schema import _WORDING, schema
from canvas_exports.core.canvas.api.course_filters import (
    ENROLLMENT_TYPES,
    ORDERS,
    SEARCH_BY,
    SORTS,
    STATES,
    CourseFilters,
)
from canvas_exports.core.export.options import OPTIONS
from canvas_exports.core.export.planning.course_lists import FORMATS
from canvas_exports.core.model.export_types import ExportType
from canvas_exports.operators.list_courses import CanvasListCoursesOperator

PROPERTIES: dict[str, Any] = schema()["properties"]
FILTERS: dict[str, Any] = PROPERTIES["courses"]["properties"]["filters"]["properties"]


def test_it_is_a_valid_schema() -> None:
    Draft202012Validator.check_schema(schema())


def test_every_rule_has_words() -> None:
    described = {
        "$schema",
        "$id",
        "title",
        "description",
        "examples",
        "default",
        "format",
        "properties",
        "items",
    }

    def keywords(rule: dict[str, Any]) -> set[str]:
        inner = [*rule.get("properties", {}).values(), *([rule["items"]] if "items" in rule else [])]
        return set(rule).union(*map(keywords, inner)) - described

    assert keywords(schema()) <= set(_WORDING)


@pytest.mark.parametrize("name", sorted(PROPERTIES))
def test_every_field_is_explained_and_its_examples_and_default_are_valid(name: str) -> None:
    rule = PROPERTIES[name]
    assert rule["title"]
    assert rule["description"].endswith((".", '"'))
    for value in [*rule.get("examples", []), *([rule["default"]] if "default" in rule else [])]:
        assert Draft202012Validator(rule).is_valid(value), value


def test_vocabularies_are_those_of_the_engine() -> None:
    assert PROPERTIES["export_types"]["items"]["enum"] == [each.value for each in ExportType]
    assert list(FILTERS) == sorted(FILTERS, key=[each.name for each in fields(CourseFilters)].index)
    assert set(FILTERS) == {each.name for each in fields(CourseFilters)}
    assert FILTERS["state"]["items"]["enum"] == list(STATES)
    assert FILTERS["enrollment_type"]["items"]["enum"] == list(ENROLLMENT_TYPES)
    assert FILTERS["search_by"]["enum"] == list(SEARCH_BY)
    assert FILTERS["sort"]["enum"] == list(SORTS)
    assert FILTERS["order"]["enum"] == list(ORDERS)


def test_course_lists_are_of_the_formats_that_the_engine_reads() -> None:
    rule = Draft202012Validator(PROPERTIES["courses"]["properties"]["list"])
    for form in FORMATS:
        assert rule.is_valid(f"pilot.{form}")
        assert rule.is_valid(f"s3://lists/pilot.{form.upper()}?versionId=1")
    for other in ("xlsx", "csv.gz", "pilot"):
        assert not rule.is_valid(f"pilot.{other}")


def test_defaults_are_those_of_the_operators() -> None:
    listing = inspect.signature(CanvasListCoursesOperator).parameters
    assert PROPERTIES["canvas_conn_id"]["default"] == listing["canvas_conn_id"].default
    assert PROPERTIES["batch_size"]["default"] == listing["batch_size"].default
    assert tuple(PROPERTIES["export_types"]["default"]) == listing["export_types"].default
    assert PROPERTIES["timezone"]["default"] == Backup.timezone
    assert PROPERTIES["retries"]["default"] == Backup.retries
    assert PROPERTIES["max_active_batches"]["default"] == Backup.max_active_batches
    assert PROPERTIES["notify_when"]["default"] == Backup.notify_when
    assert PROPERTIES["sweep_after"]["default"] == Backup.sweep_after
    assert read_grace(Backup.sweep_after) == GRACE


@pytest.mark.parametrize("name", [name for name, option in OPTIONS.items() if option.group])
def test_options_of_a_batch_are_as_they_are_declared(name: str) -> None:
    assert PROPERTIES[name] == OPTIONS[name].schema()


@pytest.mark.parametrize("name", [name for name, option in OPTIONS.items() if not option.group])
def test_other_options_of_a_batch_are_no_fields(name: str) -> None:
    assert name not in PROPERTIES
