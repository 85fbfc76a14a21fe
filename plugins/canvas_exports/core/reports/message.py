"""A run in a message: a subject, a plain text, and a piece of HTML for mail programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from canvas_exports.core.archive.run_report import totals_of
from canvas_exports.core.model.alarm import Alarm
from canvas_exports.core.model.causes import Cause, RunCause
from canvas_exports.core.reports.page.rows import MOST_DETAIL, label
from canvas_exports.core.reports.page.templates import template
from canvas_exports.core.reports.page.view import RunView
from canvas_exports.core.reports.verdict import unexplained
from canvas_exports.core.text.wording import format_count, format_moment, format_size
from canvas_exports.foreign_text import harmless

MOST_NAMED = 20


@dataclass(frozen=True)
class Message:
    """Message of a notifier.

    Attributes:
        subject: one line.
        text: plain, a few dozen lines at most.
        html: the same as a piece of HTML, every text in it escaped.
        problems: number of exports without a good copy; a run without a report counts as one.
        alarms: number of alarms.
    """

    subject: str
    text: str
    html: str
    problems: int = 0
    alarms: int = 0


@dataclass(frozen=True)
class _Line:
    """One export with a problem."""

    name: str
    outcome: str
    reason: str
    step: str


def message(view: RunView, *, url: str | None = None) -> Message:
    """Return the message about a run: verdict, causes, totals, alarms, and the problems that no cause explains.

    Of these, exports without a good copy come first.

    Args:
        view: the run.
        url: where the page can be opened.
    """
    totals = totals_of(view.records)
    bare = view.without_good_copy
    known = set(bare)
    wanted = unexplained([*bare, *(record for record in view.problems if record not in known)], view.causes)
    named = [
        _Line(
            name=" ".join(part for part in (record.context, label(record, view)) if part),
            outcome=record.outcome,
            reason=harmless(record.reason, most=MOST_DETAIL),
            step=record.next_step or "",
        )
        for record in wanted[:MOST_NAMED]
    ]
    return _written(
        dag=view.run.dag_id or "canvas_exports",
        verdict=view.verdict,
        problems=totals["problems"],
        exports=totals["contexts"],
        where=view.where,
        causes=view.causes,
        facts=(
            ("Run", view.run.run_id or "-"),
            ("Ended", format_moment(view.finished_at, view.zone)),
            (
                "Outcomes",
                ", ".join(f"{number:,} {name}" for name, number in totals["outcomes"].items()) or "none",
            ),
            ("Stored", format_size(totals["bytes"])),
            *((("Promised age", view.promise),) if view.promise else ()),
            *((("Change probes", view.probes),) if view.probes else ()),
            ("Archive", f"{view.archive.rstrip('/')}/{view.folder}"),
        ),
        alarms=[_alarm_line(alarm) for alarm in view.told_alarms],
        named=named,
        more=len(wanted) - len(named),
        url=url,
    )


def _alarm_line(alarm: Alarm) -> _Line:
    safe = alarm.to_json()
    name = " ".join(part for part in (safe["context"], safe["name"]) if part) or "The run"
    return _Line(name, safe["code"], safe["sentence"], safe["next_step"])


def missing_report(dag_id: str, run_id: str, reason: str, *, cause: Cause | None = None) -> Message:
    """Return the message about a run whose report could not be written, with the next step if the cause is known."""
    return _written(
        dag=dag_id,
        verdict=f"This run has no report: {harmless(reason, most=MOST_DETAIL)}",
        problems=1,
        exports=None,
        causes=() if cause is None else (RunCause(cause.value, cause.sentence, cause.next_step),),
        facts=(("Run", run_id),),
        named=(),
        more=0,
        url=None,
    )


def _written(
    *,
    dag: str,
    verdict: str,
    problems: int,
    exports: int | None,
    where: str = "",
    causes: Sequence[RunCause] = (),
    facts: Sequence[tuple[str, str]],
    alarms: Sequence[_Line] = (),
    named: Sequence[_Line],
    more: int,
    url: str | None,
) -> Message:
    if exports is None:
        result = "no report"
    elif problems:
        result = f"{problems:,} of {exports:,} exports without a good copy{where}"
    elif exports == 1:
        result = "the only export ended well"
    else:
        result = f"all {exports:,} exports ended well" if exports else "nothing was exported"
    if causes:
        result += f": {causes[0].sentence}"
    if alarms:
        result += f", {format_count(len(alarms), 'alarm')}"
    values = {
        "verdict": verdict,
        "causes": causes,
        "facts": facts,
        "alarms": alarms[:MOST_NAMED],
        "more_alarms": len(alarms[MOST_NAMED:]),
        "named": named,
        "more": more,
        "url": url,
        "is_bad": bool(problems or alarms),
    }
    return Message(
        subject=harmless(f"{dag}: {result}"),
        text=template("message.txt").render(values).strip() + "\n",
        html=template("message.html").render(values).strip() + "\n",
        problems=problems,
        alarms=len(alarms),
    )
