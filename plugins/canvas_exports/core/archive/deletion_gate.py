"""Check whether every context has a reliable copy, before its course is deleted in Canvas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from canvas_exports.core.archive.catalog.assessment import assess
from canvas_exports.core.archive.catalog.copies import Copy, newest
from canvas_exports.core.archive.catalog.future_dates import without_future_dates
from canvas_exports.core.archive.catalog.read import Holding
from canvas_exports.core.archive.json_documents import plain
from canvas_exports.core.archive.schemas import problem
from canvas_exports.core.model.proof_levels import PROOF_LEVELS
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.packages.digests import can_check
from canvas_exports.core.packages.proof import Verdict
from canvas_exports.core.text.wording import format_time
from canvas_exports.errors import InputError

SCHEMA = "urn:canvas-exports:gate:1"


@dataclass(frozen=True)
class DeletionRule:
    """Conditions under which a context may be deleted in Canvas.

    Attributes:
        level: level to which its newest copy must be proven, when it was stored or by a verification: one of ``PROOF_LEVELS``.
        max_age: largest age of the export of its newest copy.
        min_archives: number of archives that must hold such a copy.
        export_types: the context needs a copy of each of them.
        accept_empty: whether a context that was always empty passes with an empty copy.

    Raises:
        InputError: a value is out of range (permanent).
    """

    level: str
    max_age: timedelta
    min_archives: int
    export_types: tuple[str, ...] = ("common_cartridge",)
    accept_empty: bool = False

    def __post_init__(self) -> None:
        if self.level not in PROOF_LEVELS:
            raise InputError("level", f"{self.level!r} is not a level of proof", accepted=PROOF_LEVELS)
        if self.max_age <= timedelta(0):
            raise InputError("max_age", "must be longer than zero", accepted="a length of time, such as P7D")
        if self.min_archives < 1:
            raise InputError(
                "min_archives", f"{self.min_archives} is not a number of archives", accepted="1 or more"
            )
        if not self.export_types:
            raise InputError("export_type", "none is named", accepted="common_cartridge, qti, zip")


@dataclass(frozen=True)
class Shortfall:
    """A context that does not pass.

    Attributes:
        context: such as ``course:101``.
        export_type: the export type without a reliable copy.
        good_in: number of archives that hold a reliable copy.
        why: the reason in one sentence, by the root of each other archive.
    """

    context: str
    export_type: str
    good_in: int
    why: Mapping[str, str]


class DeletionGate:
    """Checks contexts in one archive after the other, and lists those that do not pass.

    Args:
        contexts: to check; one that no archive knows does not pass.
        rule: what each of them needs.
        now: the time.

    Raises:
        InputError: there are no contexts. An empty list must not let a deletion go on (permanent).
    """

    def __init__(self, contexts: Iterable[str], rule: DeletionRule, *, now: datetime) -> None:
        self._rule, self._now = rule, now
        self._contexts = tuple(dict.fromkeys(contexts))
        if not self._contexts:
            raise InputError("courses", "there is no course to check", accepted="at least one")
        self._good: dict[tuple[str, str], int] = dict.fromkeys(self._pairs(), 0)
        self._why: dict[tuple[str, str], dict[str, str]] = {pair: {} for pair in self._pairs()}

    @property
    def contexts(self) -> tuple[str, ...]:
        """Return the contexts, each once."""
        return self._contexts

    def check(self, archive: str, holdings: Iterable[Holding]) -> None:
        """Check the contexts in one archive; holdings of other contexts are ignored."""
        absent = dict.fromkeys(self._contexts)
        for holding in holdings:
            if holding.name in absent:
                del absent[holding.name]
                self._check(archive, holding.name, holding)
        for name in absent:
            self._check(archive, name, Holding("", 0, ()))

    def shortfalls(self) -> list[Shortfall]:
        """Return the contexts that do not pass, in the given order."""
        return [
            Shortfall(*pair, self._good[pair], self._why[pair])
            for pair in self._pairs()
            if self._good[pair] < self._rule.min_archives
        ]

    def _pairs(self) -> Iterable[tuple[str, str]]:
        return ((context, each) for context in self._contexts for each in self._rule.export_types)

    def _check(self, archive: str, name: str, holding: Holding) -> None:
        for export_type in self._rule.export_types:
            why = refusal(holding, export_type, self._rule, now=self._now)
            if why is None:
                self._good[name, export_type] += 1
            else:
                self._why[name, export_type][archive] = why


def refusal(holding: Holding, export_type: str, rule: DeletionRule, *, now: datetime) -> str | None:
    """Return why a context does not pass in one archive, in one sentence; ``None`` if it passes.

    It does not pass if a manifest cannot be read: that may be the manifest of the newest copy. The age of a copy is that of its
    export: a confirmation without an export does not make it younger, because not every change shows in a change probe, and what
    is deleted in Canvas cannot be exported again.
    """
    holding = without_future_dates(holding, now=now)
    if holding.unreadable:
        return f"{holding.unreadable[0].key} cannot be read: {holding.unreadable[0].reason}"
    copies = [copy for copy in holding.copies if copy.export.type == export_type and not copy.is_selection]
    last = newest(copies)
    if last is None:
        return assess([copy for copy in holding.copies if copy.export.type == export_type]).why
    age = now - last.export.created_at
    if age > rule.max_age:
        confirmed = "" if last.confirmed_at is None else "; it was confirmed since, but not exported"
        return (
            f"its newest copy is of {format_time(last.export.created_at)}, {age.days:,} days ago{confirmed}"
        )
    return assess([last]).why if last.is_damaged else _not_proven(last, copies, rule)


def _not_proven(last: Copy, copies: Iterable[Copy], rule: DeletionRule) -> str | None:
    """Return why an undamaged copy is not proven to the level of the rule; ``None`` if it is."""
    was_always_empty = not any(copy.verdict is Verdict.WHOLE for copy in copies)
    if not last.is_proven and not (rule.accept_empty and last.verdict is Verdict.EMPTY and was_always_empty):
        return f"its newest copy is {last.verdict.value}"
    if last.deepest < PROOF_LEVELS.index(rule.level):
        return f"its newest copy was never proven to the level {rule.level}"
    if not can_check(last.package.digests):
        return "its newest copy states only digests that cannot be computed here: update this software"
    return None


def gate_document(
    shortfalls: Iterable[Shortfall],
    *,
    checked: int,
    rule: DeletionRule,
    archives: Iterable[str],
    run: RunFacts,
    now: datetime,
) -> dict[str, Any]:
    """Return the result as JSON data, valid against ``schemas/gate-1.schema.json``."""
    result = {
        "schema": SCHEMA,
        "run": plain(run),
        "asked_at": format_time(now),
        "rule": {
            "level": rule.level,
            "max_age_seconds": int(rule.max_age.total_seconds()),
            "min_archives": rule.min_archives,
            "export_types": list(rule.export_types),
            "accept_empty": rule.accept_empty,
        },
        "archives": list(archives),
        "checked": checked,
        "missing": [
            {
                "context": one.context,
                "export_type": one.export_type,
                "good_in": one.good_in,
                "why": [{"archive": archive, "reason": reason} for archive, reason in one.why.items()],
            }
            for one in shortfalls
        ],
    }
    if wrong := problem("gate-1", result):
        raise ValueError(f"not the result of a gate: {wrong}")
    return result
