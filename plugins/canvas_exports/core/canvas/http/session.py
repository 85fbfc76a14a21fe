"""Hold the state of one client: the origin of its Canvas, the token, the rate limiter, and Canvas's clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from canvas_exports import __version__
from canvas_exports.core.canvas.http.bounded_values import parse_http_date
from canvas_exports.core.canvas.http.origin import Origin
from canvas_exports.core.canvas.http.rate_limiter import RateLimiter, shared_rate_limiter
from canvas_exports.core.canvas.http.token_source import StaticToken, TokenSource
from canvas_exports.core.canvas.http.transports.response_body import ACCEPTED
from canvas_exports.core.model.backoff import jitter
from canvas_exports.errors import InputError

USER_AGENT = f"airflow-provider-canvas-exports/{__version__}"

_LARGEST_SKEW = timedelta(days=3650)  # a clock that differs by more is not believed


@dataclass
class CanvasSession:
    """One Canvas, as one token sees it. Does no I/O; safe between threads.

    Attributes:
        origin: where Canvas is.
        tokens: where the access token comes from.
        rate_limiter: paces the requests.
        attempts: how often a request that may be repeated is sent at most.
        clock: seconds from any start, never going back.
        jitter: a random number from 0 to 1.
        skew: by how much Canvas's clock is ahead of ours.
    """

    origin: Origin
    tokens: TokenSource = field(repr=False)
    rate_limiter: RateLimiter
    attempts: int = 5
    clock: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = jitter
    skew: timedelta = timedelta(0)
    _date: str = field(default="", repr=False)

    def headers(self, *, accept: str = "application/json") -> dict[str, str]:
        """Return the headers of every request but ``Authorization``, which is added when it is sent."""
        return {"User-Agent": USER_AGENT, "Accept": accept, "Accept-Encoding": ACCEPTED}

    def now(self) -> datetime:
        """Return Canvas's time in UTC, by the last ``Date`` header it sent."""
        return datetime.now(timezone.utc) + self.skew

    def note_server_time(self, headers: Mapping[str, str]) -> None:
        """Correct our idea of Canvas's clock by the ``Date`` header of a response."""
        text = headers.get("date", "")
        if text == self._date:  # nearly always, where many responses come in a second
            return
        self._date = text
        date = parse_http_date(text)
        if date is None:
            return
        skew = date - datetime.now(timezone.utc)
        if abs(skew) <= _LARGEST_SKEW:
            self.skew = skew


def open_session(
    host: str,
    token: str | TokenSource,
    *,
    rate_limiter: RateLimiter | None = None,
    attempts: int = 5,
    clock: Callable[[], float] = time.monotonic,
) -> CanvasSession:
    """Return the session of a host and a token; by default with the rate limiter that this process shares for the two.

    Raises:
        InputError: a malformed host, a token that cannot be sent, or no attempt allowed. Never shows the token.
    """
    origin = Origin.parse(host)
    tokens = StaticToken(token.strip()) if isinstance(token, str) else token
    if attempts < 1:
        raise InputError("attempts", f"{attempts} is too few", accepted="1 or more")
    return CanvasSession(
        origin, tokens, rate_limiter or shared_rate_limiter(str(origin), tokens.identity), attempts, clock
    )
