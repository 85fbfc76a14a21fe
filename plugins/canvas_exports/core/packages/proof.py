"""What a proof is asked and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from canvas_exports.core.model.proof_levels import ProofLevel


class Verdict(str, Enum):
    """What a proof says of a package that may be published."""

    WHOLE = "whole"
    INCOMPLETE = "incomplete"
    EMPTY = "empty"


class Severity(str, Enum):
    """``ERROR``: content is missing. ``WARNING``: worth a look. ``INFO``: explained, or could not be checked."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True)
class Finding:
    """One thing the proof noticed. ``code`` is for programs, ``message`` for people, ``member`` a path in the zip."""

    code: str
    severity: Severity
    message: str
    member: str | None = None


@dataclass(frozen=True)
class Expectation:
    """What the package must be.

    Attributes:
        export_type: ``common_cartridge``, ``qti`` or ``zip``.
        size: bytes, as Canvas announced them; ``None`` where nobody said.
        course_id: numeric Canvas id of the course; ``None`` for a group or a user.
        canvas_host: host name of the Canvas that was asked, without scheme.
        root_account_id: numeric id of the course's root account: a university may call its Canvas by its own name and by
            the vendor's, but it has only one root account of that number.
    """

    export_type: str
    size: int | None = None
    course_id: int | None = None
    canvas_host: str | None = None
    root_account_id: int | None = None


@dataclass(frozen=True)
class Proof:
    """What the proof found.

    Attributes:
        member_count: files in the package; folders do not count.
        content_digest: SHA-256 over names, sizes and CRCs, leaving out what changes at every export: equal digests
            mean equal content, though the packages differ.
        counts: numbers by name, such as ``pages`` or ``missing``; ``docs/proof.md`` has all of them.
    """

    level: ProofLevel
    verdict: Verdict
    findings: tuple[Finding, ...]
    member_count: int
    content_digest: str
    counts: Mapping[str, int] = field(default_factory=dict)


# What no package of a type ever holds, whole or not: for the person who one day restores it.
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
