"""What a restore came to. ``completed`` in Canvas is not yet success: what Canvas noted on the way decides."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

from canvas_exports.core.canvas.api.migrations import IssueType, MigrationIssue
from canvas_exports.foreign_text import harmless as one_line

MOST_ISSUES = 100  # texts kept; all of them are counted
_LONGEST = 300  # characters of one text
_LONGEST_READ = 20_000  # before markup is taken away


class RestoreOutcome(str, Enum):
    """The end of a restore.

    ``RESTORED``: Canvas imported everything without a remark. ``RESTORED_WITH_ISSUES``: it is done, and somebody has to
    look at what Canvas noted. ``FAILED``: Canvas imported nothing, or not all of it. ``STALLED``: not done by the
    deadline; Canvas may still finish.
    """

    RESTORED = "restored"
    RESTORED_WITH_ISSUES = "restored_with_issues"
    FAILED = "failed"
    STALLED = "stalled"

    @property
    def next_step(self) -> str:
        """What a person does about it, in a sentence; empty if nothing."""
        return _NEXT_STEPS.get(self, "")


_NEXT_STEPS = {
    RestoreOutcome.RESTORED_WITH_ISSUES: "The import is done: read above what Canvas noted, and look at it in the course.",
    RestoreOutcome.FAILED: "Mend what the reason names, or choose another copy, and start a new run.",
    RestoreOutcome.STALLED: "Clear looks again, and imports nothing anew.",
}


@dataclass(frozen=True)
class RestoreResult:
    """A receipt without links, credentials or people's names.

    Attributes:
        outcome: the end of it.
        copy: key of the manifest of the copy.
        course_id: the course restored into.
        migration_id: Canvas's content migration, if one came about.
        reason: why it is not ``restored``.
        seconds: from the first request to Canvas until Canvas was seen to be done.
        size: bytes of the package.
        issues: how many of each type Canvas noted: ``error``, ``warning``, ``todo``.
        texts: what Canvas noted, the gravest first, at most 100, each as ``error: ...``.
    """

    outcome: RestoreOutcome
    copy: str
    course_id: int
    migration_id: int | None = None
    reason: str | None = None
    seconds: float = 0.0
    size: int = 0
    issues: Mapping[str, int] = field(default_factory=dict)
    texts: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Restored, and nothing to look at."""
        return self.outcome is RestoreOutcome.RESTORED

    def is_failure(self, fail_on: str) -> bool:
        """Whether it counts as failed where any ``issues``, only ``errors``, or only a ``failure`` do."""
        if self.outcome in (RestoreOutcome.FAILED, RestoreOutcome.STALLED):
            return True
        return (
            bool(self.issues.get("error"))
            if fail_on == "errors"
            else fail_on == "issues" and not self.is_clean
        )

    def to_json(self) -> dict[str, Any]:
        """A JSON value."""
        return {**asdict(self), "outcome": self.outcome.value, "texts": list(self.texts)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> RestoreResult:
        """The inverse of ``to_json``."""
        values = dict(document)
        outcome, texts = RestoreOutcome(values.pop("outcome")), tuple(values.pop("texts"))
        return cls(outcome=outcome, texts=texts, **values)


def told(issues: Iterable[MigrationIssue]) -> tuple[dict[str, int], tuple[str, ...]]:
    """How many issues of each type there are, and what they say."""
    order = [IssueType.ERROR, IssueType.WARNING, IssueType.TODO]
    found = sorted(issues, key=lambda issue: order.index(issue.issue_type))
    counts = Counter(issue.issue_type.value for issue in found)
    texts = tuple(f"{issue.issue_type.value}: {harmless(issue.description)}" for issue in found[:MOST_ISSUES])
    return dict(counts), texts


def harmless(text: str) -> str:
    """Canvas's own words on one line, without markup, mail addresses, or the query of any address in them."""
    plain = html.unescape(re.sub(r"<[^<>]*>", " ", text[:_LONGEST_READ]))
    plain = re.sub(r"(https?://[^\s?#]{1,500})[?#]\S*", r"\1", plain)
    plain = re.sub(r"[^\s@<>]{1,64}@[^\s@<>]{1,255}\.[^\s@<>]+", "(a mail address)", plain)
    return one_line(plain, most=_LONGEST, instead=" ").strip() or "(no text)"
