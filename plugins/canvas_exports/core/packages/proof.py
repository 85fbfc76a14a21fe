"""The expected package, and the result of a proof: verdict, findings and counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from canvas_exports.core.model.proof_levels import ProofLevel


class Verdict(str, Enum):
    """The result for a package that may be published."""

    WHOLE = "whole"
    INCOMPLETE = "incomplete"
    EMPTY = "empty"


class Severity(str, Enum):
    """``ERROR``: content is missing. ``WARNING``: should be checked by a person. ``INFO``: explained, or could not be checked."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True)
class Finding:
    """One observation of the proof: ``code`` for programs, ``message`` for people, ``member`` a path in the zip."""

    code: str
    severity: Severity
    message: str
    member: str | None = None


def _unknown() -> None:
    """Return no root account."""


@dataclass(frozen=True)
class Expectation:
    """The properties that the package must have.

    Attributes:
        export_type: ``common_cartridge``, ``qti`` or ``zip``.
        size: size in bytes, as announced by Canvas; ``None`` if unknown.
        course_id: numeric Canvas id of the course; ``None`` for a group or a user.
        canvas_host: host name of the Canvas of the export, without scheme.
        root_account_id: returns the numeric id of the course's root account, ``None`` if it is not known. It identifies a
            Canvas that has two host names, the university's and the vendor's, and is called only where they differ.
    """

    export_type: str
    size: int | None = None
    course_id: int | None = None
    canvas_host: str | None = None
    root_account_id: Callable[[], int | None] = _unknown


@dataclass(frozen=True)
class Proof:
    """The result of a proof.

    Attributes:
        member_count: number of files in the package, without folders.
        content_digest: SHA-256 over names, sizes and CRCs, without the parts that change at every export: equal digests
            mean equal content, although the packages differ.
        counts: numbers by name, such as ``pages`` or ``missing``; ``docs/proof.md`` has all of them.
    """

    level: ProofLevel
    verdict: Verdict
    findings: tuple[Finding, ...]
    member_count: int
    content_digest: str
    counts: Mapping[str, int] = field(default_factory=dict)


# Content that no package of a type ever contains: for the person who restores it.
NEVER_HELD: Mapping[str, tuple[str, ...]] = {
    "common_cartridge": (
        "enrolments",
        "submissions and grades",
        "discussion replies",
        "page history",
        "analytics",
        "most New Quizzes",
        "section overrides",
        "what was locked for the exporting user",
    ),
    "qti": (
        "everything but classic quizzes and their question banks",
        "submissions and grades",
        "New Quizzes",
    ),
    "zip": ("everything but files", "what was locked for the exporting user", "who may see a file"),
}
