"""Store beside a run's plan what Canvas said of its courses when they were listed: their facts, and when they were updated.

Each document of a plan has one of readings, with a line for each batch, which is read by its place::

    runs/2026-11-23/nightly/manual__2026-11-23/plan/0.jsonl
    runs/2026-11-23/nightly/manual__2026-11-23/readings/0.jsonl

It is written before the plan, and only helps: without it, or without a course in it, the batch asks Canvas itself. A plan that
is made a second time keeps its first readings; see ``changes.read_probes`` why older ones are safe. Facts have an age; see
``course_facts``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from canvas_exports.core.archive.json_documents import MAX_PLAN_BYTES, parse, read_bytes
from canvas_exports.core.archive.layout import run_folder
from canvas_exports.core.canvas.http.bounded_values import bounded_text, iso_text
from canvas_exports.core.export.changes.probe import SOURCES, Reading
from canvas_exports.core.export.planning.course_facts import CourseFacts, PlannedFacts
from canvas_exports.core.model.runs import RunInfo
from canvas_exports.core.storage.store import Store
from canvas_exports.core.text.wording import format_time, parse_time
from canvas_exports.errors import ArchiveError, ObjectNotFoundError, UnreadableDocumentError

SCHEMA = "urn:canvas-exports:plan-readings:1"

_FACTS = "facts"  # beside the contexts, of which none is called so
_FOLDER = "readings/"
_PLACES = 3
_LONGEST = 64  # characters of one value

Span = tuple[int, int]
"""Where a batch's line is: its offset and its length in bytes."""


def write_readings(
    store: Store,
    plan: str,
    batches: Iterable[Sequence[str]],
    readings: Mapping[str, Reading],
    facts: CourseFacts,
) -> list[Span]:
    """Store the readings and facts of the batches of one document of a plan, and return where each batch's are.

    Nothing is stored if there are none. If they are stored already, the earlier document counts.

    Args:
        store: the archive.
        plan: key of the document of the plan.
        batches: the contexts of each batch, in order.
        readings: by context, such as ``course:101``.
        facts: of the courses.

    Raises:
        ArchiveError: the archive cannot be read or written.
    """
    lines = [json.dumps({"schema": SCHEMA}).encode() + b"\n"]
    is_empty = True
    for batch in batches:
        line: dict[str, Any] = {each: _plain(readings[each]) for each in batch if each in readings}
        if known := facts.to_json(batch):
            line[_FACTS] = known
        is_empty = is_empty and not line
        lines.append(json.dumps(line, separators=(",", ":")).encode() + b"\n")
    if is_empty:
        return []
    document = b"".join(lines)
    if not store.put_if_absent(_key(plan), document):
        return stored_spans(store, plan)
    return _spans(document)


def stored_spans(store: Store, plan: str) -> list[Span]:
    """Return where the readings of each batch of a document of a plan are; none where they are not stored, or damaged.

    Raises:
        ArchiveError: the archive cannot be reached.
    """
    try:
        return _spans(read_bytes(store, _key(plan), MAX_PLAN_BYTES))
    except (ObjectNotFoundError, UnreadableDocumentError):
        return []


def read_readings(store: Store, plan: str, span: Span) -> dict[str, Reading]:
    """Return the readings of one batch by context, with one small request; none where they cannot be read."""
    found = {context: _read(row) for context, row in _line(store, plan, span).items()}
    return {context: reading for context, reading in found.items() if reading is not None}


def read_facts(store: Store, plan: str, span: Span) -> PlannedFacts | None:
    """Return the facts of the courses of one batch, with one small request; ``None`` where they cannot be read."""
    return PlannedFacts.from_json(_line(store, plan, span).get(_FACTS))


def readings_folder(run: RunInfo) -> str:
    """Return the folder of the readings of a run's plan."""
    return f"{run_folder(run.date, run.dag_id, run.run_id)}{_FOLDER}"


def _key(plan: str) -> str:
    run, _, name = plan.rpartition("plan/")
    return f"{run}{_FOLDER}{name}"


def _line(store: Store, plan: str, span: Span) -> dict[str, Any]:
    start, length = span
    try:
        line = store.read(_key(plan), start, min(length, MAX_PLAN_BYTES))
        rows = parse(line, "list of readings", key=_key(plan))
    except (ArchiveError, ValueError):
        return {}
    return rows if isinstance(rows, dict) else {}


def _spans(document: bytes) -> list[Span]:
    spans, start = [], 0
    for line in document.splitlines(keepends=True):
        spans.append((start, len(line.rstrip(b"\n"))))
        start += len(line)
    return spans[1:]


def _plain(reading: Reading) -> list[str]:
    return [reading.updated_at, format_time(reading.read_at), reading.source]


def _read(row: Any) -> Reading | None:
    """Read the inverse of ``_plain``; ``None`` for anything else: it comes from the archive."""
    if not isinstance(row, list) or len(row) != _PLACES:
        return None
    updated_at, read_at, source = iso_text(row[0]), bounded_text(row[1], most=_LONGEST), row[2]
    if not updated_at or not read_at or source not in SOURCES:
        return None
    try:
        return Reading(updated_at, parse_time(read_at), source)
    except ValueError:
        return None
