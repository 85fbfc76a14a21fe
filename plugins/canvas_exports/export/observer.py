"""Who watches a batch: what an observer is told, and the book that finds it out from checkpoint to checkpoint.

A batch saves its checkpoint after every step. Comparing what it saves with what it saved before yields every change of
state, so observing needs one call, and no rule of the batch knows about it.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

from canvas_exports.export.items import Item, State
from canvas_exports.export.outcome import Outcome


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
    """

    export_type: str
    before: State
    after: State
    seconds: float | None
    outcome: Outcome | None = None
    size: int = 0
    findings: int = 0


class Observer(Protocol):
    """Is told what a batch does. Must return at once and must not raise: a batch is not slowed or stopped by being watched.

    Nothing it is told holds a token, a URL or a person's name. Called from several threads.
    """

    def moved(self, step: Step) -> None:
        """An export changed its state."""
        ...

    def created(self, export_type: str, *, again: bool) -> None:
        """Canvas began an export; ``again`` if it is not the first for this context and type."""
        ...

    def fetch_failed(self, export_type: str) -> None:
        """A transfer failed; it is tried again, or the export has its outcome."""
        ...

    def span(self, name: str, **attributes: str | int) -> AbstractContextManager[object]:
        """Surrounds a piece of work: ``batch``, ``create``, ``transfer``, ``proof`` or ``publish``."""
        ...


class Unobserved:
    """Nobody watches."""

    def moved(self, step: Step) -> None:
        """Nothing."""

    def created(self, export_type: str, *, again: bool) -> None:
        """Nothing."""

    def fetch_failed(self, export_type: str) -> None:
        """Nothing."""

    def span(self, name: str, **attributes: str | int) -> AbstractContextManager[object]:  # noqa: ARG002 - the protocol's
        """Nothing."""
        return nullcontext()


UNOBSERVED = Unobserved()


@dataclass(frozen=True)
class _Entry:
    """What was known of an export when it was last looked at. ``since`` is our clock, ``created_at`` Canvas's."""

    state: State
    creations: int
    since: float | None
    created_at: float | None


class Book:
    """Finds out what has changed since the last look, and tells the observer. Costs nothing where nobody watches.

    Args:
        observer: who is told.
        items: the exports as the checkpoint has them; nothing of it is news.
        started_at: when the batch began, in seconds since the epoch by our clock: since then its exports wait their turn.
    """

    def __init__(self, observer: Observer, items: Iterable[Item], *, started_at: float) -> None:
        self._observer = observer
        self._entries: dict[str, _Entry] = {}
        if observer is not UNOBSERVED:
            self._entries = {
                item.name: _entry(item, started_at if _has_waited(item) else None) for item in items
            }

    def compare(self, items: Iterable[Item], *, now: float, canvas_now: float) -> None:
        """Tell what has changed.

        Args:
            items: the exports as they are now.
            now: seconds since the epoch by our clock.
            canvas_now: the same by Canvas's clock, which says how long Canvas has had an export.
        """
        if self._observer is UNOBSERVED:
            return
        for item in items:
            old = self._entries.get(item.name)
            if old is None:
                self._entries[item.name] = _entry(item, None)
                continue
            if item.creations > old.creations:
                self._observer.created(item.export_type, again=item.creations > 1)
            if item.state is not old.state:
                self._observer.moved(_step(item, old, now, canvas_now))
                self._entries[item.name] = _entry(item, now)


def _has_waited(item: Item) -> bool:
    """Whether it has waited for its turn ever since the batch began."""
    return item.state is State.PLANNED and not item.creations


def _entry(item: Item, since: float | None) -> _Entry:
    return _Entry(item.state, item.creations, since, item.created_at)


def _step(item: Item, old: _Entry, now: float, canvas_now: float) -> Step:
    seconds = None if old.since is None else max(now - old.since, 0.0)
    if old.state is State.REQUESTED and old.created_at is not None:
        seconds = max(canvas_now - old.created_at, 0.0)
    ended = item.state is State.DONE
    return Step(
        item.export_type,
        old.state,
        item.state,
        seconds,
        outcome=item.outcome if ended else None,
        size=(item.size or 0) if ended else 0,
        findings=item.findings if ended else 0,
    )
