"""The run report: what became of every context, as a document and as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from io import BytesIO
from textwrap import wrap
from typing import Any

from canvas_exports.core.archive.json_documents import encoded, plain, rebuild
from canvas_exports.core.archive.schemas import problem
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.text.wording import format_size, format_time
from canvas_exports.errors import UnreadableDocumentError
from canvas_exports.foreign_text import harmless

SCHEMA = "urn:canvas-exports:run-report:1"

_KIND = "run-report-1"
_ROW = "/properties/outcomes/items"
_HEADINGS = ("CONTEXT", "TYPE", "OUTCOME", "SIZE", "TIME", "DETAIL")
_NUMBERS = ("SIZE", "TIME")
_WIDEST = {  # the last column takes what is left
    "CONTEXT": 34,
    "TYPE": 16,
    "OUTCOME": 12,
    "SIZE": 8,
    "TIME": 8,
    "DETAIL": 80,
}
_NARROWEST = 10
_TOLD = ("name", "reason", "next_step", "findings")
_LONGEST = 1000
_SEEN = "\N{REPLACEMENT CHARACTER}"  # that something stood there
_GAP = "  "
_NAMED = 5
MOST_ROWS = 500


@dataclass(frozen=True, slots=True)
class OutcomeRecord:
    """What became of one context and export type.

    Attributes:
        context: such as ``course:101``.
        export_type: ``common_cartridge``, ``qti`` or ``zip``.
        outcome: one word; the engine defines them.
        reason: one sentence: why.
        next_step: one sentence: what to do about it; ``None`` where nothing is.
        problem: whether a person should look; problems come first.
        name: the context's name, for people: a course's code; never a person's.
        title: the course's name.
        sis_id: its SIS id.
        term: the name of its term, or the term's SIS id.
        task_id: Airflow's task that tells.
        map_index: of that task, if it is mapped.
        export_id: Canvas's id of the export, where one was created.
        key: where the package lies, where one was stored.
        size: bytes that were stored; none where the package of an earlier export holds the same.
        findings: of the proof, in short, such as ``2 files missing``.
        seconds: from the first request to the outcome.
        finished_at: when the outcome was known (UTC).
    """

    context: str
    export_type: str
    outcome: str
    reason: str
    next_step: str | None = None
    problem: bool = False
    name: str | None = None
    export_id: int | None = None
    key: str | None = None
    size: int | None = None
    findings: str | None = None
    seconds: float | None = None
    finished_at: datetime | None = None
    title: str | None = None
    sis_id: str | None = None
    term: str | None = None
    task_id: str | None = None
    map_index: int | None = None

    def __post_init__(self) -> None:
        """What is told to people is made harmless: it comes from Canvas, stores and packages. Ids and keys stay as they are."""
        for name in _TOLD:
            text = getattr(self, name)
            if isinstance(text, str) and not (text.isprintable() and len(text) <= _LONGEST):
                object.__setattr__(self, name, harmless(text, most=_LONGEST) or _SEEN)


def batch_document(
    records: Iterable[OutcomeRecord], *, run: RunFacts, started_at: datetime, finished_at: datetime
) -> dict[str, Any]:
    """The outcomes of one task, as JSON data valid against ``schemas/run-report-1.schema.json``."""
    rows = in_order(records)
    document = _head("batch", rows, run, started_at, finished_at)
    document["outcomes"] = [_row(record) for record in rows]
    if wrong := problem(_KIND, document):
        raise ValueError(f"not a run report: {wrong}")
    return document


def in_order(records: Iterable[OutcomeRecord]) -> list[OutcomeRecord]:
    """Problems first, then by outcome and context."""
    return sorted(records, key=_place)


def records_of(document: Mapping[str, Any], *, key: str | None = None) -> list[OutcomeRecord]:
    """The rows of a batch document or a run report.

    Raises:
        UnreadableDocumentError: one of them is none (permanent).
    """
    rows = document["outcomes"]
    if not isinstance(rows, list):
        raise UnreadableDocumentError("it is not a run report: it has no outcomes", key=key)
    return [record_of(row, key=key) for row in rows]


def record_of(row: Any, *, key: str | None = None) -> OutcomeRecord:
    """A row of a document, as ``documents.parse`` returns it.

    Raises:
        UnreadableDocumentError: it is none (permanent).
    """
    if wrong := problem(_KIND, row, part=_ROW):
        raise UnreadableDocumentError(f"it is not a run report: in a row, {wrong}", key=key)
    try:
        return rebuild(OutcomeRecord, row)
    except ValueError:  # the schema knows no calendar
        raise UnreadableDocumentError(
            "it is not a run report: a row names a time that there is not", key=key
        ) from None


def run_document(
    records: Sequence[OutcomeRecord],
    *,
    run: RunFacts,
    started_at: datetime | None,
    finished_at: datetime | None,
    swept: Mapping[str, Any] | None = None,
) -> bytes:
    """The report of a whole run, as JSON valid against ``schemas/run-report-1.schema.json``, a row in each line.

    Args:
        records: of all its batches, each context and export type once, in the order of ``in_order``.
        run: the run.
        started_at: of the first batch.
        finished_at: of the last.
        swept: what ``sweeping.Swept`` says, if the run swept.
    """
    whole = replace(run, task_id=None, map_index=None, attempt=None)
    head = _head("run", records, whole, started_at, finished_at)
    if swept is not None:
        head["swept"] = dict(swept)
    if wrong := problem(_KIND, {**head, "outcomes": []}):
        raise ValueError(f"not a run report: {wrong}")
    document = BytesIO()  # hands out what it has without a copy: with 200,000 rows it is large
    document.write(encoded(head)[:-1] + b', "outcomes": [')
    for at, record in enumerate(records):
        document.write((b",\n" if at else b"\n") + encoded(_row(record)))
    document.write(b"\n]}\n")
    return document.getvalue()


def table(records: Sequence[OutcomeRecord], *, width: int = 120) -> str:
    """The outcomes as a plain text table for the task log, problems first, no line longer than ``width``.

    After ``MOST_ROWS`` rows it says how many are left. Below it the totals, and every next step once.
    """
    records = in_order(records)
    rows = _telling([_HEADINGS, *(_cells(record) for record in records[:MOST_ROWS])])
    headings = rows[0]
    widths = [min(max(map(len, column)), _WIDEST[column[0]]) for column in _columns(rows)[:-1]]
    widths.append(max(_NARROWEST, width - sum(widths) - len(_GAP) * len(widths)))
    lines = [_line(row, headings, widths) for row in rows]
    lines.insert(1, _line(["-" * wide for wide in widths], headings, widths))
    if len(records) > MOST_ROWS:
        lines.append(f"and {len(records) - MOST_ROWS:,} more, all of which are in the report")
    return "\n".join([*lines, "", *_closing(records, width)])


def _columns(rows: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    return list(zip(*rows, strict=True))


def _telling(rows: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """The rows without columns that say nothing: empty ones, and a type that is the same everywhere."""
    told = [
        column
        for column in _columns(rows)
        if any(column[1:]) and not (column[0] == "TYPE" and len(set(column[1:])) == 1)
    ]
    return _columns(told) if told else [tuple(row) for row in rows]


def _line(cells: Sequence[str], headings: Sequence[str], widths: Sequence[int]) -> str:
    fitted = []
    for heading, cell, wide in zip(headings, cells, widths, strict=True):
        cut = cell if len(cell) <= wide else cell[: wide - 1] + "…"
        fitted.append(cut.rjust(wide) if heading in _NUMBERS else cut.ljust(wide))
    return _GAP.join(fitted).rstrip()


def _cells(record: OutcomeRecord) -> tuple[str, ...]:
    return tuple(harmless(cell, most=_LONGEST) for cell in _texts(record))


def _texts(record: OutcomeRecord) -> tuple[str, ...]:
    detail = (record.reason, record.findings) if record.problem else (record.findings, record.key)
    return (
        " ".join(part for part in (record.context, record.name or record.title) if part),
        record.export_type,
        record.outcome,
        "" if record.size is None else format_size(record.size),
        "" if record.seconds is None else f"{record.seconds:,.0f} s",
        "; ".join(part for part in detail if part),
    )


def _closing(records: Sequence[OutcomeRecord], width: int) -> Iterator[str]:
    totals = totals_of(records)
    listed = (
        ", ".join(f"{number:,} {outcome}" for outcome, number in totals["outcomes"].items())
        or "nothing to do"
    )
    yield from wrap(
        f"{totals['contexts']:,} exports: {listed}; {format_size(float(totals['bytes']))} stored", width
    )
    steps: dict[str, list[str]] = {}
    for record in records:
        if record.next_step:
            steps.setdefault(record.next_step, []).append(harmless(record.context))
    for step, contexts in steps.items():
        named = ", ".join(contexts[:_NAMED]) + (
            f" and {len(contexts) - _NAMED:,} more" if contexts[_NAMED:] else ""
        )
        yield from wrap(f"{named}: {step}", width, subsequent_indent="  ")


def _head(
    kind: str,
    records: Sequence[OutcomeRecord],
    run: RunFacts,
    started_at: datetime | None,
    finished_at: datetime | None,
) -> dict[str, Any]:
    """A document without its rows."""
    return {
        "schema": SCHEMA,
        "kind": kind,
        "run": plain(run),
        "started_at": started_at and format_time(started_at),
        "finished_at": finished_at and format_time(finished_at),
        "totals": totals_of(records),
    }


def _row(record: OutcomeRecord) -> dict[str, Any]:
    """What is known of one outcome."""
    return {name: value for name, value in plain(record).items() if value is not None}


def totals_of(records: Sequence[OutcomeRecord]) -> dict[str, Any]:
    """How many there are, how many are problems, their bytes, and how many of each outcome."""
    return {
        "contexts": len(records),
        "problems": sum(record.problem for record in records),
        "bytes": sum(record.size or 0 for record in records),
        "outcomes": dict(Counter(record.outcome for record in records).most_common()),
    }


def _place(record: OutcomeRecord) -> tuple[object, ...]:
    """Problems first; ``course:9`` before ``course:10``."""
    kind, _, name = record.context.partition(":")
    digits = len(name) if name.isdigit() else 0
    return not record.problem, record.outcome, kind, not digits, digits, name
