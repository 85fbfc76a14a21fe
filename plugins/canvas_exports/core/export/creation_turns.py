"""Asking Canvas for exports, each context in its turn: what is refused to one of them costs no other anything."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress

from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.export.creation import Creator
from canvas_exports.core.export.engine import events
from canvas_exports.core.export.engine.engine import Engine
from canvas_exports.core.export.engine.items import Item, State
from canvas_exports.core.export.observer import Observer
from canvas_exports.errors import (
    AnswerLostError,
    CanvasError,
    CanvasExportsError,
    CredentialError,
    UnexpectedAnswerError,
)

_log = logging.getLogger(__name__)

_IN_A_ROW = (
    3  # refusals of different contexts, after which Canvas is asked whether it answers anything at all
)
_BEFORE_CREATION = {State.INTENDED: 1, State.PLANNED: 2}
_ENOUGH = 3  # contexts of which none was answered: another round would only repeat it


class Turns:
    """Learns numeric ids, looks up what a lost answer left open, and has exports made.

    Any answer can come for one context for ever: an error page, a 5xx, a refused token. So it costs the context its turn:
    the others come first, it has another turn in the next round, and after some it ends with how Canvas answered. Whether
    all are meant is asked of Canvas itself, with ``GET /api/v1/users/self``: only if that is refused too, an error is raised.

    Args:
        client: of the Canvas.
        engine: is told what happens, and holds the items.
        creator: asks.
        save: writes the checkpoint; called before the first POST and after every answer.
        cancelled: set when the task is being stopped.
        settle: seconds between two rounds, and before a lost POST is looked up: Canvas may still be making the export.
        observer: surrounds each question.
    """

    def __init__(
        self,
        client: CanvasClient,
        engine: Engine,
        creator: Creator,
        *,
        save: Callable[[], None],
        cancelled: threading.Event,
        settle: float,
        observer: Observer,
    ) -> None:
        self._client = client
        self._engine = engine
        self._creator = creator
        self._save = save
        self._cancelled = cancelled
        self._settle = settle
        self._observer = observer
        self._refused: set[str] = set()
        self._lost: set[str] = set()
        self._in_a_row = 0
        self._answered = False

    def begin(self) -> None:
        """Begin a round: learn numeric ids, and drop a second spelling of a context that is in the batch already.

        Raises:
            CanvasExportsError: see ``take``.
        """
        self._refused.clear()
        unresolved = [item for item in self._engine.items.values() if _is_unresolved(item)]
        for item in unresolved:
            try:
                self._engine.apply(self._creator.resolve(item))
            except Exception as error:  # noqa: BLE001, PERF203 - whatever it is, it is about this context
                self._refuse(item, error, undone=item.state is State.PLANNED)
            else:
                self._in_a_row = 0
        self._drop_doubles()
        if unresolved:
            self._save()

    def take(self, user_id: int, look_up: Iterable[str], create: Iterable[str]) -> bool:
        """Ask for those who have not been refused in this round; says whether there were any.

        Raises:
            CredentialError: the token is refused whatever is asked (permanent).
            CanvasUnavailableError: nothing is answered at all (retryable).
            InputError: what is asked for can never be (permanent).
        """
        known = [name for name in look_up if name not in self._refused]
        new = [name for name in create if name not in self._refused]
        if not known and not new:
            return False
        if self._lost.intersection(known):
            self._cancelled.wait(self._settle)
        intended_at = self._client.server_now().timestamp()
        for name in new:
            self._engine.apply(events.Intended(name, intended_at))
        if new:
            self._save()
        begun = 0
        try:
            for name in (*known, *new):
                if self._cancelled.is_set():
                    break
                # From here on, whatever interrupts us, the POST may have been sent.
                begun += 1
                if name in self._engine.items:  # it may have turned out to be another name of one before
                    self._ask(self._engine.items[name], user_id, known=name in known)
        except BaseException:
            self._unask(new[max(begun - len(known), 0) :])
            with suppress(
                Exception
            ):  # what was wrong before counts, and a checkpoint that is out of date is still right
                self._save()
            raise
        self._unask(new[max(begun - len(known), 0) :])
        self._save()
        return True

    def next_round(self) -> None:
        """All that are left were refused: wait, and let them have another turn, unless nobody is answered anyway."""
        # What an attempt before this one has had made was answered, too: by now only those are left that were refused.
        answered = self._answered or any(item.creations for item in self._engine.items.values())
        if answered or len(self._refused) < _ENOUGH:
            self._cancelled.wait(self._settle)
        else:
            for name in self._refused:
                self._engine.apply(events.GivenUp(name))
            self._save()
        self._refused.clear()

    def _unask(self, names: Iterable[str]) -> None:
        """These were intended, and have certainly not been asked for."""
        for name in names:
            self._engine.apply(events.NotCreated(name))

    def _ask(self, item: Item, user_id: int, *, known: bool) -> None:
        """Look one export up, or have it made."""
        sent = known
        try:
            with self._observer.span("create", context=item.context, export_type=item.export_type):
                if _is_unresolved(item):
                    self._engine.apply(self._creator.resolve(item))
                    self._drop_doubles()
                    if item.state is State.DONE or item.name not in self._engine.items:
                        return
                sent = True
                event = self._creator.look_up(item, user_id) if known else self._creator.create(item)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is about this context
            # A page of something in front of Canvas does not say what Canvas did.
            unsaid = isinstance(error, (AnswerLostError, UnexpectedAnswerError))
            lost = unsaid or not isinstance(error, CanvasExportsError)
            self._refuse(item, error, undone=not known and not (sent and lost))
            return
        self._engine.apply(event)
        self._in_a_row = 0
        self._answered = self._answered or not known
        if isinstance(event, events.Created):
            self._lost.discard(item.name)
            self._save()

    def _refuse(self, item: Item, error: Exception, *, undone: bool) -> None:
        """Take a turn off a context, unless the error is about all of them."""
        if undone:
            self._engine.apply(events.NotCreated(item.name))
        else:
            self._lost.add(item.name)
        if isinstance(error, CanvasExportsError) and not isinstance(error, CanvasError):
            raise error
        self._in_a_row += 1
        if isinstance(error, CredentialError) or self._in_a_row >= _IN_A_ROW:
            self._client.whoami()
            self._in_a_row = 0
        self._refused.add(item.name)
        reason = error.reason if isinstance(error, CanvasError) else f"unexpected {type(error).__name__}"
        if isinstance(error, CanvasError):
            turn = item.refusals % self._engine.limits.turns + 1
            _log.warning("%s: turn %d of %d: %s", item.name, turn, self._engine.limits.turns, error)
        else:
            _log.error("%s: unexpected, please report it", item.name, exc_info=error)
        self._engine.apply(events.Refused(item.name, item.refusals, reason, undone))

    def _drop_doubles(self) -> None:
        """Drop what is the same context under another name, unless it is under way."""
        first: dict[tuple[str, int | None, str], str] = {}
        for item in sorted(self._engine.items.values(), key=lambda item: _BEFORE_CREATION.get(item.state, 0)):
            if item.canvas_id is None:
                continue
            identity = (item.context.partition(":")[0], item.canvas_id, item.export_type)
            kept = first.setdefault(identity, item.name)
            if kept != item.name:
                _log.warning("%s is the same as %s: it is exported once", item.name, kept)
                del self._engine.items[item.name]


def _is_unresolved(item: Item) -> bool:
    return item.canvas_id is None and item.state in (State.PLANNED, State.INTENDED)
