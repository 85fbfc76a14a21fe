"""The Canvas at the other end, and what both clients know of it."""

from __future__ import annotations

import random
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
from canvas_exports.errors import InputError

USER_AGENT = f"airflow-provider-canvas-exports/{__version__}"

_MOST_SKEW = timedelta(days=3650)  # a clock that differs by more tells nothing


@dataclass
class CanvasSession:
    """The Canvas at the other end: where it is, whence its token, its budget, and what its clock says."""

    origin: Origin
    tokens: TokenSource = field(repr=False)
    rate_limiter: RateLimiter
    attempts: int = 5
    clock: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = random.random
    skew: timedelta = timedelta(0)
    _date: str = field(default="", repr=False)

    def headers(self, *, accept: str = "application/json") -> dict[str, str]:
        """The headers of every request but ``Authorization``, which is added when it goes out."""
        return {"User-Agent": USER_AGENT, "Accept": accept, "Accept-Encoding": ACCEPTED}

    def now(self) -> datetime:
        """Canvas's time, by the last ``Date`` header it sent."""
        return datetime.now(timezone.utc) + self.skew

    def note_server_time(self, headers: Mapping[str, str]) -> None:
        """Set our idea of Canvas's clock."""
        text = headers.get("date", "")
        if text == self._date:  # nearly always, where there are many answers in a second
            return
        self._date = text
        date = parse_http_date(text)
        if date is None:
            return
        skew = date - datetime.now(timezone.utc)
        if abs(skew) <= _MOST_SKEW:
            self.skew = skew


def open_session(
    host: str,
    token: str | TokenSource,
    *,
    rate_limiter: RateLimiter | None = None,
    attempts: int = 5,
    clock: Callable[[], float] = time.monotonic,
) -> CanvasSession:
    """The Canvas at a host, for a token; without a budget, with the one this process shares for the two.

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
