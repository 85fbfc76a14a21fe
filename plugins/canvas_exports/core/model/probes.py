"""What a change probe read of a course before its export was asked for. Stored with the copy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

#: What a probe has led to: the course was not exported, or its new package showed whether the probe was right.
SKIPPED, EQUAL, MISS = "skipped", "equal", "miss"


@dataclass(frozen=True)
class ProbeFacts:
    """A probe of one course. Without ``updated_at`` and ``fingerprint`` it only carries the counts of its course on.

    Attributes:
        read_at: when it was read.
        updated_at: of the course, exactly as Canvas gave it; ``None`` if it could not be read.
        source: how ``updated_at`` was read: ``list``, ``pages`` or ``aliases``; a later release may know others.
        fingerprint: digest of what ``updated_at`` does not show, 64 hexadecimal digits; ``None`` if it was not read.
        fingerprint_version: version of its rules: only fingerprints of one version are comparable.
        new_quizzes: whether the course holds New Quizzes; ``None`` if that is unknown.
        check: at a forced export, the comparison of probe and content: ``equal``, or ``miss`` if the content differs under an
            equal probe; ``None`` where nothing was compared.
        misses: of this course so far; carried from copy to copy.
        checks: comparisons at forced exports of this course so far; carried likewise.
    """

    read_at: datetime
    updated_at: str | None = None
    source: str | None = None
    fingerprint: str | None = None
    fingerprint_version: int = 1
    new_quizzes: bool | None = None
    check: str | None = None
    misses: int = 0
    checks: int = 0
