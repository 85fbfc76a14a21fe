"""Canvas's request throttle: a leaky bucket per client."""

from __future__ import annotations

from dataclasses import dataclass

from canvas_sandbox.switches import Switches


@dataclass
class Bucket:
    """What one client has used up."""

    count: float = 0.0
    last_touched: float = 0.0


class Throttle:
    """All buckets. A request reserves `Switches.up_front_cost`, and is charged its real cost when it is answered."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._buckets: dict[str, Bucket] = {}

    def reserve(self, client: str, now: float) -> bool:
        """Take the reservation; false when the request is refused. `settle` follows in either case."""
        return self._increment(client, self._switches.up_front_cost, now) < self._switches.hwm

    def settle(self, client: str, cost: float, now: float) -> float:
        """Exchange the reservation for the real cost; what remains until requests are refused, possibly negative."""
        return self._switches.hwm - self._increment(client, cost - self._switches.up_front_cost, now)

    def fill(self, client: str, count: float, now: float) -> None:
        """Set what a client has used up."""
        self._buckets[client] = Bucket(count, now)

    def _increment(self, client: str, amount: float, now: float) -> float:
        bucket = self._buckets.setdefault(client, Bucket(last_touched=now))
        if bucket.count > 0:
            bucket.count -= self._switches.outflow * max(0.0, now - bucket.last_touched)
        bucket.count = min(max(bucket.count + amount, 0.0), self._switches.maximum)
        bucket.last_touched = now
        return bucket.count
