"""Report the engine's transitions to an observer, which counts and times them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

from canvas_exports.core.export.engine.engine import Transition
from canvas_exports.core.export.engine.items import Item, State
from canvas_exports.core.model.outcomes import Outcome


@dataclass(frozen=True)
class Step:
    """An export's change from one state to another.

    Attributes:
        export_type: what kind of export.
        before: the state it leaves.
        after: the state it is in now.
        seconds: how long it was in ``before``; ``None`` where that is not known, because another process saw it begin.
        outcome: what it ended with, where ``after`` is ``done``.
        size: bytes of the package, where it ended with one.
        findings: of its proof.
        probe_result: what the change probe of a course has led to; see ``core.model.probes``.
    """

    export_type: str
    before: State
    after: State
    seconds: float | None
    outcome: Outcome | None = None
    size: int = 0
    findings: int = 0
    probe_result: str | None = None


class Observer(Protocol):
    """Take reports of what a batch does. Must return at once and must not raise, so that a batch is never slowed or stopped.

    No report holds a token, a URL or a person's name. Called from several threads.
    """

    def moved(self, step: Step) -> None:
        """Take an export's change of state."""
        ...

    def created(self, export_type: str, *, again: bool) -> None:
        """Take the start of an export at Canvas; ``again`` if it is not the first for this context and type."""
        ...

    def transfer_failed(self, export_type: str) -> None:
        """Take a failed transfer; it is tried again, or the export has its outcome."""
        ...

    def span(self, name: str, **attributes: str | int) -> AbstractContextManager[object]:
        """Surround a piece of work with a span: ``batch``, ``probe``, ``create``, ``transfer``, ``proof`` or ``publish``."""
        ...


class Unobserved:
    """Ignore all reports."""

    def moved(self, step: Step) -> None:
        """Do nothing."""

    def created(self, export_type: str, *, again: bool) -> None:
        """Do nothing."""

    def transfer_failed(self, export_type: str) -> None:
        """Do nothing."""

    def span(self, name: str, **attributes: str | int) -> AbstractContextManager[object]:  # noqa: ARG002 - the protocol's
        """Do nothing."""
        return nullcontext()


UNOBSERVED = Unobserved()


class StepReporter:
    """Report each transition of a batch to its observer, with the time that the state before took.

    Args:
        observer: is called for each change. `UNOBSERVED` costs nothing.
        items: the exports as the checkpoint has them.
        started_at: when the batch began, in seconds since the epoch by our clock: since then its exports are planned.
    """

    def __init__(self, observer: Observer, items: Iterable[Item], *, started_at: float) -> None:
        self._observer = observer
        self._since = {
            item.name: started_at for item in items if item.state is State.PLANNED and not item.creations
        }

    def report(self, transitions: Iterable[Transition], *, now: float, canvas_now: float) -> None:
        """Report what has changed.

        Args:
            transitions: of the engine, since the last call.
            now: seconds since the epoch by our clock.
            canvas_now: the same by Canvas's clock, which says how long Canvas has had an export.
        """
        if self._observer is UNOBSERVED:
            return
        for transition in transitions:
            before, item = transition.before, transition.item
            since, self._since[item.name] = self._since.get(item.name), now
            seconds = None if since is None else max(now - since, 0.0)
            if before.state is State.REQUESTED and before.created_at is not None:
                seconds = max(canvas_now - before.created_at, 0.0)
            if item.creations > before.creations:
                self._observer.created(item.export_type, again=item.creations > 1)
            self._observer.moved(_step(before, item, seconds))


def _step(before: Item, item: Item, seconds: float | None) -> Step:
    ended = item.state is State.DONE
    return Step(
        item.export_type,
        before.state,
        item.state,
        seconds,
        outcome=item.outcome if ended else None,
        size=(item.size or 0) if ended else 0,
        findings=item.findings if ended else 0,
        probe_result=item.probe_result if ended else None,
    )
