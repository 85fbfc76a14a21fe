"""A proxy in which requests can be made to stand still, so that a process can be killed exactly there, or to fail."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from enum import Enum

from tests.support.store_servers.s3 import HANG_UP, LOSE_ANSWER, FaultProxy

PATIENCE = 300.0  # seconds until something that has to happen must have happened


@dataclass
class Hold:
    """The place in a conversation where the next matching request stands still.

    It stands there until `release`, and is then cut off: whoever sent it is dead, or shall think that the network is.

    Attributes:
        verb: of the request.
        target: regular expression searched in path and query.
        answered: let the server act first, and hold its answer.
    """

    verb: str
    target: str
    answered: bool = False
    _arrived: threading.Event = field(default_factory=threading.Event)
    _released: threading.Event = field(default_factory=threading.Event)

    @property
    def is_reached(self) -> bool:
        """Whether a request stands here, or has stood."""
        return self._arrived.is_set()

    def wait(self) -> None:
        """Wait until a request stands here."""
        assert self._arrived.wait(PATIENCE), f"no {self.verb} {self.target} came"

    def release(self) -> None:
        """Cut the request off, and let those that follow pass."""
        self._released.set()

    def takes(self, verb: str, target: str) -> bool:
        """Whether this request is the one; the first that is uses the hold up."""
        if self._arrived.is_set() or verb != self.verb or not re.search(self.target, target):
            return False
        self._arrived.set()
        return True

    def stand(self) -> None:
        """Stand still until `release`."""
        self._released.wait()


class When(Enum):
    """At which point of a request it fails."""

    MIDWAY = "with half of its body read; the connection is reset"
    BEFORE = "before the server hears of it"
    AFTER = "once the server has done what it was asked"


@dataclass
class Trouble:
    """Requests that fail.

    Attributes:
        verb: of the requests.
        target: regular expression searched in path and query.
        status: of the answer; ``HANG_UP`` for none.
        when: at which point.
        times: how many fail; set it to 0 to end the trouble.
        met: how many have failed.
    """

    verb: str
    target: str
    status: int = HANG_UP
    when: When = When.BEFORE
    times: int = 1
    met: int = 0

    def strikes(self, verb: str, target: str) -> bool:
        """Whether this request fails; counts it."""
        if self.met >= self.times or verb != self.verb or not re.search(self.target, target):
            return False
        self.met += 1
        return True


class Gate:
    """Passes every request on to a server, but for those that it holds, and those that fail.

    ``url`` is what clients are told instead of the server's.
    """

    def __init__(self, upstream: str) -> None:
        self._proxy = FaultProxy(upstream)
        self._proxy.begun = lambda verb, target: self._fails(When.MIDWAY, verb, target)
        self._proxy.rule = self._before
        self._proxy.answered = self._after
        self._proxy.codes = {400: "ExpiredToken", 500: "InternalError", 503: "SlowDown"}
        self._lock = threading.Lock()
        self._holds: list[Hold] = []
        self._troubles: list[Trouble] = []
        self.url = self._proxy.endpoint

    def trouble(self, *troubles: Trouble) -> None:
        """Have requests fail; of several that match one, the first strikes."""
        with self._lock:
            self._troubles += troubles

    def hold(self, verb: str, target: str, *, answered: bool = False) -> Hold:
        """Hold the next request that matches; later ones pass."""
        hold = Hold(verb, target, answered)
        with self._lock:
            self._holds.append(hold)
        return hold

    def close(self) -> None:
        """Cut off what is held, and answer no more."""
        for hold in self._holds:
            hold.release()
        self._proxy.close()

    def _before(self, verb: str, target: str) -> int | None:
        return (
            HANG_UP if self._stand(verb, target, answered=False) else self._fails(When.BEFORE, verb, target)
        )

    def _after(self, verb: str, target: str) -> int | None:
        return (
            LOSE_ANSWER if self._stand(verb, target, answered=True) else self._fails(When.AFTER, verb, target)
        )

    def _fails(self, when: When, verb: str, target: str) -> int | None:
        with self._lock:
            struck = (one for one in self._troubles if one.when is when and one.strikes(verb, target))
            trouble = next(struck, None)
        return None if trouble is None else trouble.status

    def _stand(self, verb: str, target: str, *, answered: bool) -> bool:
        with self._lock:
            fitting = (one for one in self._holds if one.answered is answered and one.takes(verb, target))
            hold = next(fitting, None)
        if hold is None:
            return False
        hold.stand()
        return True
