"""Hold what Canvas said about a course before its export was asked for: the change probe."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

#: How ``updated_at`` was read: from a course list of the REST API, from pages of an account, or of each course by its id.
LIST, PAGES, ALIASES = "list", "pages", "aliases"


@dataclass(frozen=True)
class Reading:
    """``updated_at`` of a course.

    Attributes:
        updated_at: the text, exactly as Canvas wrote it.
        read_at: Canvas's time when it was asked, so never later than the value was read.
        source: ``LIST``, ``PAGES`` or ``ALIASES``.
    """

    updated_at: str
    read_at: datetime
    source: str


@dataclass(frozen=True)
class Probe:
    """What was read of a course. The manifest of the copy keeps it, so that a later night can compare.

    Attributes:
        read_at: Canvas's time when ``updated_at`` was asked for; without it, when the fingerprint was.
        updated_at: the text, exactly as Canvas wrote it; ``None`` where it could not be read.
        source: ``LIST``, ``PAGES`` or ``ALIASES``.
        fingerprint: 64 hexadecimal digits over what ``updated_at`` does not show; ``None`` where it could not be read whole.
        fingerprint_version: of the rules of the fingerprint: only fingerprints of one version can be compared.
        new_quizzes: whether the course holds New Quizzes; ``None`` where that is not known.
    """

    read_at: datetime
    updated_at: str | None = None
    source: str = ALIASES
    fingerprint: str | None = None
    fingerprint_version: int = 0
    new_quizzes: bool | None = None
