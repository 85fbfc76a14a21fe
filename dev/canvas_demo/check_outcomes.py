"""The result of the demo: the table of outcomes, and the courses without a good copy, compared with what is expected."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from canvas_exports.cli.commands.missing import missing, print_coverage
from canvas_exports.core.archive.run_report import OutcomeRecord, records_of
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.reports.run_table import table
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import NoArchiveError


def check_outcomes(
    archive: Path, expected: Mapping[str, str], print_line: Callable[[str], None], *, dag_id: str, run_id: str
) -> list[str]:
    """Print both results of one run, and return every difference from what is expected.

    Args:
        archive: the folder.
        expected: the outcome of each context.
        print_line: prints a text.
        dag_id: of the run.
        run_id: of the run. Other runs in the archive do not matter.
    """
    with open_store(archive.as_uri()) as store:
        surprises = [
            *_outcomes(store, expected, print_line, dag_id=dag_id, run_id=run_id),
            *_missing(store, expected, print_line),
        ]
    print_line("")
    print_line("\n".join(surprises) if surprises else f"All {len(expected)} outcomes are as expected.")
    return surprises


def expected_state(expected: Mapping[str, str]) -> str:
    """Return the state of an Airflow run with these outcomes: the shipped backup has ``fail_on: any``."""
    return "success" if all(Outcome(outcome).is_good for outcome in expected.values()) else "failed"


def _outcomes(
    store: Store, expected: Mapping[str, str], print_line: Callable[[str], None], *, dag_id: str, run_id: str
) -> list[str]:
    rows = _rows(store, dag_id, run_id)
    print_line(table(rows))
    outcomes = {row.context: row.outcome for row in rows}
    return [
        f"{context}: expected {wanted}, got {outcomes.get(context, 'nothing')}"
        for context, wanted in sorted(expected.items())
        if outcomes.get(context) != wanted
        and not (_is_same(wanted, outcomes.get(context)) and _has_copy_of_another(store, context, run_id))
    ]


def _rows(store: Store, dag_id: str, run_id: str) -> list[OutcomeRecord]:
    """Return the report of the run."""
    for info in store.list("runs/"):
        if info.key.endswith("/report.json"):
            document: dict[str, Any] = json.loads(store.read(info.key))
            if (document["run"].get("dag_id"), document["run"].get("run_id")) == (dag_id, run_id):
                return records_of(document)
    return []


def _is_same(wanted: str, got: str | None) -> bool:
    """Return whether the course was stored by another run and has not changed since."""
    return (wanted, got) == (Outcome.STORED.value, Outcome.UNCHANGED.value)


def _has_copy_of_another(store: Store, context: str, run_id: str) -> bool:
    folder = f"courses/{context.partition(':')[2]}/"
    manifests = (
        json.loads(store.read(info.key)) for info in store.list(folder) if info.key.endswith(".json")
    )
    return any(document.get("run", {}).get("run_id") not in (None, run_id) for document in manifests)


def _missing(store: Store, expected: Mapping[str, str], print_line: Callable[[str], None]) -> list[str]:
    print_line("\nWhich courses have no good copy, and why? From the archive (`canvas-archive missing`):\n")
    try:
        found = missing(store, sorted(expected))
    except NoArchiveError as error:
        print_line(str(error))
        return ["the catalog finds no archive"]
    print_coverage(found)
    named = {gap.context for gap in found.gaps}
    wanted = {context for context, outcome in expected.items() if not Outcome(outcome).is_good}
    return [
        f"{context}: the catalog {'lists it, although it has a good copy' if context in named else 'does not list it'}"
        for context in sorted(named ^ wanted)
    ]
