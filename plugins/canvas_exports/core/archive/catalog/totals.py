"""Add up copies: courses, packages and bytes. Every number that a person sees of an archive is counted here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from canvas_exports.core.archive.catalog.assessment import assess_types
from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.catalog.future_dates import without_future_dates
from canvas_exports.core.archive.catalog.read import Holding, UnreadableDocument
from canvas_exports.core.text.wording import format_count, format_size, format_time


@dataclass
class Totals:
    """Numbers of copies.

    Attributes:
        contexts: courses, groups and users that have a copy.
        good: contexts and export types with a good copy, see ``assessment``.
        none: contexts and export types that have copies and no good one.
        copies: manifests. Of a course that did not change, several name one package.
        packages: stored packages, each counted once.
        bytes: of these packages. A package that is missing, or has another size than was stored, counts in neither.
        oldest: when the oldest copy was made; ``None`` without a copy.
        newest: when the newest copy was made.
    """

    contexts: int = 0
    good: int = 0
    none: int = 0
    copies: int = 0
    packages: int = 0
    bytes: int = 0
    oldest: datetime | None = None
    newest: datetime | None = None

    def add(self, copies: Iterable[Copy]) -> None:
        """Add copies of one context, oldest first. Copies that name one package are added together."""
        listed = list(copies)
        if not listed:
            return
        stored = {copy.package.key: copy.package.size for copy in listed if copy.is_present}
        assessed = assess_types(listed)
        good = sum(each.is_good for each in assessed.values())
        self.contexts += 1
        self.good += good
        self.none += len(assessed) - good
        self.copies += len(listed)
        self.packages += len(stored)
        self.bytes += sum(stored.values())
        self.oldest = min(listed[0].created_at, self.oldest or listed[0].created_at)
        self.newest = max(listed[-1].created_at, self.newest or listed[-1].created_at)

    @property
    def summary(self) -> str:
        """Return copies, packages and bytes for people: ``7 copies in 4 packages, 2.4 GB``."""
        copies = f"{self.copies:,} {'copy' if self.copies == 1 else 'copies'}"
        return f"{copies} in {format_count(self.packages, 'package')}, {format_size(float(self.bytes))}"

    def to_json(self) -> dict[str, Any]:
        """Return the numbers as JSON data."""
        times = {"oldest": self.oldest, "newest": self.newest}
        return {**asdict(self), **{name: at and format_time(at) for name, at in times.items()}}


def totals_of(copies: Iterable[Copy]) -> Totals:
    """Return the numbers of the copies of one context, oldest first."""
    found = Totals()
    found.add(copies)
    return found


@dataclass
class Statistics:
    """The numbers of an archive.

    Attributes:
        totals: of all copies.
        groups: numbers by the term of the newest copy of a course (``None`` without one) and by export type.
        unreadable: manifests that cannot be read.
    """

    totals: Totals = field(default_factory=Totals)
    groups: dict[tuple[str | None, str], Totals] = field(default_factory=dict)
    unreadable: list[UnreadableDocument] = field(default_factory=list)


def statistics(holdings: Iterable[Holding], *, now: datetime) -> Statistics:
    """Add up the copies of an archive. Memory grows with the number of terms only.

    Args:
        holdings: the copies of each context; see ``read.every_context``.
        now: the time; copies that are dated later count as unreadable.
    """
    found = Statistics()
    for holding in (without_future_dates(each, now=now) for each in holdings):
        found.unreadable += holding.unreadable
        found.totals.add(holding.copies)
        for export_type in sorted({copy.export.type for copy in holding.copies}):
            group = found.groups.setdefault((holding.copies[-1].context.term, export_type), Totals())
            group.add(copy for copy in holding.copies if copy.export.type == export_type)
    return found
