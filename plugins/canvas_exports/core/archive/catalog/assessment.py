"""Assess whether a context has a good copy, and what it has instead if not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from canvas_exports.core.archive.catalog.copies import VANISHED, Copy, newest
from canvas_exports.core.archive.catalog.read import UnreadableDocument
from canvas_exports.core.packages.proof import Verdict


class GapReason(str, Enum):
    """Reason for which a context has no good copy."""

    NO_COPY = "no copy"
    UNREADABLE = "unreadable"
    INCOMPLETE = "incomplete"
    DAMAGED = "damaged"
    #: There is a good copy, which is older than a backup promises.
    OLD = "old"


@dataclass(frozen=True)
class Assessment:
    """Assessment of the copies of one context and export type.

    A context has a good copy if a copy is proven. It also has one if a copy without content is not damaged and no copy was
    ever whole: then the course was empty.

    Attributes:
        newest: the newest copy of any verdict; ``None`` if there is none.
        proven: the newest proven copy, or the newest empty copy that counts as good; ``None`` if there is no good copy.
        gap_reason: what there is instead of a good copy; ``None`` if there is one that is as young as promised.
        why: the reason in one sentence; empty if there is a good copy.
    """

    newest: Copy | None
    proven: Copy | None
    gap_reason: GapReason | None = None
    why: str = ""

    @property
    def is_good(self) -> bool:
        """Return whether there is a good copy."""
        return self.gap_reason is None


def assess(copies: Sequence[Copy], unreadable: Sequence[UnreadableDocument] = ()) -> Assessment:
    """Assess a context by its copies of one export type, and by its manifests that cannot be read.

    Exports of selected objects do not count.
    """
    selections = any(copy.is_selection for copy in copies)
    copies = [copy for copy in copies if not copy.is_selection]
    last = newest(copies)
    good = newest(copy for copy in copies if copy.is_proven)
    if good is None and not any(copy.verdict is Verdict.WHOLE for copy in copies):
        good = newest(copy for copy in copies if copy.verdict is Verdict.EMPTY and not copy.is_damaged)
    if good is not None:
        return Assessment(last, good)
    if last is None and unreadable:
        return Assessment(None, None, GapReason.UNREADABLE, f"{unreadable[-1].key}: {unreadable[-1].reason}")
    if last is None:
        why = (
            "the archive holds exports of selected objects only"
            if selections
            else "the archive holds no copy"
        )
        return Assessment(None, None, GapReason.NO_COPY, why)
    partial = newest(copy for copy in copies if copy.verdict is Verdict.INCOMPLETE and not copy.is_damaged)
    if partial is None:
        return Assessment(last, None, GapReason.DAMAGED, _damage(copies, last))
    why = what_is_missing(partial)
    if any(copy.is_damaged for copy in copies):
        why += "; other copies are damaged"
    return Assessment(last, None, GapReason.INCOMPLETE, why)


def assess_types(
    copies: Sequence[Copy], unreadable: Sequence[UnreadableDocument] = ()
) -> dict[str, Assessment]:
    """Assess a context by each export type of its copies, in alphabetical order; see ``assess``."""
    types = sorted({copy.export.type for copy in copies})
    return {each: assess([copy for copy in copies if copy.export.type == each], unreadable) for each in types}


def what_is_missing(copy: Copy) -> str:
    """Describe what a copy lacks, as its proof counts it: ``2 files missing, 1 item that Canvas could not export``."""
    missing, errors = copy.counts.get("missing", 0), copy.counts.get("export_errors", 0)
    parts = [
        text
        for number, text in (
            (missing, f"{missing:,} {'file' if missing == 1 else 'files'} missing"),
            (errors, f"{errors:,} {'item' if errors == 1 else 'items'} that Canvas could not export"),
        )
        if number
    ]
    return ", ".join(parts) or "see the findings in its manifest"


def _damage(copies: Sequence[Copy], last: Copy) -> str:
    """Describe the damage of a context, each of whose packages is damaged."""
    damaged = newest(copy for copy in copies if copy.is_damaged) or last
    found = damaged.newest_verification
    if not damaged.is_present or (found is not None and found.result == VANISHED):
        return f"{damaged.package.key} is missing, or has another size than was stored"
    when = "" if found is None else f" by the verification of {found.at:%Y-%m-%d}"
    return f"{damaged.package.key} was found damaged{when}"
