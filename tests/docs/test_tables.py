"""Every table in the documentation says what the code says: no row too many, none too few, no value out of date."""

from __future__ import annotations

import ast
import inspect
import json
import pkgutil
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import Connection
from benchmarks import hostile
from hatchling.metadata.core import load_toml
from packaging.requirements import Requirement
from tests.support.markdown import BLOCKS, ROOT, page
from tests.support.packages.broken import BREAKERS
from tests.support.packages.courses import course, quizzes
from tests.support.packages.stored import proven
from tests.support.packages.zips import entries_of, packed_zip
from tests.support.task_runner import TaskRun

from canvas_exports.core import packages
from canvas_exports.core.archive.layout import FIELDS, run_folder
from canvas_exports.core.backups.fields import SETTINGS
from canvas_exports.core.backups.schema import schema
from canvas_exports.core.backups.yaml_document import read_document
from canvas_exports.core.canvas.http.rate_limiter import RateLimits
from canvas_exports.core.model.durations import read_duration
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.packages import findings
from canvas_exports.core.packages.cartridge import manifest, xml_reader, xml_strict
from canvas_exports.core.packages.cartridge.manifest import MAX_MANIFEST
from canvas_exports.core.packages.proof import NEVER_HELD, Expectation, Severity, Verdict
from canvas_exports.core.packages.zip.directory import MAX_DIRECTORY, MAX_MEMBERS
from canvas_exports.core.packages.zip.members import MAX_RATIO, MAX_UNPACKED, MAX_UNPACKED_RATIO
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
from canvas_exports.operators.list_courses import CanvasListCoursesOperator
from canvas_exports.operators.restore import CanvasRestoreOperator
from canvas_exports.operators.retention import CanvasRetentionOperator
from canvas_exports.operators.run_report import CanvasRunReportOperator
from canvas_exports.operators.verify import CanvasVerifyOperator
from canvas_exports.provider import get_provider_info
from canvas_exports.triggers.content_export import CanvasContentExportTrigger
from canvas_exports.triggers.restore import CanvasRestoreTrigger
from canvas_sandbox import Effect, Fault
from canvas_sandbox.__main__ import _parser
from canvas_sandbox.scenarios import SCENARIOS


def bare(cell: str) -> str:
    return cell.replace("`", "")


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
    CanvasRunReportOperator,
    CanvasVerifyOperator,
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
        (policy,) = (json.loads(block.text) for block in BLOCKS if '"Statement"' in block.text)
        granted = [action for statement in policy["Statement"] for action in statement["Action"]]
        assert page("connections").column("The smallest rights in S3") == granted


class TestArchive:
    def test_the_fields_of_a_key_template(self) -> None:
        assert tuple(page("archive").column("Names")) == FIELDS

    def test_the_fields_of_a_manifest(self) -> None:
        published = json.loads(
            (ROOT / "plugins/canvas_exports/core/archive/schemas/manifest-1.schema.json").read_text()
        )
        assert page("archive").column("The manifest") == list(named_in(published["properties"]))

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


class TestProof:
    def test_every_code_of_a_finding_stands_there_with_its_severity(self) -> None:
        modules = [
            ast.parse(each.read_text(encoding="utf-8")) for each in Path(packages.__path__[0]).rglob("*.py")
        ]
        made: dict[str, str] = {}
        for node in (node for tree in modules for node in ast.walk(tree)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding":
                code, severity = node.args[:2]
                assert isinstance(code, ast.Constant)
                fixed = Severity[severity.attr].value if isinstance(severity, ast.Attribute) else None
                made[str(code.value)] = fixed or "as the rest"
        rows = page("proof").table("Findings")
        assert {bare(row[0]): bare(row[1]) for row in rows} == made

    def test_the_verdicts(self) -> None:
        named = page("proof").column("Verdicts")
        assert named[: len(Verdict)] == [verdict.value for verdict in Verdict]

    def test_what_is_never_held(self) -> None:
        rows = page("proof").table("What no package ever holds")
        columns = [[cell for cell in column if cell] for column in zip(*rows, strict=True)]
        assert columns == [list(held) for held in NEVER_HELD.values()]

    def test_the_levels(self) -> None:
        assert page("proof").column("Levels") == [level.value for level in ProofLevel]

    def test_the_counts_and_at_which_level_they_are_made(self) -> None:
        rows = page("proof").table("Counts")
        quiz_package, files = quizzes(), Expectation("zip")
        for letter, members, expect in (
            ("C", course().members(), course().expect),
            ("Q", quiz_package.members(), quiz_package.expect),
            ("F", {"a": b""}, files),
        ):
            data = packed_zip(entries_of(members))
            named = {bare(row[0]): bare(row[2]) for row in rows if letter in row[1].split()}
            shallow, deep = (proven(data, expect, level=level).proof.counts for level in ProofLevel)
            assert set(named) == set(deep)
            assert {name for name, level in named.items() if level == "directory"} == set(shallow)

    def test_the_damage_that_is_noticed(self) -> None:
        rows = [(broken, bare(noticed)) for broken, noticed in page("proof").table("Damage that is detected")]
        assert rows == list(BREAKERS)

    def test_the_bounds(self) -> None:
        said = page("proof").section("What is checked") + page("proof").section("Bounds")
        for bound in (
            f"{MAX_RATIO:,} times",
            f"{MAX_UNPACKED // 1024**3} GiB",
            f"{MAX_UNPACKED_RATIO} times",
            f"{MAX_MEMBERS:,}",
            f"{MAX_DIRECTORY // 1024**2} MiB",
            f"{MAX_MANIFEST // 1024**2} MiB",
            f"{manifest.MAX_CONTEXT // 1024} KiB",
            f"{manifest.MAX_PARTS:,} resources",
            f"{xml_reader.MAX_ELEMENTS:,} elements",
            f"{xml_reader.MAX_DEPTH} levels",
            f"{xml_strict.MAX_NAMES:,} different names",
            f"{xml_reader.MAX_RECOVERED // 1024**2} MiB",
            f"{xml_strict.MAX_ATTRIBUTES} attributes",
            f"{xml_strict.MAX_TOKEN // 1024} KiB",
            f"a name of {xml_strict.MAX_NAME:,} characters",
            f"a namespace of {xml_reader.MAX_SPACE:,}",
            f"{findings.MAX_FINDINGS}, each of {findings.MAX_MESSAGE} characters and a path of {findings.MAX_MEMBER:,}",
            f"at most {hostile.MOST_MIB} MiB",
        ):
            assert bound in said


class TestWhatIsInAPackage:
    @pytest.mark.parametrize("export_type", NEVER_HELD)
    def test_what_is_never_held_stands_there(self, export_type: str) -> None:
        assert page("what-is-in-a-package").column(export_type, table=1) == list(NEVER_HELD[export_type])

    @pytest.mark.parametrize("export_type", NEVER_HELD)
    def test_what_is_counted_is_a_count_of_that_type(self, export_type: str) -> None:
        letter = {"common_cartridge": "C", "qti": "Q", "zip": "F"}[export_type]
        known = {bare(row[0]) for row in page("proof").table("Counts") if letter in row[1].split()}
        rows = page("what-is-in-a-package").table(export_type)
        named = {bare(name) for row in rows for name in row[2].split(", ") if name}
        assert named
        assert named <= known


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


class TestDependencies:
    project = load_toml(str(ROOT / "pyproject.toml"))

    def test_at_run_time(self) -> None:
        listed = self.project["project"]["dependencies"]
        assert page("dependencies").column("At run time") == names(listed)

    def test_extras(self) -> None:
        extras = self.project["project"]["optional-dependencies"]
        rows = [(bare(extra), bare(package)) for extra, package, _ in page("dependencies").table("Extras")]
        assert rows == [(extra, name) for extra, listed in extras.items() for name in names(listed)]
        assert page("README").column("Into your own Airflow") == list(extras)

    def test_for_development(self) -> None:
        listed = self.project["dependency-groups"]["dev"]
        assert page("dependencies").column("For development") == names(listed)

    def test_nothing_is_imported_that_is_not_explained(self) -> None:
        text = page("dependencies").text
        for name in third_party():
            assert f"`{DISTRIBUTIONS.get(name, name)}`" in text, name


#: Distributions by the module they are imported as, where the two differ.
DISTRIBUTIONS = {
    "airflow": "apache-airflow",
    "azure": "azure-storage-blob",
    "google": "google-cloud-storage",
    "smart_open": "smart-open",
    "yaml": "pyyaml",
}


def third_party() -> set[str]:
    """Modules of others that the package imports."""
    found = set()
    for path in (ROOT / "plugins" / "canvas_exports").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module or "")
    return {name.partition(".")[0] for name in found} - sys.stdlib_module_names - {"canvas_exports"}


def names(requirements: Iterable[str]) -> list[str]:
    return [Requirement(one).name for one in requirements]


class TestDevelopment:
    def test_the_targets_of_make(self) -> None:
        targets = re.findall(r"^([a-z-]+):.*## (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
        rows = page("development").table("The commands")
        assert [(bare(command), does) for command, does in rows] == [
            (f"make {name}", does) for name, does in targets
        ]

    def test_the_packages(self) -> None:
        named = set(page("development").column("The packages"))
        found = {
            f"{path.relative_to(ROOT).as_posix()}/"
            for parent in ("plugins/canvas_exports", "include", "dev")
            for path in (ROOT / parent).iterdir()
            if path.is_dir() and path.name != "__pycache__"
        }
        assert named == found | {"dags/", "plugins/canvas_exports/", "tests/"}

    def test_every_path_that_answers_a_question_exists(self) -> None:
        paths = [bare(path) for path in page("development").column("Where is what", column=1)]
        assert [path for path in paths if not (ROOT / "plugins" / "canvas_exports" / path).is_file()] == []

    def test_the_folders_of_tests(self) -> None:
        found = {f"tests/{path.name}/" for path in (ROOT / "tests").iterdir() if any(path.rglob("test_*.py"))}
        assert set(page("development").column("The tests")) == found

    def test_the_sandboxs_options_and_scenarios(self) -> None:
        named = page("development").column("The sandbox")
        options = [
            option for action in _parser()._actions for option in action.option_strings if len(option) > 2
        ]
        assert named == [option for option in options if option != "--help"]
        (about,) = (row[1] for row in page("development").table("The sandbox") if "--scenario" in row[0])
        assert set(re.findall(r"`(\w+)`:", about)) == set(SCENARIOS)

    def test_the_sandboxs_faults_and_effects(self) -> None:
        rows = page("development").table("The sandbox", 1)
        assert [name for row in rows for name in bare(row[1]).split(", ")] == [fault.name for fault in Fault]
        text = (
            page("development").section("The sandbox").partition("A `RequestFault`")[2].partition("What")[0]
        )
        assert re.findall(r"`(\w+)`", text) == [effect.value for effect in Effect]

    def test_what_a_task_run_offers(self) -> None:
        named = page("development").column("A task run, segment by segment")
        assert {name.removesuffix("()") for name in named} == {
            name
            for name, value in vars(TaskRun).items()
            if inspect.isfunction(value) and not name.startswith("_")
        }
