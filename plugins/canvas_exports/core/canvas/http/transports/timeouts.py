"""Define how long a transport waits for a connection, for a byte, and for a whole response."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Timeouts:
    """The time limits of one client, the same over ``urllib3`` and ``aiohttp``.

    Attributes:
        connect: seconds until a connection must stand.
        read: seconds without a byte after which a connection counts as broken.
    """

    connect: float = 10.0
    read: float = 60.0

    @property
    def total(self) -> float:
        """Return the seconds for a whole response, however steadily it arrives; the body of a package has no such limit."""
        return 2 * self.read
