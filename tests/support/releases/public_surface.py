"""The names that users depend on: a release may add some, and takes none away."""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path
from typing import Any

from canvas_exports import errors
from canvas_exports.cli.main import parser
from canvas_exports.core.archive import schemas
from canvas_exports.core.backups.schema import schema
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.dags.backups import backup_dags
from canvas_exports.dags.hold import canvas_hold
from canvas_exports.dags.manual_export import canvas_export
from canvas_exports.dags.restore import canvas_restore
from canvas_exports.dags.restore_drill import canvas_restore_drill
from canvas_exports.dags.verify import canvas_verify
from canvas_exports.observability.metric_names import METRICS, SPANS
from canvas_exports.provider import get_provider_info

BACKUP = """
name: nightly
schedule: "0 2 * * *"
timezone: America/Chicago
courses: {account: 1, filters: {enrollment_term_id: current}}
archive: "{{ var.value.canvas_archive }}"
batch_size: 4
keep: {last: 1}
"""
DOCUMENTS = (
    "manifest-1",
    "manifest-2",
    "run-report-1",
    "verification-1",
    "verification-2",
    "drill-1",
    "drill-2",
    "gate-1",
    "hold-1",
    "retention-1",
)


def surface() -> dict[str, list[str]]:
    """Every public name, by kind."""
    info = get_provider_info()
    found: dict[str, Iterator[str]] = {
        "dags": _dags(),
        "classes": _classes(info),
        "entry points": _entry_points(info),
        "connections": _connections(info),
        "backup": _properties(schema()),
        "metrics": (f"{metric.name} {metric.kind} {' '.join(metric.tags)}".strip() for metric in METRICS),
        "spans": iter(SPANS),
        "commands": _commands(),
        "outcomes": (outcome.value for outcome in Outcome),
        "errors": (name for name, _ in inspect.getmembers(errors, inspect.isclass) if name.endswith("Error")),
        "documents": (f"{name}: {field}" for name in DOCUMENTS for field in _properties(_document(name))),
    }
    return {kind: sorted(set(names)) for kind, names in found.items()}


def as_typed(commands: Iterable[str]) -> list[str]:
    """Return the options of each command, and the number of its positional arguments: nobody types the names of those."""
    options = [line for line in commands if line.rpartition(" ")[2].startswith("-")]
    named = [line.partition(" ")[0] for line in commands if " " in line]
    positional = Counter(line.partition(" ")[0] for line in set(commands).difference(options))
    return [*options, *(f"{command}: {positional[command]} positional" for command in sorted(set(named)))]


def nightly() -> Any:
    """The DAG of the backup above, as a backup file makes it."""
    with tempfile.TemporaryDirectory() as include:
        (Path(include) / "backups").mkdir()
        (Path(include) / "backups" / "nightly.yaml").write_text(BACKUP)
        return backup_dags(Path(include))["canvas_backup_nightly"]


def _dags() -> Iterator[str]:
    dags: list[Any] = [
        canvas_export(),
        canvas_hold(),
        canvas_restore(),
        canvas_restore_drill(),
        canvas_verify(),
        nightly(),
    ]
    for dag in dags:
        for each in dag.tasks:
            made_by = getattr(each, "operator_class", type(each))
            yield f"{dag.dag_id}.{each.task_id} {made_by.__module__}.{made_by.__qualname__}"
        yield from (f"{dag.dag_id}?{name}" for name in dag.params)


def _entry_points(info: Mapping[str, Any]) -> Iterator[str]:
    """With what lies behind them where Airflow imports it; behind a command, only its name counts."""
    for point in distribution(info["package-name"]).entry_points:
        behind = "" if point.group == "console_scripts" else f" = {point.value}"
        yield f"{point.group} {point.name}{behind}"


def _classes(info: Mapping[str, Any]) -> Iterator[str]:
    """What a DAG file may import, and with which arguments."""
    for kind in ("hooks", "operators", "triggers"):
        for path in info[kind][0]["python-modules"]:
            module = importlib.import_module(path)
            for name, each in inspect.getmembers(module, inspect.isclass):
                if each.__module__ == path and name.startswith("Canvas"):
                    yield from (f"{path}.{name}({argument})" for argument in _arguments(each))
    for whole in (*info["notifications"], *info["extra-links"], info["plugins"][0]["plugin-class"]):
        path, _, name = whole.rpartition(".")
        each = getattr(importlib.import_module(path), name)
        yield from (f"{whole}({argument})" for argument in _arguments(each))


def _arguments(each: Any) -> list[str]:
    return ["", *(name for name in inspect.signature(each).parameters if not name.startswith("_"))]


def _connections(info: Mapping[str, Any]) -> Iterator[str]:
    for connection in info["connection-types"]:
        kind = connection["connection-type"]
        yield f"{kind} {connection['hook-class-name']}"
        yield from (f"{kind}.{field}" for field in connection["conn-fields"])


def _properties(rule: Any, path: str = "") -> Iterator[str]:
    """The fields that a JSON Schema names, with those that lie in others."""
    if isinstance(rule, list):
        for each in rule:
            yield from _properties(each, path)
    elif isinstance(rule, dict):
        for name, value in rule.items():
            if name in ("properties", "$defs") and isinstance(value, dict):
                for field, inner in value.items():
                    yield f"{path}{field}"
                    yield from _properties(inner, f"{path}{field}.")
            else:
                yield from _properties(value, path)


def _document(name: str) -> Any:
    return json.loads(files(schemas).joinpath(f"{name}.schema.json").read_text("utf-8"))


def _commands() -> Iterator[str]:
    for action in parser()._actions:
        yield from action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                for inner in command._actions:
                    yield from (f"{name} {word}" for word in inner.option_strings or [inner.dest])
