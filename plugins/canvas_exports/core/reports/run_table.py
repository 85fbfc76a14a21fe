"""The outcomes of a run as a plain text table, for a task log and a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from canvas_exports.core.archive.run_report import LONGEST_TEXT, OutcomeRecord, in_order, totals_of
from canvas_exports.core.model.alarm import Alarm
from canvas_exports.core.model.causes import RunCause
from canvas_exports.core.reports.probe_results import describe_probes, tells_more
from canvas_exports.core.reports.verdict import unexplained
from canvas_exports.core.text.text_table import format_table
from canvas_exports.core.text.wording import format_size
from canvas_exports.foreign_text import harmless

MOST_ROWS = 500

_WIDEST = {"CONTEXT": 34, "TYPE": 16, "OUTCOME": 12, "SIZE": 8, "TIME": 8, "DETAIL": LONGEST_TEXT}
_NUMBERS = ("SIZE", "TIME")
_MOST_ALARMS = 20
_NAMED = 5  # of the courses with the same next step


def table(
    records: Sequence[OutcomeRecord],
    *,
    causes: Sequence[RunCause] = (),
    alarms: Sequence[Alarm] = (),
    width: int = 120,
) -> str:
    """Return the outcomes as a plain text table, problems first, no line longer than ``width``.

    The causes come before the table, and the exports that they ended are not in it. After ``MOST_ROWS`` rows it says how many
    more there are. Below it stand the totals, every next step once, and the alarms.
    """
    records = in_order(records)
    listed = unexplained(records, causes)
    rows = [_cells(record) for record in listed[:MOST_ROWS]]
    columns = list(_WIDEST)
    if len({row["TYPE"] for row in rows}) == 1:
        columns.remove("TYPE")
    lines = [line for cause in causes for line in (*_cause(cause, width), "")]
    if rows or not causes:
        lines.append(
            format_table(
                columns, [[row[name] for name in columns] for row in rows], numbers=_NUMBERS, width=width
            )
        )
    if len(listed) > MOST_ROWS:
        lines.append(f"and {len(listed) - MOST_ROWS:,} more, all of which are in the report")
    return "\n".join([*lines, "", *_closing(records, listed, width), *_alarm_lines(alarms, width)])


def _cause(cause: RunCause, width: int) -> Iterator[str]:
    yield from wrap(harmless(cause.sentence, most=LONGEST_TEXT), width)
    for text in filter(None, (cause.extent, cause.next_step)):
        yield from wrap(harmless(text, most=LONGEST_TEXT), width, initial_indent="  ", subsequent_indent="  ")


def _alarm_lines(alarms: Sequence[Alarm], width: int) -> Iterator[str]:
    for alarm in alarms[:_MOST_ALARMS]:
        safe = alarm.to_json()
        about = " ".join(part for part in (safe["context"], safe["name"]) if part)
        text = f"Alarm{about and f', {about}'}: {safe['sentence']} {safe['next_step']}"
        yield from wrap(text, width, subsequent_indent="  ")
    if alarms[_MOST_ALARMS:]:
        yield f"and {len(alarms) - _MOST_ALARMS:,} more alarms: canvas-archive alarms"


def _cells(record: OutcomeRecord) -> dict[str, str]:
    return {
        name: harmless(text, most=_WIDEST[name]) for name, text in zip(_WIDEST, _texts(record), strict=True)
    }


def _texts(record: OutcomeRecord) -> tuple[str, ...]:
    detail = (
        (record.reason, record.findings)
        if record.problem or tells_more(record)
        else (record.findings, record.key)
    )
    return (
        " ".join(part for part in (record.context, record.name or record.title) if part),
        record.export_type,
        record.outcome,
        "" if record.size is None else format_size(record.size),
        "" if record.seconds is None else f"{record.seconds:,.0f} s",
        "; ".join(part for part in detail if part),
    )


def _closing(records: Sequence[OutcomeRecord], listed: Sequence[OutcomeRecord], width: int) -> Iterator[str]:
    totals = totals_of(records)
    outcomes = (
        ", ".join(f"{number:,} {outcome}" for outcome, number in totals["outcomes"].items())
        or "nothing to do"
    )
    yield from wrap(
        f"{totals['contexts']:,} exports: {outcomes}; {format_size(float(totals['bytes']))} stored", width
    )
    if probes := describe_probes(records):
        yield from wrap(probes, width)
    steps: dict[str, list[str]] = {}
    for record in listed:
        if record.next_step:
            steps.setdefault(record.next_step, []).append(harmless(record.context))
    for step, contexts in steps.items():
        named = ", ".join(contexts[:_NAMED]) + (
            f" and {len(contexts) - _NAMED:,} more" if contexts[_NAMED:] else ""
        )
        yield from wrap(f"{named}: {step}", width, subsequent_indent="  ")
