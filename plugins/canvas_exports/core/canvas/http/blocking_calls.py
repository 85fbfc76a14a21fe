"""Carrying out calls from threads: places in the rate budget in turn, and waits that can be called off."""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from canvas_exports.core.canvas.http.flow import AcquireSlot, Flow, RenewToken, Step, StepResult, Wait
from canvas_exports.core.canvas.http.rate_limiter import RateLimiter
from canvas_exports.core.canvas.http.session import CanvasSession
from canvas_exports.core.canvas.http.transports.transport import Transport
from canvas_exports.errors import CanvasError, Stopped

T = TypeVar("T")

_LOOK_UP = 0.5  # seconds after which somebody in the row sees that nobody wants the place any more


class StopSignal:
    """Waits of one or several threads, that end at once when nobody wants what they are for.

    Args:
        sleep: waits so many seconds instead, and cannot be called off in between: for tests with a clock of their own.
    """

    def __init__(self, sleep: Callable[[float], Any] | None = None) -> None:
        self._sleep = sleep
        self._stopped = threading.Event()
        self._branches: list[weakref.ref[StopSignal]] = []
        self._branching = threading.Lock()

    def check(self) -> None:
        """Raises ``Stopped`` after ``stop``."""
        if self._stopped.is_set():
            raise Stopped("called off")

    def wait(self, seconds: float) -> None:
        """Wait. Raises ``Stopped`` as soon as ``stop`` is called."""
        self.check()
        (self._sleep or self._stopped.wait)(seconds)
        self.check()

    def stop(self) -> None:
        """End every wait, also of the branches. For good; may be called from a signal handler."""
        self._stopped.set()
        for (
            known
        ) in self._branches:  # never changed in place, so no lock is needed, which a signal could meet held
            branch = known()
            if branch is not None:
                branch.stop()

    def branch(self) -> StopSignal:
        """Waits that can be called off for themselves, and end with these."""
        branch = StopSignal(self._sleep)
        with self._branching:
            self._branches = [*(each for each in self._branches if each() is not None), weakref.ref(branch)]
        if self._stopped.is_set():
            branch.stop()
        return branch


class BlockingRateLimiter:
    """Who is next: threads take their places in the rate budget in the order in which they came.

    Only the first in the row keeps asking the budget, and nobody holds a lock while waiting.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._row: deque[threading.Event] = deque()

    def acquire(self, rate_limiter: RateLimiter, stop_signal: StopSignal) -> None:
        """Wait for a place, and take it.

        Raises:
            Stopped: the wait was called off; no place was taken.
        """
        turn = threading.Event()
        with self._lock:
            if not self._row and rate_limiter.try_acquire() <= 0:
                return
            self._row.append(turn)
            self._row[0].set()
        try:
            while not turn.wait(_LOOK_UP):
                stop_signal.check()
            while (left := rate_limiter.try_acquire()) > 0:
                stop_signal.wait(left)
        finally:
            with self._lock:
                self._row.remove(turn)
                if self._row:
                    self._row[0].set()


class FlowRunner:
    """The way of one thread, or several, to one Canvas.

    Args:
        peer: the Canvas.
        transport: sends.
        waits: how it waits.
        turns: shared with all who use the same budget.
    """

    def __init__(
        self,
        session: CanvasSession,
        transport: Transport,
        stop_signal: StopSignal,
        turns: BlockingRateLimiter | None = None,
    ) -> None:
        self._session = session
        self._transport = transport
        self._turns = turns or BlockingRateLimiter()
        self.stop_signal = stop_signal

    def branch(self) -> FlowRunner:
        """The same way, whose waits can be called off for themselves."""
        return FlowRunner(self._session, self._transport, self.stop_signal.branch(), self._turns)

    def run(self, flow: Flow[T]) -> T:
        """Carry out a dialogue.

        Raises:
            CanvasExportsError: what the dialogue raises.
            Stopped: the waits were called off; nothing is sent after that.
        """
        result: StepResult = None
        try:
            while True:
                result = self._perform(flow.send(result))
        except StopIteration as end:
            value: T = end.value
            return value
        finally:
            flow.close()

    def _perform(self, step: Step) -> StepResult:
        self.stop_signal.check()
        if isinstance(step, AcquireSlot):
            self._turns.acquire(self._session.rate_limiter, self.stop_signal)
            return None
        if isinstance(step, Wait):
            self.stop_signal.wait(step.seconds)
            return None
        if isinstance(step, RenewToken):
            try:
                self._session.tokens.renew(step.rejected)
            except CanvasError as error:
                return error
            return None
        return self._transport.send(step.prepared)
