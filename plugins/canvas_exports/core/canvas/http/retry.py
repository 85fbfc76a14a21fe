"""Decide whether a request is repeated, and after how many seconds: one policy for both clients.

A request refused with 403 or 429 for the rate limit is repeated for a quarter of an hour; the rate limiter does the waiting.
Any other temporary error is repeated a few times, with exponential back-off; a GraphQL query once, as it may itself be what
takes Canvas too long. A request that is not idempotent is repeated only where Canvas certainly did nothing.
"""

from __future__ import annotations

from datetime import datetime, timezone

from canvas_exports.core.canvas.http.bounded_values import bounded_float, parse_http_date
from canvas_exports.core.canvas.http.messages import Failure, Request, Response, Result
from canvas_exports.core.canvas.http.session import CanvasSession
from canvas_exports.core.model.backoff import backoff_delay
from canvas_exports.errors import CanvasError, CanvasUnavailableError, ThrottledError, UnexpectedResponseError

QUERY_ATTEMPTS = 2  #: of a GraphQL query: no export depends on its answer

_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0  # seconds before the first repetition, and before a late one
_LONGEST_RETRY_AFTER = 120.0
_LONGEST_THROTTLING = 900.0  # seconds of refusals in a row; an empty bucket recovers in 80
_LONGEST_CALL = 300.0  # seconds after which no attempt is begun, however little of each was waiting
_LARGEST_NUMBER = 1e6  # in a header about the rate limit, in either direction
_REDIRECT = 300


class RetryPolicy:
    """Counts the failed attempts of one call. Refusals for the rate limit are not counted, only timed."""

    def __init__(self, session: CanvasSession, attempts: int | None = None) -> None:
        self._session = session
        self._attempts = session.attempts if attempts is None else min(attempts, session.attempts)
        self._failures = 0
        self._began = session.clock()
        self._throttled_since: float | None = None

    def after(self, error: CanvasError, retry_after: float | None = None) -> float | None:
        """Return the seconds to wait before the next attempt, or ``None`` to give up."""
        if isinstance(error, ThrottledError):
            now = self._session.clock()
            self._throttled_since = now if self._throttled_since is None else self._throttled_since
            return 0.0 if now - self._throttled_since < _LONGEST_THROTTLING else None
        self._throttled_since = None
        self._failures += 1
        if self._failures >= self._attempts or self._session.clock() - self._began > _LONGEST_CALL:
            return None
        wait = backoff_delay(
            self._failures - 1, first=_FIRST_WAIT, longest=_LONGEST_WAIT, jitter=self._session.jitter
        )
        return max(wait, min(retry_after or 0.0, _LONGEST_RETRY_AFTER))


def is_retryable(result: Result, error: CanvasError) -> bool:
    """Return whether the same request may succeed when it is sent again soon."""
    if isinstance(error, UnexpectedResponseError):  # cut JSON, or a web page that will go away
        return isinstance(result, Response) and result.is_success
    return isinstance(error, ThrottledError | CanvasUnavailableError) and result is not Failure.UNTRUSTED


def may_have_acted(request: Request, result: Result, error: CanvasError) -> bool:
    """Return whether a request that must not be sent twice may have taken effect, although it ended in an error."""
    if request.idempotent or isinstance(error, ThrottledError):
        return False
    if isinstance(result, Failure):
        return result in (Failure.LOST, Failure.TOO_LARGE)
    return isinstance(error, CanvasUnavailableError) or result.status < _REDIRECT


def retry_after(result: Result) -> float | None:
    """Return ``Retry-After`` in seconds, written as such or as a date, and at most a quarter of an hour."""
    seconds = header_number(result, "retry-after")
    if seconds is None and isinstance(result, Response):
        date = parse_http_date(result.headers.get("retry-after", ""))
        seconds = None if date is None else (date - datetime.now(timezone.utc)).total_seconds()
    return None if seconds is None else min(max(0.0, seconds), _LONGEST_THROTTLING)


def header_number(result: Result, name: str) -> float | None:
    """Return the number in a header, or ``None``."""
    value = result.headers.get(name) if isinstance(result, Response) else None
    return bounded_float(value, least=-_LARGEST_NUMBER, most=_LARGEST_NUMBER)
