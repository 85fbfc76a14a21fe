"""Decide when a run has failed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.errors import InputError

ACCEPTED = "any, never, or a percentage such as 5%"


@dataclass(frozen=True)
class FailurePolicy:
    """Decide from outcomes whether a run has failed.

    ``limit`` is the share of exports (0.0 to 1.0) that may end without a whole copy; ``None`` means any number may.
    """

    limit: float | None

    @classmethod
    def parse(cls, text: str, *, field: str = "fail_on") -> FailurePolicy:
        """Read ``any`` (fail on the first), ``never``, or ``5%`` (fail when more than 5 % have no whole copy).

        Raises:
            InputError: anything else.
        """
        cleaned = str(text).strip().lower()
        if cleaned == "any":
            return cls(0.0)
        if cleaned == "never":
            return cls(None)
        match = re.fullmatch(r"(\d{1,3}(?:\.\d+)?)\s*%", cleaned)
        if match is None or float(match[1]) > 100:  # noqa: PLR2004 - per cent
            raise InputError(field, f"{text!r} is not a failure policy", accepted=ACCEPTED)
        return cls(float(match[1]) / 100)

    def failure(self, outcomes: Iterable[Outcome]) -> str | None:
        """Return why the run has failed, in a sentence, or ``None``. An empty run has not failed."""
        listed = list(outcomes)
        bad = [outcome for outcome in listed if not outcome.is_good]
        if self.limit is None or not bad or len(bad) <= self.limit * len(listed):
            return None
        counts = ", ".join(f"{bad.count(outcome)} {outcome.value}" for outcome in Outcome if outcome in bad)
        where = " in every archive" if Outcome.DEGRADED in bad else ""
        return (
            f"{len(bad)} of {len(listed)} exports have no whole copy{where} ({counts}); the run fails {self}"
        )

    def __str__(self) -> str:
        if self.limit is None:
            return "never"
        return "on any" if self.limit == 0 else f"when more than {100 * self.limit:g} % have none"
