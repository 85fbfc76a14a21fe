"""Count how old the newest good copies are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from canvas_exports.core.archive.catalog.assessment import assess_types
from canvas_exports.core.archive.catalog.future_dates import without_future_dates
from canvas_exports.core.archive.catalog.promises import Promises
from canvas_exports.core.archive.catalog.read import Holding, UnreadableDocument

DAY = timedelta(days=1)

#: Names and upper bounds of the age classes; the last class has no bound.
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
class NewestCopy:
    """The newest good copy of one context and export type."""

    context: str
    export_type: str
    created_at: datetime
    key: str


@dataclass
class Ages:
    """The number of newest good copies in each age class.

    Attributes:
        counts: by class of ``CLASSES``.
        none: number of courses and export types that have copies and no good copy.
        kept: those of which the newest good copy is as young as a backup promises.
        missed: those for which a promise is not kept, for want of a good copy too.
        oldest: the oldest of the newest good copies, oldest first.
        unreadable: manifests that cannot be read.
    """

    counts: dict[str, int] = field(default_factory=lambda: {name: 0 for name, _ in CLASSES})
    none: int = 0
    kept: int = 0
    missed: int = 0
    oldest: list[NewestCopy] = field(default_factory=list)
    unreadable: list[UnreadableDocument] = field(default_factory=list)


def ages(
    holdings: Iterable[Holding],
    *,
    now: datetime,
    listed: int = 10,
    export_type: str | None = None,
    promises: Promises | None = None,
) -> Ages:
    """Count the newest good copy of each context and export type by age. Memory grows with ``listed`` only.

    Args:
        holdings: the copies of each context; see ``read.every_context``.
        now: the time; copies that are dated later count as unreadable.
        listed: how many of the oldest to list.
        export_type: only this export type; ``None`` for all.
        promises: how old the copies may be.
    """
    promised = promises or Promises()
    found = Ages()
    for holding in (without_future_dates(each, now=now) for each in holdings):
        found.unreadable += holding.unreadable
        for each, assessment in assess_types(holding.copies).items():
            if export_type not in (None, each):
                continue
            good = assessment.proven
            if promised.of(holding, each) is not None:
                if promised.assess(assessment, holding, each, now=now).is_good:
                    found.kept += 1
                else:
                    found.missed += 1
            if good is None:
                found.none += 1
                continue
            found.counts[_class(now - good.created_at)] += 1
            found.oldest.append(NewestCopy(holding.name, each, good.created_at, good.key))
        if len(found.oldest) > 2 * listed:
            _keep_oldest(found, listed)
    _keep_oldest(found, listed)
    return found


def _keep_oldest(found: Ages, number: int) -> None:
    found.oldest = sorted(found.oldest, key=lambda one: (one.created_at, one.context, one.export_type))[
        :number
    ]


def _class(age: timedelta) -> str:
    return next(name for name, bound in CLASSES if bound is None or age <= bound)
