"""Hold ``updated_at`` of a course, the first part of its change probe; see ``core.model.probes`` for the whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

#: How ``updated_at`` was read: from a course list of the REST API, from pages of an account, or of each course by its id.
LIST, PAGES, ALIASES = SOURCES = ("list", "pages", "aliases")


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
