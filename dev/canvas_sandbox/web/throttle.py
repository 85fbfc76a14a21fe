"""Canvas's request throttle: a leaky bucket per client."""

from __future__ import annotations

from dataclasses import dataclass

from canvas_sandbox.switches import Switches


@dataclass
class Bucket:
    """The level of one client's bucket."""

    count: float = 0.0
    last_touched: float = 0.0


class Throttle:
    """All buckets. A request reserves `Switches.up_front_cost`, and is charged its real cost when it is answered."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._buckets: dict[str, Bucket] = {}

    def reserve(self, client: str, now: float) -> bool:
        """Reserve for a request. Returns whether it may run; call `settle` in either case."""
        return self._increment(client, self._switches.up_front_cost, now) < self._switches.hwm

    def settle(self, client: str, cost: float, now: float) -> float:
        """Replace the reservation by the real cost. Returns what remains until requests are refused, possibly negative."""
        return self._switches.hwm - self._increment(client, cost - self._switches.up_front_cost, now)

    def fill(self, client: str, count: float, now: float) -> None:
        """Set the level of a client's bucket."""
        self._buckets[client] = Bucket(count, now)

    def _increment(self, client: str, amount: float, now: float) -> float:
        bucket = self._buckets.setdefault(client, Bucket(last_touched=now))
        if bucket.count > 0:
            bucket.count -= self._switches.outflow * max(0.0, now - bucket.last_touched)
        bucket.count = min(max(bucket.count + amount, 0.0), self._switches.maximum)
        bucket.last_touched = now
        return bucket.count
