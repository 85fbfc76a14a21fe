"""The schema tells editors what the engine accepts: neither may drift from the other."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from canvas_exports.core.archive.layout import DEFAULT_TEMPLATE
from canvas_exports.core.archive.sweep import GRACE, read_grace
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
from canvas_exports.core.canvas.api.export_request import VERSION
from canvas_exports.core.export.options import build_options
from canvas_exports.core.export.planning.course_lists import FORMATS
from canvas_exports.core.model.durations import read_duration
from canvas_exports.core.model.export_types import ExportType
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.errors import InputError
from canvas_exports.operators.content_export import CanvasContentExportOperator
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
    assert PROPERTIES["proof"]["enum"] == [each.value for each in ProofLevel]
    assert PROPERTIES["version"]["enum"] == [VERSION]
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
    export = inspect.signature(CanvasContentExportOperator).parameters
    listing = inspect.signature(CanvasListCoursesOperator).parameters
    for name in (
        "skip_notifications",
        "canvas_conn_id",
        "max_in_flight",
        "parallel_transfers",
        "parallel_ranges",
        "proof",
        "fail_on",
    ):
        assert PROPERTIES[name]["default"] == export[name].default, name
    for name in ("deadline", "stall_after"):
        assert read_duration(PROPERTIES[name]["default"], field=name) == export[name].default, name
    assert PROPERTIES["batch_size"]["default"] == listing["batch_size"].default
    assert tuple(PROPERTIES["export_types"]["default"]) == listing["export_types"].default
    assert PROPERTIES["key_template"]["default"] == DEFAULT_TEMPLATE
    assert PROPERTIES["timezone"]["default"] == Backup.timezone
    assert PROPERTIES["retries"]["default"] == Backup.retries
    assert PROPERTIES["max_active_batches"]["default"] == Backup.max_active_batches
    assert PROPERTIES["notify_when"]["default"] == Backup.notify_when
    assert PROPERTIES["sweep_after"]["default"] == Backup.sweep_after
    assert read_grace(Backup.sweep_after) == GRACE


@pytest.mark.parametrize("name", ["max_in_flight", "parallel_transfers", "parallel_ranges"])
def test_ranges_are_those_of_the_engine(name: str) -> None:
    least, most = PROPERTIES[name]["minimum"], PROPERTIES[name]["maximum"]
    for value in (least, most):
        build_options(courses=["1"], **{name: value})
    for value in (least - 1, most + 1):
        with pytest.raises(InputError, match=name):
            build_options(courses=["1"], **{name: value})
