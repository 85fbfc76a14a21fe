"""A plan for people and for programs: a table, a document, a few numbers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo
from io import BytesIO
from textwrap import wrap
from typing import Any

from canvas_exports.core.archive.json_documents import encoded, plain
from canvas_exports.core.archive.retention.apply import Applied
from canvas_exports.core.archive.retention.plan import ContextPlan, Decision, Line, Plan
from canvas_exports.core.archive.schemas import problem
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.text.wording import format_size, format_time

SCHEMA = "urn:canvas-exports:retention:1"

#: Rows of the table in a task's log.
MOST_ROWS = 500

_HEADINGS = ("CONTEXT", "TYPE", "COPY OF", "PROVEN", "DECISION", "WHY")
_GAP = "  "
_NOTES = 20


def table(plan: Plan, *, most: int | None = MOST_ROWS, width: int = 120) -> str:
    """Every copy, keep or delete, and by which rules; then the policy, the totals and what a person should know.

    Contexts that lose something come first. Times are in the policy's time zone.

    Args:
        plan: the plan.
        most: rows after which it says how many are left; ``None`` for all.
        width: of the lines below the table.
    """
    zone = plan.policy.zone
    contexts = sorted(plan.contexts, key=lambda context: not context.of(Decision.DELETE))
    lines = [(context, line) for context in contexts for line in context.lines]
    rows = [_HEADINGS, *(_cells(context, line, zone) for context, line in lines[:most])]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    told = [
        _GAP.join(cell.ljust(wide) for cell, wide in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    if most is not None and len(lines) > most:
        told.append(f"and {len(lines) - most:,} more, which `canvas-archive retention` shows")
    for paragraph in (plan.policy.sentence(), totals(plan), *_notes(plan)):
        told += ["", *wrap(paragraph, width)]
    return "\n".join(told)


def totals(plan: Plan) -> str:
    """What the plan comes to, in a sentence."""
    keep, delete, locked = (plan.count(each) for each in Decision)
    also = f"; {locked:,} stay because they are locked" if locked else ""
    others = (
        f" Copies that others made here, and that are not looked at: {plan.others:,}." if plan.others else ""
    )
    return (
        f"Of {_many(keep + delete + locked, 'copy', 'copies')}, {delete:,} go and {keep:,} stay{also}. That frees "
        f"{format_size(float(plan.frees))}.{others}"
    )


def result(applied: Applied) -> str:
    """What was deleted, in a sentence."""
    left = f" Left alone for a later run: {len(applied.notes):,}." if applied.notes else ""
    copies = _many(applied.copies, "copy", "copies")
    packages = _many(applied.packages, "package", "packages")
    return f"Deleted {copies} and {packages} ({format_size(float(applied.bytes))}).{left}"


def summary(plan: Plan, applied: Applied | None) -> dict[str, Any]:
    """The same as a small JSON value: for XCom and for reports."""
    told: dict[str, Any] = {
        "contexts": len(plan.contexts),
        "copies": sum(len(context.lines) for context in plan.contexts),
        **{decision.value: plan.count(decision) for decision in Decision},
        "frees": plan.frees,
        "policy": plan.policy.sentence(),
        "applied": None,
    }
    if applied is not None:
        told["applied"] = {
            "copies": applied.copies,
            "packages": applied.packages,
            "records": applied.records,
            "bytes": applied.bytes,
            "left": len(applied.notes),
        }
    return told


def document(plan: Plan, applied: Applied | None, *, run: RunFacts, finished_at: datetime) -> bytes:
    """The plan and what came of it, as JSON valid against ``schemas/retention-1.schema.json``, a context in each line.

    Of copies that stay it holds the number only: they can be asked for at any time, and are most of a large archive.
    """
    head = {
        "schema": SCHEMA,
        "run": plain(run),
        "backup": plan.backup,
        "made_at": format_time(plan.made_at),
        "finished_at": format_time(finished_at),
        "totals": summary(plan, applied),
        "notes": [*_notes(plan), *(applied.notes if applied else ())],
    }
    rows = [_row(context) for context in plan.contexts if len(context.of(Decision.KEEP)) < len(context.lines)]
    if wrong := problem("retention-1", {**head, "contexts": rows}):
        raise ValueError(f"not the document of a plan: {wrong}")
    whole = BytesIO()
    whole.write(encoded(head)[:-1] + b', "contexts": [')
    for at, row in enumerate(rows):
        whole.write((b",\n" if at else b"\n") + encoded(row))
    whole.write(b"\n]}\n")
    return whole.getvalue()


def _many(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _cells(context: ContextPlan, line: Line, zone: tzinfo) -> tuple[str, ...]:
    return (
        context.name,
        line.type,
        f"{line.created_at.astimezone(zone):%Y-%m-%d %H:%M}",
        "yes" if line.proven else "no",
        line.decision.value,
        ", ".join(line.reasons),
    )


def _notes(plan: Plan) -> Iterator[str]:
    for hold in plan.unmatched:
        yield f"No copy here is meant by {hold}: is it misspelt?"
    notes = [note for context in plan.contexts for note in context.notes]
    yield from notes[:_NOTES]
    if len(notes) > _NOTES:
        yield f"And {len(notes) - _NOTES:,} more manifests that cannot be read."


def _row(context: ContextPlan) -> dict[str, Any]:
    going = [line for line in context.lines if line.decision is not Decision.KEEP]
    return {
        "context": context.name,
        "keep": len(context.lines) - len(going),
        "copies": [_copy(line) for line in going],
    }


def _copy(line: Line) -> dict[str, Any]:
    row: dict[str, Any] = {**plain(line), "reasons": list(line.reasons)}
    return row
