"""Decide what a batch does next: a state machine over plain data, with events in, decisions out, and no clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import singledispatchmethod

from canvas_exports.core.export.engine import events
from canvas_exports.core.export.engine.items import MAX_REASON, Item, State
from canvas_exports.core.export.engine.running_export import COMPLETE
from canvas_exports.core.export.engine.window import exports_to_request
from canvas_exports.core.model.causes import Cause
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.model.probes import SKIPPED
from canvas_exports.core.text.wording import format_count


@dataclass(frozen=True)
class Limits:
    """Limits of a batch: numbers, repetitions and times.

    Attributes:
        window: exports that Canvas may be working on at once for this batch.
        creations: exports made for one context and type before its outcome is ``failed``.
        transfers: failed ones of one export before it is given up.
        turns: refusals of one context in an attempt before it ends for this attempt.
        stall_after: seconds for which an export was seen without a change of completion before it is ``stalled``.
        deadline: seconds since the epoch after which the batch waits for nothing.
    """

    window: int
    creations: int
    transfers: int
    stall_after: float
    deadline: float
    turns: int = 3


# Attempts in which Canvas refuses one context before it has failed: the first may have met a passing problem.
_ATTEMPTS = 2
_ATTEMPTS_ALONE = 3  # the same where Canvas answered for no other context, so that all may be refused


@dataclass(frozen=True)
class Decisions:
    """What to do now, as item names in the order of the batch.

    Courses to probe are planned exports whose probe has yet to be read, or compared with the copies.
    """

    probe: tuple[str, ...] = ()
    look_up: tuple[str, ...] = ()
    create: tuple[str, ...] = ()
    transfer: tuple[str, ...] = ()
    watch: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.probe or self.look_up or self.create or self.transfer or self.watch)


@dataclass(frozen=True)
class Transition:
    """A change of an item's state.

    Attributes:
        before: a copy of the item as it was.
        item: the item as it is now.
    """

    before: Item
    item: Item


class Engine:
    """Decide what a batch does next.

    For every sequence of events (held by property tests): an item ends in exactly one outcome and then never changes; at
    most ``limits.window`` items are in flight; an event that comes twice, or is about an earlier export of the item, changes
    nothing; an ``intended`` item is looked up before it is created again; an item is confirmed only while no export of it was
    asked for, and none is asked for once it is confirmed.
    """

    def __init__(self, items: Iterable[Item], limits: Limits) -> None:
        self.items = {item.name: item for item in items}
        self.limits = limits
        self._before: dict[str, Item] = {}

    @property
    def is_finished(self) -> bool:
        """Return whether every item has its outcome."""
        return all(item.state is State.DONE for item in self.items.values())

    @property
    def has_room(self) -> bool:
        """Return whether more exports are planned, and more may be in flight."""
        items = self.items.values()
        planned = any(item.state is State.PLANNED for item in items)
        return planned and sum(item.is_in_flight for item in items) < self.limits.window

    def decide(self) -> Decisions:
        """Return what to do next; nothing once the batch is finished. Changes nothing itself.

        Items that Canvas has refused come after the others, whatever the order of the batch.
        """
        by_state: dict[State, list[str]] = {state: [] for state in State}
        for name, item in self.items.items():
            by_state[item.state].append(name)
        probe = [name for name in by_state[State.PLANNED] if self.items[name].is_to_probe]
        create = [name for name in by_state[State.PLANNED] if not self.items[name].is_to_probe]
        for names in (by_state[State.INTENDED], create):
            names.sort(key=lambda name: self.items[name].refusals)
        in_flight = [item for item in self.items.values() if item.is_in_flight]
        queued = sum(item.running_since is None for item in in_flight)
        free = exports_to_request(
            self.limits.window,
            queued=queued,
            running=len(in_flight) - queued,
            finished=len(by_state[State.READY]),
        )
        return Decisions(
            probe=tuple(probe),
            look_up=tuple(by_state[State.INTENDED]),
            create=tuple(create[:free]),
            transfer=tuple(by_state[State.READY]),
            watch=tuple(by_state[State.REQUESTED]),
        )

    def apply(self, event: events.Event) -> None:
        """Apply an event."""
        self._remember(getattr(event, "item", None))
        self._apply(event)

    def transitions(self) -> list[Transition]:
        """Return the items whose state has changed since the last call, in the order of the batch."""
        before, self._before = self._before, {}
        return [
            Transition(before[name], item)
            for name, item in self.items.items()
            if name in before and before[name].state is not item.state
        ]

    def resume(self, *, cleared: bool, now: float) -> None:
        """Go on in a new attempt.

        A retry takes up items that were interrupted, or are not in every archive. A Clear also gives a new chance to every
        item without a package. It has another export created, unless the present one may still be of use: it stalled and is
        polled again, or no transfer of its package has failed yet. What was read of a course that is still to be compared with
        its copies is read again after a Clear, which may come days later.
        """
        self._remember()
        for item in self.items.values():
            if cleared and item.to_probe:
                item.probe = None
            if item.outcome is not None and (
                item.outcome.is_retryable or (cleared and not item.outcome.has_package)
            ):
                item.reopen(cleared=cleared)
                if cleared:
                    item.creations = item.refusals = 0
                item.changed_at = now if item.state in (State.REQUESTED, State.READY) else None

    def interrupt(self, reason: str, cause: Cause | None = None) -> None:
        """End the attempt: every item without an outcome gets ``interrupted``, which ``resume`` takes back."""
        self._remember()
        for item in self.items.values():
            if item.state is not State.DONE:
                item.break_off(reason, cause)

    def _remember(self, name: str | None = None) -> None:
        """Copy an item, or all, before the first change since `transitions` was called."""
        for each in self.items if name is None else self.items.keys() & {name}:
            if each not in self._before:
                self._before[each] = replace(self.items[each])

    def _item_of(self, event: events.Event, *states: State) -> Item | None:
        """Return the event's item, if it is in one of the states and the event is about its present export."""
        item = self.items.get(getattr(event, "item", ""))
        if item is None or item.state not in states:
            return None
        export_id = getattr(event, "export_id", item.export_id)
        return item if export_id == item.export_id else None

    @singledispatchmethod
    def _apply(self, event: events.Event) -> None:
        raise TypeError(f"not an event: {event!r}")

    @_apply.register
    def _(self, event: events.Resolved) -> None:
        item = self._item_of(event, *State)
        if item is not None and item.canvas_id is None:
            item.canvas_id = event.canvas_id

    @_apply.register
    def _(self, event: events.Probed) -> None:
        item = self._item_of(event, State.PLANNED)
        if item is not None and item.to_probe and item.probe is None:
            item.probe = event.probe
            item.to_probe = event.probe is not None

    @_apply.register
    def _(self, event: events.Changed) -> None:
        item = self._item_of(event, State.PLANNED)
        if item is not None:
            item.to_probe = False

    @_apply.register
    def _(self, event: events.Confirmed) -> None:
        item = self._item_of(event, State.PLANNED)
        if item is not None and item.to_probe and item.probe is not None:
            item.export_id, item.key, item.size = event.confirmed_export, event.key, 0
            item.findings, item.label, item.probe_result = event.findings, event.label, SKIPPED
            item.end(Outcome.UNCHANGED, event.reason)

    @_apply.register
    def _(self, event: events.Intended) -> None:
        item = self._item_of(event, State.PLANNED)
        if item is not None:
            item.to_probe = False
            item.state = State.INTENDED
            item.intended_at = event.at

    @_apply.register
    def _(self, event: events.Created) -> None:
        item = self.items[event.item]
        if item.state is not State.INTENDED:
            return
        item.state = State.REQUESTED
        item.to_probe = False
        item.export_id = event.export_id
        item.progress_id = event.progress_id
        item.created_at = event.created_at
        item.changed_at = item.seen_at = event.at
        item.intended_at = item.reason = None
        item.refusals = 0
        item.creations += 1

    @_apply.register
    def _(self, event: events.NotCreated) -> None:
        item = self._item_of(event, State.INTENDED)
        if item is not None:
            item.plan()

    @_apply.register
    def _(self, event: events.Refused) -> None:
        item = self._item_of(event, State.PLANNED, State.INTENDED)
        if item is None or item.refusals != event.refusal:
            return
        item.refusals += 1
        if event.undone:
            item.plan()
        item.reason = event.reason[:MAX_REASON]
        if item.refusals % self.limits.turns == 0:
            self._give_up(item)

    @_apply.register
    def _(self, event: events.GivenUp) -> None:
        item = self._item_of(event, State.PLANNED, State.INTENDED)
        if item is not None and item.refusals:
            self._give_up(item)

    @_apply.register
    def _(self, event: events.Polled) -> None:
        item, export = self._item_of(event, State.REQUESTED), event.export
        if item is None:
            return
        if item.completion != export.completion:
            item.completion = export.completion
            item.changed_at = export.changed_at
        item.reason = export.problem
        item.running_since = export.running_since or item.running_since
        item.seen_at = export.seen_at or item.seen_at

    @_apply.register
    def _(self, event: events.Ready) -> None:
        item = self._item_of(event, State.REQUESTED)
        if item is not None:
            item.state = State.READY

    @_apply.register
    def _(self, event: events.NotReady) -> None:
        item = self._item_of(event, State.READY)
        if item is not None:
            item.state = State.REQUESTED
            # Its Progress ended too early: from now on the export itself is polled.
            item.completion = COMPLETE

    @_apply.register
    def _(self, event: events.ExportFailed) -> None:
        item = self._item_of(event, State.REQUESTED, State.READY)
        if item is not None:
            self._plan_again(item, event.reason)

    @_apply.register
    def _(self, event: events.TransferFailed) -> None:
        item = self._item_of(event, State.READY)
        if item is None or item.fetches != event.failed:
            return
        item.fetches += 1
        if item.fetches < self.limits.transfers:
            return
        if event.spoiled:
            self._plan_again(item, event.reason)
            return
        if not event.by_source:
            item.fetches = 0  # the export is as good as it was
        item.break_off(event.reason, event.cause)

    @_apply.register
    def _(self, event: events.Stored) -> None:
        item = self._item_of(event, State.READY)
        if item is not None:
            if event.at is not None and item.created_at is not None:
                item.seconds = round(max(event.at - item.created_at, 0.0), 1)
            item.key, item.size, item.findings, item.label = (
                event.key,
                event.size,
                event.findings,
                event.label,
            )
            item.probe_result = event.probe_result
            item.end(event.outcome, event.reason)

    @_apply.register
    def _(self, event: events.Ended) -> None:
        item = self._item_of(event, State.PLANNED, State.INTENDED, State.REQUESTED, State.READY)
        if item is not None:
            item.intended_at = None  # the POST, if there was one, has been answered
            item.end(event.outcome, event.reason)

    @_apply.register
    def _(self, event: events.QueueMoved) -> None:
        for item in self.items.values():
            if item.state is State.REQUESTED and not item.completion and item.changed_at is not None:
                item.changed_at = max(item.changed_at, event.at)

    @_apply.register
    def _(self, event: events.Tick) -> None:
        late = event.at >= self.limits.deadline
        for item in self.items.values():
            if item.state is State.REQUESTED:
                # Time without a poll does not count.
                unchanged_for = (item.seen_at or 0.0) - (item.changed_at or 0.0)
                if late:
                    item.end(Outcome.STALLED, "the deadline passed while Canvas was building the package")
                elif unchanged_for >= self.limits.stall_after:
                    why = f": {item.reason}" if item.reason else ""
                    item.end(Outcome.STALLED, f"no progress for {unchanged_for / 60:.0f} min{why}")
            elif item.state is State.PLANNED and late:
                item.end(Outcome.STALLED, "the deadline passed before its turn came")

    def _give_up(self, item: Item) -> None:
        """End an item that Canvas refuses: for this attempt, or for good if only this context is refused.

        If Canvas has created exports of others, only this one is refused. If not, Canvas may refuse all, for longer.
        """
        reason = item.reason or "refused"
        answered = any(other.creations for other in self.items.values() if other is not item)
        if item.refusals >= self.limits.turns * (_ATTEMPTS if answered else _ATTEMPTS_ALONE):
            item.end(Outcome.FAILED, f"asked {item.refusals} times: {reason}")
        else:
            item.break_off(reason)

    def _plan_again(self, item: Item, reason: str) -> None:
        """Plan another export, unless the limit is reached."""
        if item.creations < self.limits.creations:
            item.plan()
            item.reason = reason[:MAX_REASON]
        else:
            item.end(Outcome.FAILED, f"{reason} (after {format_count(item.creations, 'export')})")
