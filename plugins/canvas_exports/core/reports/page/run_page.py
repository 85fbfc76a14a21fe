"""The run report as one page for people: no file beside it, no request to anywhere, no text taken for markup."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from canvas_exports.core.archive.run_report import OutcomeRecord, totals_of
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.reports.page.charts import charts
from canvas_exports.core.reports.page.links import links
from canvas_exports.core.reports.page.rows import MOST_DETAIL, MOST_NAME, MOST_ROWS, label, row_data
from canvas_exports.core.reports.page.templates import part, template
from canvas_exports.core.reports.page.view import CopyStatus, RunView
from canvas_exports.core.reports.verdict import unexplained
from canvas_exports.core.text.wording import format_count, format_duration
from canvas_exports.foreign_text import harmless

_OUTCOMES = {outcome.value: outcome for outcome in Outcome}

#: Named one by one above the table; more are found in it.
MOST_NAMED = 50

#: Numbers of a proof that show the content of the packages, in this order.
_COUNTED = (
    "pages",
    "assignments",
    "quizzes",
    "question_banks",
    "discussions",
    "modules",
    "web_links",
    "tools",
    "files",
)


def render_page(view: RunView) -> bytes:
    """Return the page, in UTF-8.

    Holds the first ``rows.MOST_ROWS`` rows as data that a small script shows fifty at a time, and says so where there
    are more. All else is readable without the script. Its Content Security Policy allows exactly the style and the
    script that belong to it; every text is escaped, whatever it holds.
    """
    totals = totals_of(view.records)
    without = view.without_good_copy
    bare = [_named(record, view) for record in unexplained(without, view.causes)]
    findings = [_found(record, view, facts) for record in view.problems if (facts := _findings(record, view))]
    counted = [facts for record in view.records if (facts := view.copies.of(record)) and facts.counts]
    duration = "" if view.started_at is None else format_duration(view.finished_at - view.started_at)
    text = template("page.html").render(
        view=view,
        title=f"Run report: {view.run.dag_id or 'canvas_exports'}",
        problems=totals["problems"],
        duration=duration,
        totals=totals,
        outcomes=_totals(totals["outcomes"]),
        bare=bare,
        bare_ended=len(without) - len(bare),
        checked=format_count(len(view.copies.facts), "export") if view.copies.facts else "",
        counts=_counts(counted),
        counted=len(counted),
        stored=sum(record.key is not None for record in view.records),
        charts=charts(view.past, view.zone),
        findings=findings,
        alarms=[alarm.to_json() for alarm in view.told_alarms],
        most_named=MOST_NAMED,
        left_out=len(view.records) > MOST_ROWS,
        shown=min(len(view.records), MOST_ROWS),
        data=row_data(view),
        style=part("page.css"),
        script=part("page.js"),
        style_hash=_hash(part("page.css")),
        script_hash=_hash(part("page.js")),
    )
    return text.encode(errors="replace")


@dataclass(frozen=True)
class _Named:
    record: OutcomeRecord
    label: str
    reason: str
    gap: str
    batch: str
    links: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class _Found:
    record: OutcomeRecord
    label: str
    findings: Sequence[str]
    more: int

    @property
    def number(self) -> int:
        return len(self.findings) + self.more


@dataclass(frozen=True)
class _Total:
    outcome: str
    number: int
    definition: str
    next_step: str
    is_good: bool


def _named(record: OutcomeRecord, view: RunView) -> _Named:
    facts = view.copies.of(record)
    gap = "" if facts is None else harmless(facts.gap, most=MOST_DETAIL)
    return _Named(
        record,
        label(record, view),
        harmless(record.reason, most=MOST_DETAIL),
        gap,
        harmless(view.batch_of(record), most=MOST_NAME),
        links(record, view),
    )


def _findings(record: OutcomeRecord, view: RunView) -> CopyStatus | None:
    facts = view.copies.of(record)
    return facts if facts is not None and facts.findings else None


def _found(record: OutcomeRecord, view: RunView, facts: CopyStatus) -> _Found:
    texts = [harmless(text, most=MOST_DETAIL) for text in facts.findings]
    return _Found(record, label(record, view), texts, facts.more_findings)


def _totals(numbers: Mapping[str, int]) -> list[_Total]:
    """Return the outcomes that occur, problems first."""
    totals = []
    for name, number in numbers.items():
        outcome = _OUTCOMES.get(name)
        if outcome is None:  # of a later version
            totals.append(_Total(name, number, "", "", is_good=False))
        else:
            totals.append(_Total(name, number, outcome.definition, outcome.next_step, outcome.is_good))
    return sorted(totals, key=lambda total: (total.is_good, -total.number))


def _counts(facts: Sequence[CopyStatus]) -> list[tuple[str, int]]:
    together: Counter[str] = Counter()
    for each in facts:
        together.update({name: each.counts.get(name, 0) for name in _COUNTED})
    return [(name.replace("_", " "), together[name]) for name in _COUNTED if together[name]]


def _hash(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"
