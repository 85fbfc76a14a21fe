"""Ask Canvas for exports, each context in its turn, so that a refusal of one context does not hold up the others."""

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
    CanvasError,
    CanvasExportsError,
    CredentialError,
    ResponseLostError,
    UnexpectedResponseError,
)

_log = logging.getLogger(__name__)

# Refusals of different contexts, after which `/users/self` shows whether Canvas answers at all.
_MAX_IN_A_ROW = 3
_BEFORE_CREATION = {State.INTENDED: 1, State.PLANNED: 2}
_MAX_UNANSWERED = 3  # contexts of which none was answered: another round would only repeat it


class CreationTurns:
    """Resolve numeric ids, look up exports whose response was lost, and create exports.

    Canvas may answer for one context with an error for ever: an error page, a 5xx, a refused token. Such a response costs
    the context its turn: the other contexts come first, it has another turn in the next round, and after some turns it ends
    with Canvas's response as the reason. ``GET /api/v1/users/self`` shows whether Canvas refuses all requests: only if that
    is refused, too, an error is raised.

    Args:
        client: of the Canvas.
        engine: holds the items and takes the events.
        creator: makes the requests.
        save: writes the checkpoint; called before the first POST and after every response.
        cancelled: set when the task is being stopped.
        round_wait: seconds between two rounds, and before a lost POST is looked up: Canvas may still be making the export.
        observer: surrounds each request with a span.
    """

    def __init__(
        self,
        client: CanvasClient,
        engine: Engine,
        creator: Creator,
        *,
        save: Callable[[], None],
        cancelled: threading.Event,
        round_wait: float,
        observer: Observer,
    ) -> None:
        self._client = client
        self._engine = engine
        self._creator = creator
        self._save = save
        self._cancelled = cancelled
        self._round_wait = round_wait
        self._observer = observer
        self._refused: set[str] = set()
        self._lost: set[str] = set()
        self._in_a_row = 0
        self._answered = False

    def begin_round(self) -> None:
        """Resolve numeric ids, and drop a second spelling of a context that is in the batch already.

        Raises:
            CanvasExportsError: see ``take_turns``.
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
        self._drop_duplicates()
        if unresolved:
            self._save()

    def take_turns(self, user_id: int, look_up: Iterable[str], create: Iterable[str]) -> bool:
        """Look up and create the exports that were not refused in this round; return whether there were any.

        Raises:
            CredentialError: Canvas refuses the token for every request (permanent).
            CanvasUnavailableError: Canvas answers no request (retryable).
            InputError: the request can never succeed (permanent).
        """
        unanswered = [name for name in look_up if name not in self._refused]
        new = [name for name in create if name not in self._refused]
        if not unanswered and not new:
            return False
        if self._lost.intersection(unanswered):
            self._cancelled.wait(self._round_wait)
        intended_at = self._client.server_now().timestamp()
        for name in new:
            self._engine.apply(events.Intended(name, intended_at))
        if new:
            self._save()
        sent = 0
        try:
            for name in (*unanswered, *new):
                if self._cancelled.is_set():
                    break
                sent += 1  # from here on, whatever interrupts us, the POST may have been sent
                if name in self._engine.items:  # it may have been dropped as a second spelling
                    self._take_turn(self._engine.items[name], user_id, look_up=name in unanswered)
        except BaseException:
            self._mark_not_sent(new[max(sent - len(unanswered), 0) :])
            with suppress(Exception):  # the first error counts, and an older checkpoint is still right
                self._save()
            raise
        self._mark_not_sent(new[max(sent - len(unanswered), 0) :])
        self._save()
        return True

    def next_round(self) -> None:
        """Wait and begin another round of the refused contexts, or end them if Canvas answers none of the batch."""
        # Exports that an earlier attempt created count as answered: now only refused contexts are left.
        answered = self._answered or any(item.creations for item in self._engine.items.values())
        if answered or len(self._refused) < _MAX_UNANSWERED:
            self._cancelled.wait(self._round_wait)
        else:
            for name in self._refused:
                self._engine.apply(events.GivenUp(name))
            self._save()
        self._refused.clear()

    def _mark_not_sent(self, names: Iterable[str]) -> None:
        """Undo the intention of exports whose POST was certainly not sent."""
        for name in names:
            self._engine.apply(events.NotCreated(name))

    def _take_turn(self, item: Item, user_id: int, *, look_up: bool) -> None:
        """Look up or create one export."""
        sent = look_up
        try:
            with self._observer.span("create", context=item.context, export_type=item.export_type):
                if _is_unresolved(item):
                    self._engine.apply(self._creator.resolve(item))
                    self._drop_duplicates()
                    if item.state is State.DONE or item.name not in self._engine.items:
                        return
                sent = True
                event = self._creator.look_up(item, user_id) if look_up else self._creator.create(item)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is about this context
            # A page of something in front of Canvas does not say what Canvas did.
            unclear = isinstance(error, (ResponseLostError, UnexpectedResponseError))
            lost = unclear or not isinstance(error, CanvasExportsError)
            self._refuse(item, error, undone=not look_up and not (sent and lost))
            return
        self._engine.apply(event)
        self._in_a_row = 0
        self._answered = self._answered or not look_up
        if isinstance(event, events.Created):
            self._lost.discard(item.name)
            self._save()

    def _refuse(self, item: Item, error: Exception, *, undone: bool) -> None:
        """Count a refusal of one context, unless the error is about all of them."""
        if undone:
            self._engine.apply(events.NotCreated(item.name))
        else:
            self._lost.add(item.name)
        if isinstance(error, CanvasExportsError) and not isinstance(error, CanvasError):
            raise error
        self._in_a_row += 1
        if isinstance(error, CredentialError) or self._in_a_row >= _MAX_IN_A_ROW:
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

    def _drop_duplicates(self) -> None:
        """Drop items that name the same context as another item, unless they are under way."""
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
