"""What a night was to Canvas: read from the sandbox's own log, not from ours."""

from __future__ import annotations

import re
import statistics
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import requests

from benchmarks.second_client import AGENT

KINDS = {
    "create": r"^POST /api/v1/courses/(\d+)/content_exports$",
    "poll": r"^GET /api/v1/progress/(\d+)$",
    "show": r"^GET /api/v1/courses/(\d+)/content_exports/\d+$",
    "look up": r"^GET /api/v1/courses/(\d+)/content_exports$",
    "course": r"^GET /api/v1/courses/(\d+)$",
    "download": r"^GET /files/(\d+)/download$",
    "list": r"^GET /api/v1/accounts/\w+/courses",
    "who": r"^GET /api/v1/users/self$",
}
_THROTTLED = (403, 429)


@dataclass
class CanvasLog:
    """The requests of our client and of the second one, and every export made.

    Attributes:
        exports: every export ever made, oldest first.
        by_kind: our requests by what they ask for.
        refusals: our requests that the throttle turned away.
        second_refusals: those of the second client.
        per_course: requests about each course or its export; those that serve many at once are shared out.
        first, last: when our first and last request came in.
    """

    exports: list[dict[str, Any]]
    by_kind: Counter[str] = field(default_factory=Counter)
    refusals: int = 0
    second_refusals: int = 0
    per_course: Counter[str] = field(default_factory=Counter)
    first: float = float("inf")
    last: float = 0.0

    @classmethod
    def read(cls, canvas: dict[str, Any]) -> CanvasLog:
        """Ask the sandbox."""
        with requests.Session() as session:
            session.trust_env = False
            log = cls(session.get(canvas["url"] + "/sandbox/exports", timeout=60).json())
            records = session.get(canvas["url"] + "/sandbox/requests", timeout=60).json()
        for record in records:
            if record["listener"] == "canvas":
                log._take(record)
        return log

    @property
    def median_per_course(self) -> float:
        """Canvas requests for one course: median of what is about it, and its share of what is about all."""
        about_all = self.by_kind["list"] + self.by_kind["who"] + self.by_kind["other"]
        courses = len({export["context"] for export in self.exports})
        return statistics.median(self.per_course.values()) + about_all / courses

    @property
    def each(self) -> dict[str, float]:
        """Mean requests of each kind for one course."""
        courses = len({export["context"] for export in self.exports})
        return {kind: round(count / courses, 2) for kind, count in self.by_kind.items()}

    def _take(self, record: dict[str, Any]) -> None:
        refused = record["status"] in _THROTTLED
        if record["user_agent"] == AGENT:
            self.second_refusals += refused
            return
        self.refusals += refused
        self.first, self.last = min(self.first, record["time"]), max(self.last, record["time"])
        line = f"{record['method']} {record['path']}"
        for kind, pattern in KINDS.items():
            if found := re.match(pattern, line):
                self.by_kind[kind] += 1
                if found.groups():
                    self.per_course[self._course(kind, int(found[1]))] += 1
                return
        self.by_kind["other"] += 1

    def _course(self, kind: str, number: int) -> str:
        """Whose request it is."""
        by = {"poll": "progress", "download": "attachment"}.get(kind)
        if by is None:
            return f"course:{number}"
        return next(str(export["context"]) for export in self.exports if export[by] == number)
