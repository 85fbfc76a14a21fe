"""Which contexts have no good copy, and why."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from canvas_exports.core.archive.catalog.assessment import Assessment, GapReason, assess
from canvas_exports.core.archive.catalog.read import Holding, UnreadableDocument
from canvas_exports.core.archive.catalog.runs import ReportedOutcome
from canvas_exports.core.text.wording import format_time

#: The DAG whose courses a person types: what Canvas does not know of those, and the archive neither, never was a course.
BY_HAND = "canvas_export"

_SIS = "course:sis_course_id:"
_NUMBER = re.compile("[0-9]{1,19}")
_GONE = "gone"
_STORED = re.compile(r"(course|group|user)s/([1-9][0-9]{0,18})/")


@dataclass(frozen=True)
class Gap:
    """A context without a good copy.

    Attributes:
        context: such as ``course:101``.
        export_type: which export it lacks; ``None`` where the archive cannot tell.
        gap_reason: what it has instead.
        why: one sentence.
        name: the context's name, for people; never a person's.
        newest: when the newest copy of any verdict was made; ``None`` if there is none.
        outcome: how the last run that spoke of it ended for it; ``None`` if no recent report does.
        reason: that run's reason.
        next_step: what to do about that.
        run: the key of that run's report.
    """

    context: str
    export_type: str | None
    gap_reason: GapReason
    why: str
    name: str | None = None
    newest: datetime | None = None
    outcome: str | None = None
    reason: str | None = None
    next_step: str | None = None
    run: str | None = None

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON data."""
        return {
            "context": self.context,
            "export_type": self.export_type,
            "lack": self.gap_reason.value,
            "why": self.why,
            "name": self.name,
            "newest": self.newest and format_time(self.newest),
            "outcome": self.outcome,
            "reason": self.reason,
            "next_step": self.next_step,
            "run": self.run,
        }


@dataclass(frozen=True)
class Coverage:
    """How much of what should have a good copy has one.

    Attributes:
        judged: contexts, once for each export type.
        gaps: those without a good copy; by kind and number.
        unreadable: manifests that cannot be read: they are no copies, whatever they were.
    """

    judged: int
    gaps: tuple[Gap, ...]
    unreadable: tuple[UnreadableDocument, ...] = ()

    @property
    def good(self) -> int:
        """How many have a good copy."""
        return self.judged - len(self.gaps)


def coverage(
    holdings: Iterable[Holding],
    *,
    expected: Iterable[str] | None = None,
    export_types: Iterable[str] = ("common_cartridge",),
    outcomes: Iterable[ReportedOutcome] = (),
) -> Coverage:
    """Judge contexts by their copies. Keeps some 150 bytes of each context, as many of each SIS id, and the gaps.

    Args:
        holdings: what the archive holds; see ``reading.every_context``.
        expected: the contexts that should have a good copy, such as ``course:101``; a course whose number is not known is
            named ``course:sis_course_id:BIO-101`` and found by the SIS id in its newest manifest. ``None``: all that the
            archive knows, from copies and from the outcomes, each with the export types it has or was asked for; but not what
            a person typed into the form of ``canvas_export``, Canvas did not find, and the archive never had a copy of.
        export_types: what each expected context should have.
        outcomes: of runs, newest first: they explain gaps.
    """
    ledger = _Known() if expected is None else _Expected(expected, tuple(export_types))
    unreadable: list[UnreadableDocument] = []
    for holding in holdings:
        unreadable += holding.unreadable
        ledger.take(holding)
    for one in outcomes:
        ledger.explain(one)
    return replace(ledger.coverage(), unreadable=tuple(unreadable))


class _Known:
    """Judges whatever there is."""

    def __init__(self) -> None:
        self._good: set[tuple[str, str]] = set()
        self._gaps: dict[tuple[str, str | None], Gap] = {}
        self._by_sis: dict[str, tuple[datetime, str]] = {}

    def take(self, holding: Holding) -> None:
        if holding.copies and holding.copies[-1].context.sis_id is not None:
            last = holding.copies[-1]
            name, told = f"{_SIS}{last.context.sis_id}", (last.created_at, holding.name)
            self._by_sis[name] = max(told, self._by_sis.get(name, told))
        types = {copy.export.type for copy in holding.copies}
        for export_type in types:
            self._note(holding, export_type)
        if not types and holding.unreadable:
            self._gaps[holding.name, None] = _gap(holding.name, None, assess((), holding.unreadable))

    def _note(self, holding: Holding, export_type: str) -> None:
        assessment = _assessment(holding, export_type)
        if assessment.is_good:
            self._good.add((holding.name, export_type))
        else:
            self._gaps[holding.name, export_type] = _gap(holding.name, export_type, assessment)

    def explain(self, one: ReportedOutcome) -> None:
        _, number = self._by_sis.get(one.record.context, (None, one.record.context))
        context = _holder(one.record.key) or number
        pair = (context, one.record.export_type)
        if pair in self._good:
            return
        typed = one.report.dag == BY_HAND and one.record.outcome == _GONE
        if typed and pair not in self._gaps and (context, None) not in self._gaps:
            return
        unknown = self._gaps.pop((context, None), None)
        gap = self._gaps.get(pair) or (replace(unknown, export_type=pair[1]) if unknown else None)
        self._gaps[pair] = _explained(gap or _gap(*pair, assess(())), one)

    def coverage(self) -> Coverage:
        return Coverage(len(self._good) + len(self._gaps), _in_order(self._gaps.values()))


class _Expected:
    """Judges a list."""

    def __init__(self, expected: Iterable[str], export_types: tuple[str, ...]) -> None:
        self._types = export_types
        self._absent = dict.fromkeys(expected)
        self._judged = len(self._absent) * len(export_types)
        self._gaps: dict[tuple[str, str], Gap] = {}
        # A SIS id moves on when a course is reset: it names the course whose copy is newest.
        self._by_sis: dict[str, tuple[datetime, str, list[Gap]]] = {}
        self._numbered: dict[str, str] = {}

    def take(self, holding: Holding) -> None:
        if holding.name in self._absent:
            del self._absent[holding.name]
            self._keep(self._lacking(holding.name, holding))
        if holding.copies and holding.copies[-1].context.sis_id is not None:
            last = holding.copies[-1]
            name = f"{_SIS}{last.context.sis_id}"
            known = self._by_sis.get(name)
            if name in self._absent and (known is None or last.created_at > known[0]):
                self._by_sis[name] = (last.created_at, holding.name, self._lacking(name, holding))

    def explain(self, one: ReportedOutcome) -> None:
        self._settle()
        context = self._numbered.get(one.record.context, one.record.context)
        for pair in {(one.record.context, one.record.export_type), (context, one.record.export_type)}:
            if pair in self._gaps:
                self._gaps[pair] = _explained(self._gaps[pair], one)

    def coverage(self) -> Coverage:
        self._settle()
        return Coverage(self._judged, _in_order(self._gaps.values()))

    def _lacking(self, name: str, holding: Holding) -> list[Gap]:
        judged = ((each, _assessment(holding, each)) for each in self._types)
        return [_gap(name, each, assessment) for each, assessment in judged if not assessment.is_good]

    def _keep(self, gaps: Iterable[Gap]) -> None:
        for gap in gaps:
            self._gaps[gap.context, gap.export_type or ""] = gap

    def _settle(self) -> None:
        """What no folder bears the name of: found by its SIS id, or not there."""
        for name in self._absent:
            _, number, gaps = self._by_sis.get(name) or (None, name, self._lacking(name, Holding("", 0, ())))
            self._numbered[number] = name
            self._keep(gaps)
        self._absent, self._by_sis = {}, {}


def _holder(key: str | None) -> str | None:
    """The context in whose folder a run stored a package, by whatever name it was told to."""
    found = _STORED.match(key or "")
    return f"{found[1]}:{found[2]}" if found else None


def _assessment(holding: Holding, export_type: str) -> Assessment:
    return assess([copy for copy in holding.copies if copy.export.type == export_type], holding.unreadable)


def _gap(name: str, export_type: str | None, assessment: Assessment) -> Gap:
    last = assessment.newest
    return Gap(
        context=name,
        export_type=export_type,
        gap_reason=assessment.gap_reason or GapReason.NO_COPY,
        why=assessment.why,
        name=None if last is None else last.context.course_code or last.context.name,
        newest=None if last is None else last.created_at,
    )


def _explained(gap: Gap, one: ReportedOutcome) -> Gap:
    """The gap with what a run says of it, unless a newer run has."""
    if gap.run is not None:
        return gap
    record = one.record
    return replace(
        gap,
        name=gap.name or record.name or record.title,
        outcome=record.outcome,
        reason=record.reason,
        next_step=record.next_step,
        run=one.report.key,
    )


def _in_order(gaps: Iterable[Gap]) -> tuple[Gap, ...]:
    return tuple(sorted(gaps, key=lambda gap: (*_number(gap.context), gap.export_type or "")))


def _number(context: str) -> tuple[str, bool, int, str]:
    """``course:9`` before ``course:10``, and numbers before names."""
    kind, _, name = context.partition(":")
    return (kind, False, int(name), "") if _NUMBER.fullmatch(name) else (kind, True, 0, name)
