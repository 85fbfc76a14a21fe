"""Facts about an installation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from canvas_exports.foreign_text import harmless


class Status(str, Enum):
    """How good a fact is: a backup fails because of a ``problem``, and may lack something because of a ``warning``."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Fact:
    """One fact.

    Attributes:
        subject: what it is about: ``canvas_default``, ``triggerer``.
        status: how good it is.
        fact: one sentence.
        next_step: what to do; empty if nothing has to be done.
    """

    subject: str
    status: Status
    fact: str
    next_step: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {**asdict(self), "status": self.status.value}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Fact:
        """Return the fact of ``to_json``."""
        return cls(row["subject"], Status(row["status"]), row["fact"], row["next_step"])


def ok(subject: str, fact: str) -> Fact:
    """Return a fact that is as it should be."""
    return Fact(subject, Status.OK, harmless(fact))


def warning(subject: str, fact: str, next_step: str) -> Fact:
    """Return a fact because of which a backup may lack something."""
    return Fact(subject, Status.WARNING, harmless(fact), next_step)


def problem(subject: str, fact: str, next_step: str) -> Fact:
    """Return a fact because of which a backup fails."""
    return Fact(subject, Status.PROBLEM, harmless(fact), next_step)


def has_problem(facts: Iterable[Fact]) -> bool:
    """Return whether a backup would fail."""
    return any(fact.status is Status.PROBLEM for fact in facts)
