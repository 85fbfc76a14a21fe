"""Every table in the documentation says what the code says: no row too many, none too few, no value out of date."""

from __future__ import annotations

import ast
import inspect
import json
import pkgutil
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import Connection
from tests.support.repository.markdown import BLOCKS, ROOT, bare, page

from canvas_exports.core.archive.layout import FIELDS, run_folder
from canvas_exports.core.backups.fields import SETTINGS
from canvas_exports.core.backups.schema import schema
from canvas_exports.core.backups.yaml_document import read_document
from canvas_exports.core.canvas.http.rate_limiter import RateLimits
from canvas_exports.core.model.durations import read_duration
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.reports.message import Message
from canvas_exports.core.reports.page.csv_table import COLUMNS
from canvas_exports.core.restore.result import RestoreOutcome
from canvas_exports.core.storage import open_store
from canvas_exports.dags.restore_drill import COUNT_VARIABLE, COURSES_VARIABLE
from canvas_exports.hooks import archive as archive_hook
from canvas_exports.hooks.archive import store_options
from canvas_exports.hooks.archive_protection import EXTRAS
from canvas_exports.hooks.canvas import CanvasHook
from canvas_exports.hooks.credential_scope import TYPES
from canvas_exports.operators.archive_gate import CanvasArchiveGateOperator
from canvas_exports.operators.content_export import CanvasContentExportOperator
from canvas_exports.operators.drill import CanvasDrawDrillsOperator, CanvasRestoreDrillOperator
from canvas_exports.operators.hold import CanvasHoldOperator
from canvas_exports.operators.list_courses import CanvasListCoursesOperator
from canvas_exports.operators.publish import CanvasPublishOperator
from canvas_exports.operators.restore import CanvasRestoreOperator
from canvas_exports.operators.retention import CanvasRetentionOperator
from canvas_exports.operators.run_report import CanvasRunReportOperator
from canvas_exports.operators.search_index import CanvasSearchIndexOperator
from canvas_exports.operators.verify import CanvasVerifyOperator
from canvas_exports.provider import get_provider_info
from canvas_exports.triggers.content_export import CanvasContentExportTrigger
from canvas_exports.triggers.restore import CanvasRestoreTrigger


def parameters(function: Any) -> dict[str, inspect.Parameter]:
    found = inspect.signature(function).parameters.values()
    return {one.name: one for one in found if one.name != "self" and one.kind is not one.VAR_KEYWORD}


OPERATORS = (
    CanvasArchiveGateOperator,
    CanvasContentExportOperator,
    CanvasListCoursesOperator,
    CanvasDrawDrillsOperator,
    CanvasRestoreDrillOperator,
    CanvasRestoreOperator,
    CanvasRetentionOperator,
    CanvasSearchIndexOperator,
    CanvasRunReportOperator,
    CanvasVerifyOperator,
    CanvasHoldOperator,
    CanvasPublishOperator,
)


class TestOperators:
    @pytest.mark.parametrize("operator", OPERATORS)
    def test_every_parameter_stands_there_with_its_default_and_whether_it_is_a_template(
        self, operator: type[Any]
    ) -> None:
        rows = page("operators").table(operator.__name__)
        known = parameters(operator.__init__)
        assert [bare(row[0]) for row in rows] == list(known)
        for name, default, template, _ in rows:
            self.assert_default(default, known[bare(name)].default)
            assert (template == "yes") == (bare(name) in operator.template_fields), name

    def assert_default(self, cell: str, default: Any) -> None:
        if default is inspect.Parameter.empty:
            assert cell == "required"
        elif cell == "Airflow's":
            assert default is False
        elif isinstance(default, timedelta):
            assert read_duration(bare(cell), field="default") == default
        else:
            assert ast.literal_eval(bare(cell)) == default

    def test_the_triggers_parameters(self) -> None:
        named = page("operators").column("The trigger")
        assert named == list(parameters(CanvasContentExportTrigger.__init__))
        named = page("operators").column("The trigger of a restore")
        assert named == list(parameters(CanvasRestoreTrigger.__init__))

    def test_the_hooks_methods(self) -> None:
        named = {name.removesuffix("()") for name in page("operators").column("The hook")}
        public = {
            name for name, value in vars(CanvasHook).items() if callable(value) and not name.startswith("_")
        }
        assert named == public

    def test_the_operators_are_those_the_provider_names(self) -> None:
        named = {re.sub(r"[\[\]]|\(.*\)", "", name) for name in page("operators").column("Operators")}
        (listed,) = get_provider_info()["operators"]
        assert named == {operator.__name__ for operator in OPERATORS}
        assert {operator.__module__ for operator in OPERATORS} == set(listed["python-modules"])

    def test_the_key_of_the_receipts_report(self) -> None:
        (receipt,) = (json.loads(block.text) for block in BLOCKS if '"exports"' in block.text)
        run_id = "scheduled__2026-11-23T02:00:00+00:00"
        folder = run_folder(date(2026, 11, 23), "science", run_id)
        assert receipt["report"] == f"{folder}batches/export-0.json"


class TestOutcomes:
    def test_each_outcome_has_its_definition_next_step_and_consequences(self) -> None:
        rows = page("outcomes").table("Outcomes: a runbook")
        assert rows == [
            [
                f"`{outcome.value}`",
                outcome.definition,
                outcome.next_step,
                "yes" if outcome.has_package else "",
                "" if outcome.is_good else "yes",
            ]
            for outcome in Outcome
        ]

    def test_only_degraded_and_interrupted_are_retried(self) -> None:
        assert [outcome.value for outcome in Outcome if outcome.is_retryable] == ["degraded", "interrupted"]
        assert "retries a task only for `interrupted`" in page("outcomes").text

    def test_each_outcome_has_a_section(self) -> None:
        for outcome in Outcome:
            assert page("outcomes").section(outcome.value).strip()


class TestBackups:
    def test_every_key_stands_there_with_its_default(self) -> None:
        rows = page("backups").table("Every key")
        known: Mapping[str, Any] = schema()["properties"]
        assert {bare(row[0]) for row in rows} == set(known)
        assert len(rows) == len(known)
        for name, default, _ in rows:
            rule = known[bare(name)]
            if bare(name) in schema()["required"]:
                assert default == "required"
            else:
                assert read_document(f"x: {bare(default)}", "page").data["x"] == rule.get("default"), name

    def test_every_key_of_courses_and_every_filter(self) -> None:
        courses = schema()["properties"]["courses"]["properties"]
        assert page("backups").column("courses") == list(courses)
        rows = page("backups").table("courses", 1)
        filters = courses["filters"]["properties"]
        assert sorted(bare(row[0]) for row in rows) == sorted(filters)
        for name, values in rows:
            rule = filters[bare(name)]
            for accepted in rule.get("enum") or rule.get("items", {}).get("enum") or ():
                assert f"`{accepted}`" in values, name

    def test_the_settings_of_a_single_run(self) -> None:
        assert tuple(page("backups").column("One run by hand")) == SETTINGS


class TestConnections:
    def test_the_extras_of_a_canvas_archive(self) -> None:
        form = get_provider_info()["connection-types"][1]
        rows = page("connections").table("A Canvas archive", 1)
        assert {bare(row[0]) for row in rows} == set(form["conn-fields"]) - set(EXTRAS)

    def test_the_types_of_connection_that_belong_to_a_scheme(self) -> None:
        rows = page("connections").table("Which connection for which archive")
        assert {bare(scheme): tuple(re.findall(r"`(\w+)`", types)) for scheme, types, _ in rows} == TYPES

    def test_the_extras_of_a_canvas_connection(self) -> None:
        form = get_provider_info()["connection-types"][0]
        rows = page("connections").table("Canvas", 1)
        renewed = page("connections").table("Refresh token")
        assert [bare(row[0]) for row in [*renewed, *rows]] == list(form["conn-fields"])
        defaults = {bare(name): json.loads(bare(default)) for name, default, _ in rows}
        limits = RateLimits()
        assert defaults == {
            "max_in_flight": limits.max_in_flight,
            "floor": limits.floor,
            "verify": True,
            "forms": "",
        }

    @pytest.mark.parametrize("row", page("connections").table("Archives"), ids=" ".join)
    def test_every_field_of_an_archives_connection_is_read(self, row: list[str]) -> None:
        scheme, place = bare(row[0]), row[1]
        known: dict[str, Any] = {"conn_id": "archive", "conn_type": TYPES[scheme][-1], "host": "place"}
        if place.startswith("extra"):
            connection = Connection(**known, extra=json.dumps({bare(place)[6:]: "marker"}))
        else:
            connection = Connection(**known)
            setattr(connection, bare(place), "marker")
        options = store_options(f"{scheme}://place/path", connection)
        assert "marker" in [*vars(options).values(), *options.settings.values()]

    def test_no_field_that_is_read_is_missing(self) -> None:
        tree = ast.parse(Path(str(archive_hook.__file__)).read_text(encoding="utf-8"))
        read = {
            node.args[0].value
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "get"
            and isinstance(node.args[0], ast.Constant)
        }
        named = {bare(cell)[6:] for cell in page("connections").column("Archives", 1) if "extra" in cell}
        # `host` is where older versions of the Amazon provider had the endpoint, `s3` lies within `service_config`.
        # A connection string and its parts are told below the table.
        parts = {"AccountName", "AccountKey", "BlobEndpoint", "SharedAccessSignature"}
        assert read - named == {"service_config", "s3", "host", "connection_string", *parts}
        assert "service_config" in page("connections").text
        assert "connection_string" in page("connections").text

    def test_the_policy_grants_what_the_table_explains(self) -> None:
        policy, *others = (json.loads(block.text) for block in BLOCKS if '"Statement"' in block.text)
        assert [policy] == others  # the quick start has it, too
        granted = [action for statement in policy["Statement"] for action in statement["Action"]]
        assert page("connections").column("The smallest rights in S3") == granted


class TestArchive:
    def test_the_fields_of_a_key_template(self) -> None:
        assert tuple(page("archive").column("Names")) == FIELDS

    def test_the_fields_of_a_manifest(self) -> None:
        first, second = (
            json.loads(
                (
                    ROOT / f"plugins/canvas_exports/core/archive/schemas/manifest-{version}.schema.json"
                ).read_text()
            )
            for version in (1, 2)
        )
        named = page("archive").column("The manifest")
        assert [name for name in named if name != "confirmed_at"] == list(named_in(first["properties"]))
        assert [name for name in named if name != "package.sha256"] == list(named_in(second["properties"]))

    def test_the_kinds_of_archive(self) -> None:
        named = re.findall(r"`(\w+)://", "".join(row[0] for row in page("archive").table("Supported stores")))
        understood = {*open_store._CLOUDS, *open_store._SFTP, "file"}
        assert set(re.findall(r"(\w+)://", open_store.ACCEPTED)) <= set(named) <= understood
        for alias in understood - set(named):
            assert f"`{alias}`" in page("archive").section("Supported stores")

    def test_the_folder_of_a_run_in_the_picture(self) -> None:
        run_id = "scheduled__2026-11-23T08:00:00+00:00"
        folder = run_folder(date(2026, 11, 23), "canvas_backup_nightly", run_id)
        (picture,) = (block.text for block in page("archive").blocks if "├── courses/" in block.text)
        for part in folder.strip("/").split("/"):
            assert f"{part}/" in picture


def named_in(properties: Mapping[str, Any]) -> Iterable[str]:
    for name, rule in properties.items():
        if name != "schema":
            yield from (
                (f"{name}.{inner}" for inner in rule["properties"]) if "properties" in rule else (name,)
            )


class TestHowItWorks:
    def test_the_numbers(self) -> None:
        for name, value, _ in page("how-it-works").table("The numbers"):
            assert pkgutil.resolve_name(bare(name)) == int(value), name

    def test_the_rate_limit(self) -> None:
        rows = page("how-it-works").table("The rate limit")
        limits = RateLimits()
        assert {bare(name): float(value) for name, value, _ in rows} == {
            one.name: getattr(limits, one.name) for one in fields(limits)
        }


class TestRestore:
    def test_the_outcomes(self) -> None:
        named = page("restore").column("Outcomes and issues")
        assert named == [outcome.value for outcome in RestoreOutcome]

    def test_the_variables_of_the_drill(self) -> None:
        text = page("restore").text
        assert COURSES_VARIABLE in text
        assert COUNT_VARIABLE in text


class TestReports:
    def test_the_bounds(self) -> None:
        for name, value, _ in page("reports").table("Limits"):
            assert pkgutil.resolve_name(bare(name)) == int(value), name

    def test_the_columns_of_the_spreadsheet(self) -> None:
        assert page("reports").column("CSV columns") == list(COLUMNS)

    def test_what_a_template_may_say(self) -> None:
        named = re.findall(r"run_report\.(\w+)", " ".join(page("reports").column("Other notifiers")))
        assert named == [one.name for one in fields(Message)]
