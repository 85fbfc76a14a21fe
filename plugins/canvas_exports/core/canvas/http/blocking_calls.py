"""Run flows from threads: slots of the rate limiter in turn, and waits that can be stopped."""

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

_CHECK_INTERVAL = 0.5  # seconds between two checks of the stop signal by a thread in the queue


class StopSignal:
    """Ends the waits of one or several threads at once.

    Args:
        sleep: waits so many seconds instead, and cannot be stopped in between: for tests with a clock of their own.
    """

    def __init__(self, sleep: Callable[[float], Any] | None = None) -> None:
        self._sleep = sleep
        self._stopped = threading.Event()
        self._branches: list[weakref.ref[StopSignal]] = []
        self._branching = threading.Lock()

    def check(self) -> None:
        """Raise ``Stopped`` after ``stop``."""
        if self._stopped.is_set():
            raise Stopped("the client was stopped")

    def wait(self, seconds: float) -> None:
        """Wait. Raise ``Stopped`` as soon as ``stop`` is called."""
        self.check()
        (self._sleep or self._stopped.wait)(seconds)
        self.check()

    def stop(self) -> None:
        """End every wait, also of the branches, for good. May be called from a signal handler."""
        self._stopped.set()
        # The list is never changed in place, so no lock is needed, which the interrupted thread might hold.
        for reference in self._branches:
            branch = reference()
            if branch is not None:
                branch.stop()

    def branch(self) -> StopSignal:
        """Return a signal that can be given by itself, and is given together with this one."""
        branch = StopSignal(self._sleep)
        with self._branching:
            self._branches = [*(each for each in self._branches if each() is not None), weakref.ref(branch)]
        if self._stopped.is_set():
            branch.stop()
        return branch


class BlockingRateLimiter:
    """A queue of threads before a ``RateLimiter``: they get their slots in the order in which they asked.

    Only the first in the queue keeps asking, and no thread holds a lock while it waits.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queue: deque[threading.Event] = deque()

    def acquire(self, rate_limiter: RateLimiter, stop_signal: StopSignal) -> None:
        """Wait for a slot, and take it.

        Raises:
            Stopped: the wait was stopped; no slot was taken.
        """
        turn = threading.Event()
        with self._lock:
            if not self._queue and rate_limiter.try_acquire() <= 0:
                return
            self._queue.append(turn)
            self._queue[0].set()
        try:
            while not turn.wait(_CHECK_INTERVAL):
                stop_signal.check()
            while (wait := rate_limiter.try_acquire()) > 0:
                stop_signal.wait(wait)
        finally:
            with self._lock:
                self._queue.remove(turn)
                if self._queue:
                    self._queue[0].set()


class FlowRunner:
    """Runs flows for one thread, or for several.

    Args:
        session: the Canvas.
        transport: sends.
        stop_signal: waits, and ends the waits.
        turns: the queue before the rate limiter, shared by all threads.
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
        """Return a runner that can be stopped by itself, and is stopped together with this one."""
        return FlowRunner(self._session, self._transport, self.stop_signal.branch(), self._turns)

    def run(self, flow: Flow[T]) -> T:
        """Run a flow, and return its value.

        Raises:
            CanvasExportsError: as the flow.
            Stopped: the runner was stopped; nothing is sent after that.
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
