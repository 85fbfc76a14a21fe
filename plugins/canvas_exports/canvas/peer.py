"""The Canvas at the other end, and what both clients know of it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

from canvas_exports import __version__
from canvas_exports.canvas.budget import RateBudget, shared_budget
from canvas_exports.canvas.origin import Origin
from canvas_exports.errors import InputError

USER_AGENT = f"airflow-provider-canvas-exports/{__version__}"


@dataclass
class Peer:
    """The Canvas at the other end: where it is, the token it gets, its budget, and what its clock says."""

    origin: Origin
    token: str = field(repr=False)
    budget: RateBudget
    attempts: int = 5
    clock: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = random.random
    skew: timedelta = timedelta(0)

    def headers(self, *, bearer: bool = True, accept: str = "application/json") -> dict[str, str]:
        """The headers of every request; ``Authorization`` only where the token may go."""
        headers = {"User-Agent": USER_AGENT, "Accept": accept, "Accept-Encoding": "gzip, deflate"}
        if bearer:
            headers["Authorization"] = f"Bearer {self.token}"
        return headers

    def now(self) -> datetime:
        """Canvas's time, by the last ``Date`` header it sent."""
        return datetime.now(timezone.utc) + self.skew

    def heard(self, headers: Mapping[str, str]) -> None:
        """Set our idea of Canvas's clock."""
        try:
            date = parsedate_to_datetime(headers.get("date", ""))
        except ValueError:
            return
        if date.tzinfo is not None:
            self.skew = date - datetime.now(timezone.utc)


def meet(
    host: str,
    token: str,
    *,
    budget: RateBudget | None = None,
    attempts: int = 5,
    clock: Callable[[], float] = time.monotonic,
) -> Peer:
    """The Canvas at a host, for a token; without a budget, with the one this process shares for the two.

    Raises:
        InputError: a malformed host, a token that cannot be sent, or no attempt allowed. Never shows the token.
    """
    origin = Origin.parse(host)
    secret = token.strip()
    if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise InputError("token", "is empty, or holds characters that no token of Canvas has")
    if attempts < 1:
        raise InputError("attempts", f"{attempts} is too few", accepted="1 or more")
    return Peer(origin, secret, budget or shared_budget(str(origin), secret), attempts, clock)
