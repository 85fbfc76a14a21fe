"""The result of a restore. ``completed`` in Canvas is not success by itself: the issues that Canvas reports decide."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

from canvas_exports.core.canvas.api.migrations import IssueType, MigrationIssue
from canvas_exports.core.text.html_entities import unescape
from canvas_exports.foreign_text import harmless

MOST_ISSUES = 100  # texts kept; all of them are counted
_LONGEST = 300  # characters of one text
_LONGEST_READ = 20_000  # before markup is taken away


class RestoreOutcome(str, Enum):
    """The outcome of a restore.

    ``RESTORED``: Canvas imported everything and reported no issue. ``RESTORED_WITH_ISSUES``: Canvas imported the package and
    reported issues to check. ``FAILED``: Canvas imported nothing, or not all of it. ``STALLED``: not done by the deadline;
    Canvas may still finish.
    """

    RESTORED = "restored"
    RESTORED_WITH_ISSUES = "restored_with_issues"
    FAILED = "failed"
    STALLED = "stalled"

    @property
    def next_step(self) -> str:
        """Return the next step of an administrator, in a sentence; empty if there is none."""
        return _NEXT_STEPS.get(self, "")


_NEXT_STEPS = {
    RestoreOutcome.RESTORED_WITH_ISSUES: "The import is done: read the issues above, and check them in the course.",
    RestoreOutcome.FAILED: "Fix what the reason names, or choose another copy, and start a new run.",
    RestoreOutcome.STALLED: "Clear the task to poll Canvas again; that imports nothing a second time.",
}


@dataclass(frozen=True)
class RestoreResult:
    """A receipt without links, credentials or people's names.

    Attributes:
        outcome: of the restore.
        copy: key of the manifest of the copy.
        course_id: id of the target course.
        migration_id: Canvas's content migration, if there is one.
        reason: why it is not ``restored``.
        seconds: from the first request to Canvas until a poll found the import done.
        size: bytes of the package.
        issues: number of issues of each type: ``error``, ``warning``, ``todo``.
        texts: of the issues, the most severe first, at most 100, each as ``error: ...``.
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
        """Return whether the course is restored without issues."""
        return self.outcome is RestoreOutcome.RESTORED

    def is_failure(self, fail_on: str) -> bool:
        """Return whether the task fails under ``fail_on``: ``issues``, ``errors`` or ``failure``."""
        if self.outcome in (RestoreOutcome.FAILED, RestoreOutcome.STALLED):
            return True
        return (
            bool(self.issues.get("error"))
            if fail_on == "errors"
            else fail_on == "issues" and not self.is_clean
        )

    def to_json(self) -> dict[str, Any]:
        """Return a JSON value."""
        return {**asdict(self), "outcome": self.outcome.value, "texts": list(self.texts)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> RestoreResult:
        """Read what ``to_json`` wrote."""
        values = dict(document)
        outcome, texts = RestoreOutcome(values.pop("outcome")), tuple(values.pop("texts"))
        return cls(outcome=outcome, texts=texts, **values)


def summarize_issues(issues: Iterable[MigrationIssue]) -> tuple[dict[str, int], tuple[str, ...]]:
    """Return the number of issues of each type, and their texts."""
    order = [IssueType.ERROR, IssueType.WARNING, IssueType.TODO]
    found = sorted(issues, key=lambda issue: order.index(issue.issue_type))
    counts = Counter(issue.issue_type.value for issue in found)
    texts = tuple(
        f"{issue.issue_type.value}: {canvas_text(issue.description)}" for issue in found[:MOST_ISSUES]
    )
    return dict(counts), texts


def canvas_text(text: str) -> str:
    """Return a text of Canvas on one line, without markup, mail addresses, and the query parts of URLs."""
    plain = unescape(re.sub(r"<[^<>]*>", " ", text[:_LONGEST_READ]))
    plain = re.sub(r"(https?://[^\s?#]{1,500})[?#]\S*", r"\1", plain)
    plain = re.sub(r"[^\s@<>]{1,64}@[^\s@<>]{1,255}\.[^\s@<>]+", "(a mail address)", plain)
    return harmless(plain, most=_LONGEST, instead=" ").strip() or "(no text)"
