"""Learn how many courses one GraphQL query may read, and by which rules, from what a Canvas refuses."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from canvas_exports.core.canvas.api.graphql import GraphQLResult
from canvas_exports.core.export.changes.fingerprint import RULES, Rules
from canvas_exports.errors import (
    CanvasError,
    CanvasUnavailableError,
    NotFoundError,
    PermissionDeniedError,
    ThrottledError,
)

_log = logging.getLogger(__name__)

_MOST_REFUSALS = 12  # queries that were refused as a whole, of one batch
_UNAVAILABLE = 4  # refusals that a query counts for which Canvas could not answer, after its own repetitions
_ANSWERS_NONE = (NotFoundError, PermissionDeniedError, ThrottledError)
_UNDEFINED_FIELD = "undefinedField"


class QueryLimits:
    """What one Canvas accepts, as far as it is known.

    A query may be refused for its size, for a field that this Canvas does not have, or for one of its courses. A refused query is
    divided. Where one course is the reason, no second query of the same size is refused; where a second is, smaller queries
    are the rule from then on. A query of one course that is refused before any was answered means that a field is missing.

    Attributes:
        courses: how many courses one query reads.
    """

    def __init__(self, courses: int, rules: Sequence[Rules] = RULES) -> None:
        self.courses = courses
        self._rules = list(rules)
        self._refusals = 0
        self._refused: set[int] = set()
        self._has_answered = False

    @property
    def rules(self) -> Rules | None:
        """Return the rules of the fingerprint; ``None`` once this Canvas is asked for nothing more."""
        return self._rules[0] if self._rules and self._refusals < _MOST_REFUSALS else None

    def check(self, result: GraphQLResult, courses: int) -> bool:
        """Note the result of a query. Return whether it is one, rather than a refusal of the query as a whole."""
        if result.data is not None and all(error.path for error in result.errors):
            self._has_answered = True
            return True
        if any(error.code == _UNDEFINED_FIELD for error in result.errors) or (
            courses == 1 and not self._has_answered
        ):
            self._rules.pop(0)
        self._refuse(courses)
        return False

    def fail(self, error: CanvasError, courses: int) -> None:
        """Note that a query ended in an error."""
        if isinstance(error, _ANSWERS_NONE):
            self._rules.clear()
        self._refuse(courses, _UNAVAILABLE if isinstance(error, CanvasUnavailableError) else 1)
        _log.info("a query for changes of courses failed: %s", error)

    def _refuse(self, courses: int, weight: int = 1) -> None:
        self._refusals += weight
        if courses in self._refused:
            self.courses = min(self.courses, max(1, courses // 2))
        self._refused.add(courses)
        if self.rules is None:
            _log.warning(
                "Canvas does not show by GraphQL which courses have changed: those that were not read yet are exported"
            )
