"""The causes that end many exports of a run at once: one message and one next step, however many exports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from canvas_exports.core.text.wording import format_count
from canvas_exports.errors import (
    ArchiveDeniedError,
    ArchiveUnavailableError,
    CanvasUnavailableError,
    CredentialError,
    LockedError,
)
from canvas_exports.foreign_text import harmless

#: The most causes that a run report names, and the most contexts of each.
MOST_CAUSES, MOST_SAMPLED = 20, 5

_LONGEST_TEXT = 1000


class Cause(str, Enum):
    """What ended an attempt for all of its exports. Stored with each; a later version may know more."""

    CREDENTIAL = "credential"
    CANVAS_UNAVAILABLE = "canvas_unavailable"
    ARCHIVE_DENIED = "archive_denied"
    ARCHIVE_UNAVAILABLE = "archive_unavailable"

    @property
    def sentence(self) -> str:
        """Return what happened."""
        return _TEXTS[self][0]

    @property
    def next_step(self) -> str:
        """Return what a person should do about it."""
        return _TEXTS[self][1]


_CLEAR = "then clear the failed tasks: they go on where they ended"
_TEXTS = {
    Cause.CREDENTIAL: (
        "Canvas does not accept the access token: it was revoked, or has expired.",
        f"Enter a new token in the connection of Canvas, {_CLEAR}.",
    ),
    Cause.CANVAS_UNAVAILABLE: (
        "Canvas could not be reached, or was in maintenance.",
        f"Wait until Canvas answers again, {_CLEAR}; or leave it to the next run.",
    ),
    Cause.ARCHIVE_DENIED: (
        "The archive denies access: no package can be written there.",
        f"Check the credentials of the archive and their right to read, list and write, {_CLEAR}.",
    ),
    Cause.ARCHIVE_UNAVAILABLE: (
        "The archive could not be reached, or took nothing more.",
        f"Check that the archive can be reached and is not full, {_CLEAR}; or leave it to the next run.",
    ),
}

_ERRORS: tuple[tuple[type[Exception], Cause], ...] = (
    (CredentialError, Cause.CREDENTIAL),
    (CanvasUnavailableError, Cause.CANVAS_UNAVAILABLE),
    (ArchiveDeniedError, Cause.ARCHIVE_DENIED),
    (ArchiveUnavailableError, Cause.ARCHIVE_UNAVAILABLE),
)


def cause_of(error: BaseException | None) -> Cause | None:
    """Return the cause of an error that ended a whole attempt; ``None`` for any other error.

    The same error about one export only is no cause of others: ask only where an attempt has ended.
    """
    if isinstance(error, LockedError):
        return None
    return next((cause for kind, cause in _ERRORS if isinstance(error, kind)), None)


@dataclass(frozen=True)
class RunCause:
    """One cause of a run, and what it ended.

    Attributes:
        code: one of ``Cause``, or one of a later version.
        sentence: what happened.
        next_step: what to do about it.
        exports: how many exports it ended; 0 if the run has no report.
        contexts: the first of them: such as ``course:101``.
    """

    code: str
    sentence: str
    next_step: str
    exports: int = 0
    contexts: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the cause as a run report has it."""
        return {
            "code": self.code,
            "sentence": harmless(self.sentence, most=_LONGEST_TEXT),
            "next_step": harmless(self.next_step, most=_LONGEST_TEXT),
            "exports": self.exports,
            "contexts": list(self.contexts),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RunCause:
        """Read a cause that is valid against the schema of run reports; fields of a later version are left out."""
        return cls(
            code=harmless(data["code"]),
            sentence=harmless(data["sentence"], most=_LONGEST_TEXT),
            next_step=harmless(data["next_step"], most=_LONGEST_TEXT),
            exports=data["exports"],
            contexts=tuple(harmless(each) for each in data["contexts"]),
        )

    @property
    def extent(self) -> str:
        """Return what it ended: ``366 exports: course:1, course:2 and 364 more``; empty if that is not known."""
        if not self.exports:
            return ""
        more = self.exports - len(self.contexts)
        listed = ", ".join(self.contexts) + (f" and {more:,} more" if more > 0 else "")
        return f"{format_count(self.exports, 'export')}: {listed}"

    def __str__(self) -> str:
        return f"{self.sentence} {self.next_step}"
