"""The outcomes of an export."""

from __future__ import annotations

from enum import Enum


class Outcome(str, Enum):
    """The outcome of one export of a run: exactly one of these, each with a definition and a next step."""

    STORED = "stored"
    UNCHANGED = "unchanged"
    DEGRADED = "degraded"
    INCOMPLETE = "incomplete"
    EMPTY = "empty"
    GONE = "gone"
    DENIED = "denied"
    FAILED = "failed"
    STALLED = "stalled"
    INTERRUPTED = "interrupted"

    @property
    def definition(self) -> str:
        """Return its meaning, in one sentence."""
        return _DEFINITIONS[self][0]

    @property
    def next_step(self) -> str:
        """Return what a person should do about it."""
        return _DEFINITIONS[self][1]

    @property
    def has_package(self) -> bool:
        """Return whether a package and its manifest are in the archive, or in one of several."""
        return self in _WITH_PACKAGE

    @property
    def is_good(self) -> bool:
        """Return whether no person need look at it: the copy is proven whole, or there was nothing to copy."""
        return self in (Outcome.STORED, Outcome.UNCHANGED, Outcome.EMPTY)

    @property
    def is_retryable(self) -> bool:
        """Return whether a retry of the same task may change it."""
        return self in (Outcome.INTERRUPTED, Outcome.DEGRADED)


_WITH_PACKAGE = (
    Outcome.STORED,
    Outcome.UNCHANGED,
    Outcome.DEGRADED,
    Outcome.INCOMPLETE,
    Outcome.EMPTY,
)

_DEFINITIONS = {
    Outcome.STORED: ("The package is in the archive and proven whole.", "Nothing."),
    Outcome.UNCHANGED: (
        "Nothing has changed since the newest copy, which is proven whole: the new manifest names its package.",
        "Nothing.",
    ),
    Outcome.DEGRADED: (
        "The package is stored, but not in every archive.",
        "Nothing now: a retry completes the copies. If it happens again, repair the archive that the reason names.",
    ),
    Outcome.INCOMPLETE: (
        "The package is in the archive, but parts of the course are missing from it.",
        "Read the findings in its manifest; repair the named items in Canvas and export again.",
    ),
    Outcome.EMPTY: (
        "The package is in the archive and holds no content.",
        "Nothing, unless the course should have content: a reset course continues under a new id.",
    ),
    Outcome.GONE: (
        "Canvas does not know the course, group or user: deleted, or hidden from this token.",
        "Take it off the list, or give the token's user access.",
    ),
    Outcome.DENIED: (
        "The token's user may not export this course, group or user.",
        "Give the user a role that may export course content there.",
    ),
    Outcome.FAILED: (
        "Canvas could not build a package, built the wrong one, lost it, or refused the request, after every attempt.",
        "Read the reason, and export the course once by hand in Canvas: its page shows more. Then clear the task.",
    ),
    Outcome.STALLED: (
        "The export showed no progress for too long, or the deadline passed.",
        "Ask the Canvas administrator about stuck jobs; clear the task to poll again.",
    ),
    Outcome.INTERRUPTED: (
        "The attempt ended before this export did: Canvas or the archive could not be reached, or refused it.",
        "Nothing now: a retry continues from here, and the next run exports it again. If it happens again, read the reason.",
    ),
}
