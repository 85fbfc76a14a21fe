"""Decide which copies the rules of a retention policy keep. No I/O and no clock."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

import pendulum

from canvas_exports.core.archive.retention.holds import Holds
from canvas_exports.core.text.wording import join_words
from canvas_exports.errors import InputError

if TYPE_CHECKING:  # a DAG is parsed without the catalog
    from canvas_exports.core.archive.catalog.copies import Copy

#: The rules that keep a number of copies.
COUNTS = ("last", "daily", "weekly", "monthly", "yearly")

_PERIODS: dict[str, Callable[[datetime], Hashable]] = {
    "daily": lambda at: at.date(),
    "weekly": lambda at: at.isocalendar()[:2],
    "monthly": lambda at: (at.year, at.month),
    "yearly": lambda at: at.year,
}
_NOUNS = {"daily": "day", "weekly": "week", "monthly": "month", "yearly": "year"}


@dataclass(frozen=True)
class Policy:
    """Decide which copies of a context are kept: those that any rule keeps, or on which a hold is set.

    Rules apply to the copies of one group (see ``group_of``). Proven copies and copies that are not proven are counted
    separately, so that an unproven copy never replaces a proven one. Days, weeks (from Monday), months and years without a
    copy are not counted, and ``within`` is measured from the newest copy: a copy is deleted only because newer copies exist,
    never because time passes.

    Attributes:
        last: keep the newest n copies.
        daily, weekly, monthly, yearly: keep the newest copy of each of the last n days, weeks, months or years with a copy.
        within: keep every copy that is at most this much older than the newest.
        proven: keep at least the newest n proven copies, and the newest proven copy of each of the newest n packages: many
            copies of an unchanged course may name one package. At least 1.
        holds: copies that are kept in any case.
        timezone: time zone in which days begin, by its name in the IANA database.

    Raises:
        InputError: there is no rule, a number is below 1, or the time zone is unknown (permanent).
    """

    last: int | None = None
    daily: int | None = None
    weekly: int | None = None
    monthly: int | None = None
    yearly: int | None = None
    within: timedelta | None = None
    proven: int = 1
    holds: Holds = field(default_factory=Holds)
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        for name in (*COUNTS, "proven"):
            number = getattr(self, name)
            if number is not None and number < 1:
                raise InputError(name, f"{number} would keep nothing", accepted="1 or more")
        if self.within is not None and self.within <= timedelta(0):
            raise InputError("within", f"{self.within} would keep nothing", accepted="a length of time: P30D")
        if self.within is None and not any(getattr(self, name) for name in COUNTS):
            raise InputError(
                "keep",
                "a policy without a rule would delete all but the newest copies",
                accepted=f"at least one of {', '.join(COUNTS)}, within",
            )
        try:
            _ = self.zone
        except (ValueError, OSError):
            raise InputError(
                "timezone", f"{self.timezone!r} is not a time zone", accepted="America/Chicago, UTC, ..."
            ) from None

    @property
    def zone(self) -> tzinfo:
        """Return the time zone, read from its name in the same way as the schedule of a backup."""
        return pendulum.timezone(self.timezone)

    def choose(self, copies: Iterable[Copy], now: datetime) -> dict[str, tuple[str, ...]]:
        """Choose the copies of one group to keep, without regard to holds.

        Args:
            copies: of one group, in any order.
            now: the time; ``within`` is not measured from a copy that is dated later.

        Returns:
            The names of the rules that keep a copy, by the key of its manifest. A copy that is absent is to be deleted.
        """
        from canvas_exports.core.archive.catalog.copies import oldest_first  # noqa: PLC0415 - as above

        newest_first = oldest_first(copies)[::-1]
        proven = [copy for copy in newest_first if copy.is_proven]
        unproven = [copy for copy in newest_first if not copy.is_proven]
        kept: dict[str, list[str]] = {}
        for rule, copy in (
            *self._by_rules(proven, newest_at=_newest_at(proven, now)),
            *(("proven", copy) for copy in self._minimum(proven)),
            *self._by_rules(unproven, newest_at=_newest_at(newest_first, now)),
        ):
            kept.setdefault(copy.key, []).append(rule)
        return {key: tuple(rules) for key, rules in kept.items()}

    def sentence(self) -> str:
        """Describe the policy in English."""
        parts = []
        if self.last:
            parts.append(f"the newest {_counted(self.last, 'copy')}")
        periods = [
            f"the last {noun}" if number == 1 else f"each of the last {number} {noun}s"
            for rule, noun in _NOUNS.items()
            if (number := getattr(self, rule))
        ]
        if periods:
            parts.append(f"the newest of {join_words(periods)} with a copy")
        if self.within:
            parts.append(f"all that are at most {_length(self.within)} older than the newest")
        parts.append(f"in any case the newest {_counted(self.proven, 'proven copy')}")
        return (
            f"Of each course and export type, keep {join_words(parts)}; days begin in {self.timezone} time. "
            f"Copies that are not proven are counted by themselves. {self.holds.sentence()}"
        )

    def _by_rules(self, copies: Sequence[Copy], *, newest_at: datetime | None) -> Iterator[tuple[str, Copy]]:
        """Yield each rule with the copies that it keeps; ``copies`` are sorted newest first."""
        for copy in copies[: self.last or 0]:
            yield "last", copy
        zone = self.zone
        for rule, period in _PERIODS.items():
            seen: set[Hashable] = set()
            for copy in copies:
                if len(seen) == (getattr(self, rule) or 0):
                    break
                this_period = period(copy.created_at.astimezone(zone))
                if this_period not in seen:
                    seen.add(this_period)
                    yield rule, copy
        if self.within is not None and newest_at is not None:
            for copy in copies:
                if copy.created_at >= newest_at - self.within:
                    yield "within", copy

    def _minimum(self, proven: Sequence[Copy]) -> Iterator[Copy]:
        """Yield the newest proven copies, and the newest proven copy of each of the newest packages."""
        packages: set[str] = set()
        for number, copy in enumerate(proven):
            first = copy.package.key not in packages and len(packages) < self.proven
            if first:
                packages.add(copy.package.key)
            if first or number < self.proven:
                yield copy


def group_of(copy: Copy) -> tuple[str, str, str]:
    """Return the group of a copy: copies of one context from the same Canvas, of the same type and selection."""
    select = copy.export.select
    return (
        copy.export.canvas_host,
        copy.export.type,
        "" if select is None else json.dumps(select, sort_keys=True, default=str),
    )


def _newest_at(copies: Sequence[Copy], now: datetime) -> datetime | None:
    return min(copies[0].created_at, now) if copies else None


def _counted(number: int, noun: str) -> str:
    return noun if number == 1 else f"{number} {noun[:-1]}ies"


def _length(length: timedelta) -> str:
    hours, seconds = divmod(int(length.total_seconds()), 3600)
    if seconds:
        return str(length)
    days, rest = divmod(hours, 24)
    return f"{hours} hours" if rest else "a day" if days == 1 else f"{days} days"
