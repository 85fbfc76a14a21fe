"""The tables of dependencies and of development."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterable

from hatchling.metadata.core import load_toml
from packaging.requirements import Requirement
from tests.support.airflow.task_runner import TaskRun
from tests.support.repository.markdown import ROOT, bare, page

from canvas_sandbox import Effect, Fault
from canvas_sandbox.__main__ import _parser
from canvas_sandbox.scenarios import SCENARIOS


class TestDependencies:
    project = load_toml(str(ROOT / "pyproject.toml"))

    def test_at_run_time(self) -> None:
        listed = self.project["project"]["dependencies"]
        assert page("dependencies").column("At run time") == names(listed)

    def test_extras(self) -> None:
        extras = self.project["project"]["optional-dependencies"]
        rows = [(bare(extra), bare(package)) for extra, package, _ in page("dependencies").table("Extras")]
        assert rows == [(extra, name) for extra, listed in extras.items() for name in names(listed)]
        assert page("README").column("Extras") == list(extras)

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
    "openlineage": "openlineage-python",
    "opentelemetry": "opentelemetry-api",
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
