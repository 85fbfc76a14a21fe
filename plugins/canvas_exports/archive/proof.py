"""The proof: is this package whole, and is it the one that was asked for?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class ProofLevel(str, Enum):
    """How deep a proof looks.

    ``DIRECTORY`` reads the zip's directory and the cartridge's manifest, without a second read of the package.
    """

    DIRECTORY = "directory"


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
        canvas_aliases: other names the same Canvas writes into its cartridges, such as the vendor's name of a
            Canvas that is used under the university's own.
    """

    export_type: str
    size: int | None = None
    course_id: int | None = None
    canvas_host: str | None = None
    canvas_aliases: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Proof:
    """What the proof found.

    Attributes:
        member_count: files in the package; folders do not count.
        content_digest: SHA-256 over names, sizes and CRCs, leaving out what changes at every export: equal digests
            mean equal content, though the packages differ.
        counts: numbers by name: ``files``, ``folders``, ``bytes``, ``references``, ``missing``, ``export_errors``.
    """

    level: ProofLevel
    verdict: Verdict
    findings: tuple[Finding, ...]
    member_count: int
    content_digest: str
    counts: Mapping[str, int] = field(default_factory=dict)
