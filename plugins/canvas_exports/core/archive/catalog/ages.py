"""How old the newest proven copies are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from canvas_exports.core.archive.catalog.assessment import assess
from canvas_exports.core.archive.catalog.future_dates import without_future_dates
from canvas_exports.core.archive.catalog.read import Holding, UnreadableDocument

DAY = timedelta(days=1)

#: Upper bounds of the classes, the last of which has none.
CLASSES: tuple[tuple[str, timedelta | None], ...] = (
    ("up to 1 day", DAY),
    ("up to 2 days", 2 * DAY),
    ("up to a week", 7 * DAY),
    ("up to 30 days", 30 * DAY),
    ("up to 90 days", 90 * DAY),
    ("up to a year", 365 * DAY),
    ("older", None),
)


@dataclass(frozen=True)
class Newest:
    """The newest good copy of one context and export type."""

    context: str
    export_type: str
    created_at: datetime
    key: str


@dataclass
class Ages:
    """How many newest good copies are how old.

    Attributes:
        counts: by class, each of ``CLASSES``.
        none: how many have no good copy at all.
        oldest: the oldest of them, oldest first.
        unreadable: manifests that cannot be read.
    """

    counts: dict[str, int] = field(default_factory=lambda: {name: 0 for name, _ in CLASSES})
    none: int = 0
    oldest: list[Newest] = field(default_factory=list)
    unreadable: list[UnreadableDocument] = field(default_factory=list)


def ages(
    holdings: Iterable[Holding], *, now: datetime, named: int = 10, export_type: str | None = None
) -> Ages:
    """Sort the newest good copy of each context and export type into classes, in memory for the few that are named.

    Args:
        holdings: what the archive holds; see ``reading.every_context``.
        now: when it is.
        named: how many of the oldest to name.
        export_type: only this one; ``None`` for all.
    """
    told = Ages()
    for holding in (without_future_dates(each, now=now) for each in holdings):
        told.unreadable += holding.unreadable
        types = {copy.export.type for copy in holding.copies}
        for each in sorted(types if export_type is None else types & {export_type}):
            good = assess([copy for copy in holding.copies if copy.export.type == each]).proven
            if good is None:
                told.none += 1
                continue
            told.counts[_class(now - good.created_at)] += 1
            told.oldest.append(Newest(holding.name, each, good.created_at, good.key))
        if len(told.oldest) > 2 * named:
            _cut(told, named)
    _cut(told, named)
    return told


def _cut(told: Ages, named: int) -> None:
    told.oldest = sorted(told.oldest, key=lambda one: (one.created_at, one.context, one.export_type))[:named]


def _class(age: timedelta) -> str:
    return next(name for name, bound in CLASSES if bound is None or age <= bound)
