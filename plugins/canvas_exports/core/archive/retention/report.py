"""Report a plan and its result: a table, a JSON document, and totals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo
from io import BytesIO
from textwrap import wrap
from typing import Any

from canvas_exports.core.archive.json_documents import encoded, plain
from canvas_exports.core.archive.retention.apply import Applied
from canvas_exports.core.archive.retention.plan import ContextPlan, Decision, Plan, PlannedCopy
from canvas_exports.core.archive.retention.policy_fields import write_keep
from canvas_exports.core.archive.schemas import problem
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.text.text_table import format_table
from canvas_exports.core.text.wording import format_size, format_time

SCHEMA = "urn:canvas-exports:retention:1"

#: Rows of the table in the log of a task.
MOST_ROWS = 500

_HEADINGS = ("CONTEXT", "TYPE", "COPY OF", "PROVEN", "DECISION", "WHY")
_NOTES = 20


def format_plan(plan: Plan, *, most: int | None = MOST_ROWS, width: int = 120) -> str:
    """Return a table of every copy, its decision and the reason; below it the policy, the totals and the notes.

    Contexts with deletions come first. Times are in the time zone of the policy.

    Args:
        plan: the plan.
        most: rows after which the table ends with the number of the rest; ``None`` for all.
        width: of the lines below the table.
    """
    contexts = sorted(plan.contexts, key=lambda context: not context.of(Decision.DELETE))
    copies = [(context, copy) for context in contexts for copy in context.copies]
    lines = [format_table(_HEADINGS, [_cells(*each, plan.policy.zone) for each in copies[:most]])]
    if most is not None and len(copies) > most:
        lines.append(f"and {len(copies) - most:,} more, which `canvas-archive retention` shows")
    for paragraph in (plan.policy.sentence(), totals(plan), *_notes(plan)):
        lines += ["", *wrap(paragraph, width)]
    return "\n".join(lines)


def totals(plan: Plan) -> str:
    """Return the totals of a plan as a sentence."""
    keep, delete, locked = (plan.count(each) for each in Decision)
    also = f", {locked:,} locked" if locked else ""
    others = f" Copies of others, which are not touched: {plan.others:,}." if plan.others else ""
    return (
        f"{_many(keep + delete + locked, 'copy', 'copies')}: {delete:,} to delete, {keep:,} to keep{also}. "
        f"The deletion frees {format_size(float(plan.freed_bytes))}.{others}"
    )


def result(applied: Applied) -> str:
    """Return as a sentence what was deleted."""
    left = f" Left for a later run: {len(applied.notes):,}." if applied.notes else ""
    copies = _many(applied.copies, "copy", "copies")
    packages = _many(applied.packages, "package", "packages")
    return f"Deleted {copies} and {packages} ({format_size(float(applied.bytes))}).{left}"


def summary(plan: Plan, applied: Applied | None) -> dict[str, Any]:
    """Return the totals of a plan and of its result as a small JSON value, for XCom and for reports."""
    values: dict[str, Any] = {
        "contexts": len(plan.contexts),
        "copies": sum(len(context.copies) for context in plan.contexts),
        **{decision.value: plan.count(decision) for decision in Decision},
        "frees": plan.freed_bytes,
        "policy": plan.policy.sentence(),
        "applied": None,
    }
    if applied is not None:
        values["applied"] = {
            "copies": applied.copies,
            "packages": applied.packages,
            "records": applied.records,
            "bytes": applied.bytes,
            "left": len(applied.notes),
        }
    return values


def plan_document(plan: Plan, applied: Applied | None, *, run: RunFacts, finished_at: datetime) -> bytes:
    """Return the plan and its result as JSON, valid against ``schemas/retention-1.schema.json``, one context in each line.

    Copies that are kept are counted, not listed: they are most of a large archive, and can be listed at any time.
    """
    head = {
        "schema": SCHEMA,
        "run": plain(run),
        "backup": plan.backup,
        "keep": write_keep(plan.policy),
        "timezone": plan.policy.timezone,
        "made_at": format_time(plan.made_at),
        "finished_at": format_time(finished_at),
        "totals": summary(plan, applied),
        "notes": [*_notes(plan), *(applied.notes if applied else ())],
    }
    rows = [
        _row(context) for context in plan.contexts if len(context.of(Decision.KEEP)) < len(context.copies)
    ]
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


def _cells(context: ContextPlan, copy: PlannedCopy, zone: tzinfo) -> tuple[str, ...]:
    return (
        context.name,
        copy.type,
        f"{copy.created_at.astimezone(zone):%Y-%m-%d %H:%M}",
        "yes" if copy.proven else "no",
        copy.decision.value,
        ", ".join(copy.reasons),
    )


def _notes(plan: Plan) -> Iterator[str]:
    for hold in plan.unmatched:
        yield f"No copy matches {hold}: is it misspelt?"
    notes = [note for context in plan.contexts for note in context.notes]
    yield from notes[:_NOTES]
    if len(notes) > _NOTES:
        yield f"And {len(notes) - _NOTES:,} more manifests that cannot be read."


def _row(context: ContextPlan) -> dict[str, Any]:
    listed = [copy for copy in context.copies if copy.decision is not Decision.KEEP]
    return {
        "context": context.name,
        "keep": len(context.copies) - len(listed),
        "copies": [{**plain(copy), "reasons": list(copy.reasons)} for copy in listed],
    }
