"""What the demo ends with: the table of outcomes, and the catalog's answer to which courses have no good copy, and why."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from canvas_exports.archive.opening import open_store
from canvas_exports.archive.report import OutcomeRecord, records_of, table
from canvas_exports.archive.store import Store
from canvas_exports.commands.missing import missing, tell
from canvas_exports.export.outcome import Outcome


def close(archive: Path, expected: Mapping[str, str], say: Callable[[str], None]) -> list[str]:
    """Print both; returns what was not as expected.

    Args:
        archive: the folder.
        expected: the outcome of each context.
        say: prints a text.
    """
    with open_store(archive.as_uri()) as store:
        surprises = [*_outcomes(store, expected, say), *_missing(store, expected, say)]
    say("")
    say("\n".join(surprises) if surprises else f"All {len(expected)} outcomes are the expected ones.")
    return surprises


def _outcomes(store: Store, expected: Mapping[str, str], say: Callable[[str], None]) -> list[str]:
    keys = [info.key for info in store.list("runs/") if info.key.endswith("/report.json")]
    rows: list[OutcomeRecord] = records_of(json.loads(store.read(keys[0]))) if keys else []
    say(table(rows))
    outcomes = {row.context: row.outcome for row in rows}
    return [
        f"{context}: expected {wanted}, got {outcomes.get(context, 'nothing')}"
        for context, wanted in sorted(expected.items())
        if outcomes.get(context) != wanted
    ]


def _missing(store: Store, expected: Mapping[str, str], say: Callable[[str], None]) -> list[str]:
    say("\nWhich courses have no good copy, and why? The archive itself tells (`canvas-archive missing`):\n")
    found = missing(store)
    tell(found)
    named = {gap.context for gap in found.gaps}
    wanted = {context for context, outcome in expected.items() if not Outcome(outcome).is_good}
    return [
        f"{context}: the catalog {'names it, though it has a good copy' if context in named else 'does not name it'}"
        for context in sorted(named ^ wanted)
    ]
