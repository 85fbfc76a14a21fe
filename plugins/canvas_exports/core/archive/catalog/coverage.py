"""Find the contexts without a good copy, and the reason."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

from canvas_exports.core.archive.catalog.assessment import Assessment, GapReason, assess, assess_types
from canvas_exports.core.archive.catalog.promises import Promises
from canvas_exports.core.archive.catalog.read import Holding, UnreadableDocument
from canvas_exports.core.archive.catalog.runs import ReportedOutcome
from canvas_exports.core.archive.json_documents import plain
from canvas_exports.core.model.runs import MANUAL_EXPORT

_SIS = "course:sis_course_id:"
_NUMBER = re.compile("[0-9]{1,19}")
_GONE = "gone"
_STORED = re.compile(r"(course|group|user)s/([1-9][0-9]{0,18})/")


@dataclass(frozen=True)
class Gap:
    """A context without a good copy.

    Attributes:
        context: such as ``course:101``.
        export_type: the export type without a good copy; ``None`` if it is unknown.
        gap_reason: what it has instead.
        why: the reason in one sentence.
        name: the course code or name, for people; never a person's name.
        newest: time of the newest copy of any verdict; ``None`` if there is none.
        outcome: its outcome in the newest run report that has one; ``None`` if no recent report has.
        reason: the reason of that outcome.
        next_step: what to do about it.
        run: the key of that report.
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
        """Return the gap as JSON data."""
        return {"lack" if name == "gap_reason" else name: value for name, value in plain(self).items()}


@dataclass(frozen=True)
class Coverage:
    """Number of contexts with a good copy, and the contexts without one.

    Attributes:
        judged: number of contexts that were assessed, once for each export type.
        gaps: those without a good copy, by kind and number.
        unreadable: manifests that cannot be read; they are not copies.
    """

    judged: int
    gaps: tuple[Gap, ...]
    unreadable: tuple[UnreadableDocument, ...] = ()

    @property
    def good(self) -> int:
        """Return the number of contexts with a good copy."""
        return self.judged - len(self.gaps)


def coverage(
    holdings: Iterable[Holding],
    *,
    expected: Iterable[str] | None = None,
    export_types: Iterable[str] = ("common_cartridge",),
    outcomes: Iterable[ReportedOutcome] = (),
    promises: Promises | None = None,
    now: datetime | None = None,
) -> Coverage:
    """Assess contexts by their copies. Memory: some 150 bytes for each context and for each SIS id, and the gaps.

    Args:
        holdings: the copies of each context; see ``read.every_context``.
        expected: the contexts that should have a good copy, such as ``course:101``. A course whose number is unknown is
            named ``course:sis_course_id:BIO-101`` and found by the SIS id in its newest manifest. ``None``: all that the
            archive knows, from copies and outcomes, each with the export types it has or was requested with; not an id that
            was typed into the form of ``canvas_export``, unknown to Canvas, and without any copy in the archive.
        export_types: the export types that each expected context should have.
        outcomes: that runs reported, newest first; they explain gaps.
        promises: how old the good copies may be; an older one is a gap. ``None``: of any age.
        now: the time, with its time zone; the clock's, if it is not given.
    """
    age = _AgeCheck(promises or Promises(), now or datetime.now(timezone.utc))
    assessed = (
        _KnownContexts(age) if expected is None else _ExpectedContexts(expected, tuple(export_types), age)
    )
    unreadable: list[UnreadableDocument] = []
    for holding in holdings:
        unreadable += holding.unreadable
        assessed.add(holding)
    for one in outcomes:
        assessed.explain(one)
    return replace(assessed.coverage(), unreadable=tuple(unreadable))


@dataclass(frozen=True)
class _AgeCheck:
    """Assesses good copies by their age."""

    promises: Promises
    now: datetime

    def check(self, assessment: Assessment, holding: Holding, export_type: str) -> Assessment:
        return self.promises.assess(assessment, holding, export_type, now=self.now)


class _KnownContexts:
    """Assesses all contexts that the archive knows."""

    def __init__(self, age: _AgeCheck) -> None:
        self._age = age
        self._good: set[tuple[str, str]] = set()
        self._gaps: dict[tuple[str, str | None], Gap] = {}
        self._by_sis: dict[str, tuple[datetime, str]] = {}

    def add(self, holding: Holding) -> None:
        if holding.copies and holding.copies[-1].context.sis_id is not None:
            last = holding.copies[-1]
            name, found = f"{_SIS}{last.context.sis_id}", (last.created_at, holding.name)
            self._by_sis[name] = max(found, self._by_sis.get(name, found))
        for export_type, found_type in assess_types(holding.copies, holding.unreadable).items():
            assessment = self._age.check(found_type, holding, export_type)
            if assessment.is_good:
                self._good.add((holding.name, export_type))
            else:
                self._gaps[holding.name, export_type] = _gap(holding.name, export_type, assessment)
        if not holding.copies and holding.unreadable:
            self._gaps[holding.name, None] = _gap(holding.name, None, assess((), holding.unreadable))

    def explain(self, one: ReportedOutcome) -> None:
        _, number = self._by_sis.get(one.record.context, (None, one.record.context))
        context = context_of_package(one.record.key) or number
        pair = (context, one.record.export_type)
        if pair in self._good:
            return
        may_be_typo = one.report.dag == MANUAL_EXPORT and one.record.outcome == _GONE
        if may_be_typo and pair not in self._gaps and (context, None) not in self._gaps:
            return
        unknown = self._gaps.pop((context, None), None)
        gap = self._gaps.get(pair) or (replace(unknown, export_type=pair[1]) if unknown else None)
        self._gaps[pair] = _explained(gap or _gap(*pair, assess(())), one)

    def coverage(self) -> Coverage:
        return Coverage(len(self._good) + len(self._gaps), _in_order(self._gaps.values()))


class _ExpectedContexts:
    """Assesses a list of contexts."""

    def __init__(self, expected: Iterable[str], export_types: tuple[str, ...], age: _AgeCheck) -> None:
        self._age = age
        self._types = export_types
        self._absent = dict.fromkeys(expected)
        self._assessed = len(self._absent) * len(export_types)
        self._gaps: dict[tuple[str, str], Gap] = {}
        # A SIS id moves to another course when a course is reset: it names the course with the newest copy.
        self._by_sis: dict[str, tuple[datetime, str, list[Gap]]] = {}
        self._numbered: dict[str, str] = {}

    def add(self, holding: Holding) -> None:
        if holding.name in self._absent:
            del self._absent[holding.name]
            self._store(self._find_gaps(holding.name, holding))
        if holding.copies and holding.copies[-1].context.sis_id is not None:
            last = holding.copies[-1]
            name = f"{_SIS}{last.context.sis_id}"
            known = self._by_sis.get(name)
            if name in self._absent and (known is None or last.created_at > known[0]):
                self._by_sis[name] = (last.created_at, holding.name, self._find_gaps(name, holding))

    def explain(self, one: ReportedOutcome) -> None:
        self._resolve_sis_ids()
        context = self._numbered.get(one.record.context, one.record.context)
        for pair in {(one.record.context, one.record.export_type), (context, one.record.export_type)}:
            if pair in self._gaps:
                self._gaps[pair] = _explained(self._gaps[pair], one)

    def coverage(self) -> Coverage:
        self._resolve_sis_ids()
        return Coverage(self._assessed, _in_order(self._gaps.values()))

    def _find_gaps(self, name: str, holding: Holding) -> list[Gap]:
        assessed = (
            (each, self._age.check(_assessment(holding, each), holding, each)) for each in self._types
        )
        return [_gap(name, each, assessment) for each, assessment in assessed if not assessment.is_good]

    def _store(self, gaps: Iterable[Gap]) -> None:
        for gap in gaps:
            self._gaps[gap.context, gap.export_type or ""] = gap

    def _resolve_sis_ids(self) -> None:
        """Assess the expected contexts that have no folder of their name: by SIS id, or as absent."""
        for name in self._absent:
            _, number, gaps = self._by_sis.get(name) or (
                None,
                name,
                self._find_gaps(name, Holding("", 0, ())),
            )
            self._numbered[number] = name
            self._store(gaps)
        self._absent, self._by_sis = {}, {}


def context_of_package(key: str | None) -> str | None:
    """Return the context in whose folder a package lies; ``None`` if the key is of another layout."""
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
    """Return the gap with the outcome that a run reported, unless it has the outcome of a newer run."""
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
    """Return a sort key: ``course:9`` before ``course:10``, and numbers before names."""
    kind, _, name = context.partition(":")
    return (kind, False, int(name), "") if _NUMBER.fullmatch(name) else (kind, True, 0, name)
