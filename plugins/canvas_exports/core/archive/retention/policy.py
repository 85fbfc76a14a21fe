"""How long copies are kept: rules as data, and which copies they choose. No I/O, no clock of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo

import pendulum

from canvas_exports.core.archive.catalog.copies import Copy, oldest_first
from canvas_exports.core.archive.retention.holds import Holds
from canvas_exports.errors import InputError

#: Rules that count copies, and what each counts the newest of.
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
    """Which copies of a context stay. A copy stays if any rule chooses it, or a hold lies on it.

    Rules choose among the copies of one group (see ``group_of``). Proven ones are counted by themselves, and so are the
    others: one that is not proven takes no place from one that is. Days, weeks (from Monday), months and years without a
    copy are passed over, and ``within`` is measured from the newest copy: nothing goes because time passes, only because
    newer copies have come.

    Attributes:
        last: the newest n copies.
        daily, weekly, monthly, yearly: the newest copy of each of the last n days, weeks, months or years that have one.
        within: every copy that is at most so much older than the newest.
        proven: at least the newest n proven copies, and the newest proven copy of each of the newest n packages: an
            unchanged course may have one package for many copies. Never less than one.
        holds: what stays in any case.
        timezone: in which days begin, by its name in the IANA database.

    Raises:
        InputError: nothing would be kept but the newest, a number below one, or no such time zone.
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
        """The time zone, as the schedule of a backup reads its name."""
        return pendulum.timezone(self.timezone)

    def choose(self, copies: Iterable[Copy], now: datetime) -> dict[str, tuple[str, ...]]:
        """Which copies of one group stay, and by which rules; holds are not looked at.

        Args:
            copies: of one group, in any order.
            now: a copy that claims to be of a later time is no measure for ``within``.

        Returns:
            The names of the rules by the key of the manifest. A copy that is not in it goes.
        """
        ordered = oldest_first(copies)[::-1]
        proven = [copy for copy in ordered if copy.is_proven]
        others = [copy for copy in ordered if not copy.is_proven]
        chosen: dict[str, list[str]] = {}
        for rule, copy in (
            *self._rules(proven, _newest(proven, now)),
            *(("proven", copy) for copy in self._least(proven)),
            *self._rules(others, _newest(ordered, now)),
        ):
            chosen.setdefault(copy.key, []).append(rule)
        return {key: tuple(rules) for key, rules in chosen.items()}

    def sentence(self) -> str:
        """The policy in English."""
        parts = []
        if self.last:
            parts.append(f"the newest {_counted(self.last, 'copy')}")
        periods = [
            f"the last {noun}" if number == 1 else f"each of the last {number} {noun}s"
            for rule, noun in _NOUNS.items()
            if (number := getattr(self, rule))
        ]
        if periods:
            parts.append(f"the newest of {_and(periods)} with a copy")
        if self.within:
            parts.append(f"all that are at most {_length(self.within)} older than the newest")
        parts.append(f"in any case the newest {_counted(self.proven, 'proven copy')}")
        return (
            f"Of each course and export type, keep {_and(parts)}; days begin in {self.timezone} time. "
            f"Copies that are not proven are counted by themselves. {self.holds.sentence()}"
        )

    def _rules(self, copies: Sequence[Copy], newest: datetime | None) -> Iterator[tuple[str, Copy]]:
        """The copies that each rule chooses from a list, newest first."""
        for copy in copies[: self.last or 0]:
            yield "last", copy
        zone = self.zone
        for rule, period in _PERIODS.items():
            seen: set[Hashable] = set()
            for copy in copies:
                if len(seen) == (getattr(self, rule) or 0):
                    break
                when = period(copy.created_at.astimezone(zone))
                if when not in seen:
                    seen.add(when)
                    yield rule, copy
        if self.within is not None and newest is not None:
            for copy in copies:
                if copy.created_at >= newest - self.within:
                    yield "within", copy

    def _least(self, proven: Sequence[Copy]) -> Iterator[Copy]:
        packages: set[str] = set()
        for number, copy in enumerate(proven):
            first = copy.package.key not in packages and len(packages) < self.proven
            if first:
                packages.add(copy.package.key)
            if first or number < self.proven:
                yield copy


def group_of(copy: Copy) -> tuple[str, str, str]:
    """What a copy is compared with: others of its context from the same Canvas, of the same type and selection."""
    select = copy.export.select
    return (
        copy.export.canvas_host,
        copy.export.type,
        "" if select is None else json.dumps(select, sort_keys=True, default=str),
    )


def _newest(copies: Sequence[Copy], now: datetime) -> datetime | None:
    return min(copies[0].created_at, now) if copies else None


def _counted(number: int, noun: str) -> str:
    return noun if number == 1 else f"{number} {noun[:-1]}ies"


def _length(length: timedelta) -> str:
    hours, seconds = divmod(int(length.total_seconds()), 3600)
    if seconds:
        return str(length)
    days, rest = divmod(hours, 24)
    return f"{hours} hours" if rest else "a day" if days == 1 else f"{days} days"


def _and(parts: Sequence[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
