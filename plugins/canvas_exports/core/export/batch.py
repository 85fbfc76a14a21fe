"""Carry out the engine's decisions on a worker, and save every step."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import replace
from typing import Any

from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.export.batch_log import BatchLog
from canvas_exports.core.export.changes.skipping import UnchangedCourses, can_be_probed
from canvas_exports.core.export.creation import Creator
from canvas_exports.core.export.creation_turns import CreationTurns
from canvas_exports.core.export.engine import events
from canvas_exports.core.export.engine.checkpoint import Checkpoint
from canvas_exports.core.export.engine.engine import Engine, Limits
from canvas_exports.core.export.engine.items import Item, State
from canvas_exports.core.export.engine.running_export import RunningExport
from canvas_exports.core.export.observer import UNOBSERVED, Observer, StepReporter
from canvas_exports.core.export.options import BatchOptions
from canvas_exports.core.export.polling.poll import PollingClient
from canvas_exports.core.export.polling.poll_results import PollResult, ProgressLog, WakeRule
from canvas_exports.core.export.polling.wait import Wait, wait_for
from canvas_exports.core.export.polling.watch import watch
from canvas_exports.core.export.transfer import TRANSFERS, PackageMover, TransferCancelled
from canvas_exports.core.model.causes import cause_of
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.errors import ArchiveDeniedError, CanvasExportsError, Stopped

_log = logging.getLogger(__name__)

CREATIONS = 3  # Canvas never retries a failed export; more than three tries only repeat the same failure
_MAX_DENIED = 3  # packages that an archive denies before it is checked whether it takes any
_MAX_CLOCK_SKEW = 600.0  # seconds by which Canvas's clock may be behind ours

_FAILURES = {
    "failed": "Canvas reported the export as failed",
    "deleted": "the export was deleted in Canvas",
    "no package": "Canvas reported the export as done, but saved no package",
    "gone": "Canvas no longer knows the export",
    "denied": "the token may no longer see its own export",
}


class Batch:
    """Bring the exports of one task from the checkpoint to their outcomes.

    ``advance`` does everything that can be done now and returns a ``Wait`` while Canvas works, or ``None`` once every
    export has its outcome. Between two calls the process may die at any point: a new ``Batch`` with the last saved
    checkpoint goes on without a second export or a half-written object.

    Does not decide whether Airflow retries, and does not wait for Canvas.

    Args:
        client: for everything but polling.
        polling_client: makes the asynchronous client that polling needs.
        mover: moves one package.
        options: the checked batch.
        checkpoint: where to start; see ``start`` for a fresh one.
        save: stores the checkpoint; if it raises, another attempt owns this batch and the error ends this one.
        unchanged: decides which courses need no export.
        observer: takes a report of every change that is saved.
    """

    def __init__(
        self,
        *,
        client: CanvasClient,
        polling_client: Callable[[], AbstractAsyncContextManager[PollingClient]],
        mover: PackageMover,
        options: BatchOptions,
        checkpoint: Checkpoint,
        save: Callable[[dict[str, Any]], None],
        unchanged: UnchangedCourses,
        observer: Observer = UNOBSERVED,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._polling_client = polling_client
        self._mover = mover
        self._options = options
        self._checkpoint = checkpoint
        self._store_checkpoint = save
        self._unchanged = unchanged
        self._observer = observer
        self._steps = StepReporter(observer, checkpoint.items, started_at=checkpoint.started_at)
        self._batch_log = BatchLog(creations=CREATIONS)
        self._now = now
        self._cancelled = threading.Event()
        self._has_asked_user = False
        self._moving: dict[Future[events.Event], str] = {}
        self._engine = Engine(
            checkpoint.items,
            Limits(
                window=options.max_in_flight,
                creations=CREATIONS,
                transfers=TRANSFERS,
                stall_after=options.stall_after.total_seconds(),
                deadline=checkpoint.deadline,
            ),
        )
        self._creation_turns = CreationTurns(
            client,
            self._engine,
            Creator(client, options, now=now),
            save=self.save,
            cancelled=self._cancelled,
            round_wait=options.waits.between_rounds,
            observer=observer,
        )

    @staticmethod
    def start(
        options: BatchOptions,
        *,
        now: float,
        generation: int = 0,
        try_number: int = 1,
        lost_since: float | None = None,
        exports_all: bool = False,
    ) -> Checkpoint:
        """Return a fresh checkpoint: all exports planned, the deadline fixed.

        ``exports_all`` says that a person wants everything exported again, also courses that have not changed.
        ``lost_since`` says that an earlier attempt's checkpoint is gone: exports that it may have created since that time, by
        our clock, are looked up before any is created again.
        """
        state = State.PLANNED if lost_since is None else State.INTENDED
        intended_at = None if lost_since is None else lost_since - _MAX_CLOCK_SKEW
        return Checkpoint(
            items=[
                Item(
                    str(context),
                    export_type.value,
                    state=state,
                    intended_at=intended_at,
                    to_probe=can_be_probed(context.kind, options),
                )
                for context in options.contexts
                for export_type in options.export_types
            ],
            started_at=now,
            deadline=now + options.deadline.total_seconds(),
            generation=generation,
            try_number=try_number,
            exports_all=exports_all,
        )

    @property
    def items(self) -> list[Item]:
        """Return every export of the batch, in order."""
        return list(self._engine.items.values())

    @property
    def options(self) -> BatchOptions:
        """Return the checked options."""
        return self._options

    @property
    def started_at(self) -> float:
        """Return when the first attempt began, in seconds since the epoch."""
        return self._checkpoint.started_at

    def resume(self, *, try_number: int, generation: int) -> None:
        """Take the batch up in a new attempt; a new generation means that a person cleared the task."""
        cleared = generation != self._checkpoint.generation
        if cleared:
            deadline = self._now() + self._options.deadline.total_seconds()
            self._checkpoint.deadline = deadline
            self._engine.limits = replace(self._engine.limits, deadline=deadline)
        self._engine.resume(cleared=cleared, now=self._now())
        self._checkpoint.try_number = try_number
        self._checkpoint.generation = generation
        self.save()

    def save(self) -> None:
        """Write the checkpoint, then report what is new in it to the log and to the observer."""
        self._checkpoint.items = self.items
        self._store_checkpoint(self._checkpoint.to_json())
        transitions = self._engine.transitions()
        self._batch_log.report(transitions)
        canvas_now = self._client.server_now().timestamp()
        self._steps.report(transitions, now=self._now(), canvas_now=canvas_now)

    def cancel(self) -> None:
        """Stop as soon as possible: uploads are aborted, the checkpoint stays, nothing in Canvas is touched."""
        self._cancelled.set()
        self._mover.cancel()
        self._unchanged.cancel()
        self._client.stop()

    def interrupt(self, error: CanvasExportsError) -> None:
        """Give every export without an outcome ``interrupted``, for the report: the error ended the attempt. A retry takes it back."""
        self._engine.interrupt(error.reason, cause_of(error))
        self.save()

    def record_polls(self, result: PollResult) -> None:
        """Apply what polling has found. Harmless if it is out of date, or comes twice."""
        by_export = {item.export_id: item for item in self.items if item.export_id is not None}
        if any(_has_moved(item, result) for item in by_export.values()):
            self._engine.apply(events.QueueMoved(self._now()))
        for export_id in result.ready:
            if export_id in by_export:
                self._engine.apply(events.Ready(by_export[export_id].name, export_id))
        for export_id, why in result.failed.items():
            if export_id in by_export:
                reason = _FAILURES.get(why, why)
                self._engine.apply(events.ExportFailed(by_export[export_id].name, export_id, reason))
        for export_id, export in result.running.items():
            if export_id in by_export:
                self._engine.apply(events.Polled(by_export[export_id].name, export))
        self.save()

    def confirm_credential(self) -> None:
        """Check the token with ``GET /api/v1/users/self``, after Canvas refused it in a triggerer.

        Raises:
            CredentialError: the credential is refused here, too (permanent).
            CanvasUnavailableError: Canvas cannot be reached (retryable).
        """
        self._client.whoami()

    def advance(self) -> Wait | None:
        """Probe, look up, create, transfer, until only waiting is left.

        Raises:
            CanvasExportsError: the batch cannot go on: Canvas or the archive refuses the credential (permanent), or Canvas
                answers no request (retryable). The checkpoint is up to date.
            Stopped: ``cancel`` was called.
        """
        self._creation_turns.begin_round()
        while True:
            if self._cancelled.is_set():
                raise TransferCancelled("the task is being stopped")
            self._engine.apply(events.Tick(self._now()))
            decisions = self._engine.decide()
            if decisions.probe:
                self._probe(decisions.probe)
                continue
            to_ask = bool(decisions.look_up or decisions.create)
            asked = to_ask and self._creation_turns.take_turns(
                self._user_id(), decisions.look_up, decisions.create
            )
            if decisions.transfer:
                self._transfer(decisions.transfer)
            elif asked:
                continue
            elif decisions.watch:
                if self._poll_once(decisions.watch):
                    continue
                self.save()
                return wait_for(
                    self._named(decisions.watch),
                    self._engine.limits,
                    self._options.waits,
                    now=self._now(),
                    wants_more=self._engine.has_room,
                    progress_log=self._progress_log(),
                )
            elif to_ask:
                self._creation_turns.next_round()
            else:
                self.save()
                return None

    def _progress_log(self) -> ProgressLog:
        done = sum(item.state is State.DONE for item in self.items)
        return ProgressLog(done, len(self.items), self._options.waits.between_log_lines)

    def _user_id(self) -> int:
        """Return the id of the token's user. Asked once in each process, which also gives Canvas's time."""
        if not self._has_asked_user:
            self._checkpoint.user_id = self._client.whoami().id
            self._has_asked_user = True
        return self._checkpoint.user_id or 0

    def _probe(self, names: tuple[str, ...]) -> None:
        """End the courses that have not changed; the others are exported."""
        user_id, exports_all = self._user_id(), self._checkpoint.exports_all
        with self._observer.span("probe", courses=len(names)):
            self._unchanged.settle(
                self._engine, names, save=self.save, user_id=user_id, exports_all=exports_all
            )

    def _transfer(self, names: tuple[str, ...]) -> None:
        """Move packages, as many at once as the slots allow; save the checkpoint after each."""
        slots = self._mover.slots
        denied: dict[str, ArchiveDeniedError] = {}
        with ThreadPoolExecutor(slots.max_width, thread_name_prefix="transfer") as pool:

            def move(name: str, *, at_once: bool = False) -> Future[events.Event]:
                future = pool.submit(self._mover.move, replace(self._engine.items[name]), at_once=at_once)
                self._moving[future] = name
                return future

            waiting, running = deque(names), set[Future[events.Event]]()
            try:
                while waiting or running:
                    while waiting and len(running) < slots.width:
                        running.add(move(waiting.popleft()))
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    running |= {move(name, at_once=True) for name in self._apply_transfers(done, denied)}
                self._check_denied(denied, enough=1)
            except BaseException as error:
                self._mover.cancel()
                for future in running:
                    future.cancel()
                if isinstance(error, (CanvasExportsError, Stopped)):  # the checkpoint is still ours
                    with suppress(Exception, Stopped):  # what was wrong before counts
                        self._apply_transfers(wait(running).done, {})
                raise
        for name, denial in denied.items():
            self._engine.apply(events.Ended(name, Outcome.INTERRUPTED, denial.reason))
        self.save()

    def _apply_transfers(
        self, done: set[Future[events.Event]], denied: dict[str, ArchiveDeniedError]
    ) -> list[str]:
        """Apply the events of finished transfers; return the names of those that are to begin again at once.

        Raises:
            BaseException: an error that concerns all transfers, after all others were applied.
        """
        again: list[str] = []
        failure: BaseException | None = None
        for future in done:
            name = self._moving.pop(future)
            if future.cancelled():
                continue
            error = future.exception()
            if isinstance(error, ArchiveDeniedError):
                denied[name] = error
                continue
            if error is not None:
                failure = failure or error
                continue
            event = future.result()
            self._engine.apply(event)
            if isinstance(event, events.TransferFailed) and event.at_once:
                again.append(event.item)
        self.save()
        if failure is not None:
            raise failure
        self._check_denied(denied, enough=_MAX_DENIED)
        return [name for name in again if self._engine.items[name].state is State.READY]

    def _check_denied(self, denied: dict[str, ArchiveDeniedError], *, enough: int) -> None:
        """Find out whether the archive denies only these packages, or all.

        Raises:
            ArchiveDeniedError: it has taken none of this batch, or nothing can be written to it (permanent).
        """
        if len(denied) < enough:
            return
        if not any(item.outcome is not None and item.outcome.has_package for item in self.items):
            raise next(iter(denied.values()))
        self._mover.check()

    def _poll_once(self, names: tuple[str, ...]) -> bool:
        """Poll once what may have finished meanwhile, before a deferral is spent on it; return whether something has."""
        result = self.poll([item.running_export(now=self._now()) for item in self._named(names)], None)
        self.record_polls(result)
        return bool(result.ready or result.failed)

    def poll(self, exports: Iterable[RunningExport], wake: WakeRule | None) -> PollResult:
        """Poll in this process, blocking it: the way without a triggerer."""

        async def run() -> PollResult:
            async with self._polling_client() as client:
                return await watch(
                    client,
                    exports,
                    wake,
                    interval=self._options.poll_interval,
                    progress_log=self._progress_log(),
                    log=lambda line: _log.info("%s", line),
                )

        return asyncio.run(run())

    def _named(self, names: tuple[str, ...]) -> list[Item]:
        return [self._engine.items[name] for name in names]


def _has_moved(item: Item, result: PollResult) -> bool:
    """Return whether polling found a change of an item's export."""
    if item.state is not State.REQUESTED or item.export_id is None:
        return False
    if item.export_id in result.ready or item.export_id in result.failed:
        return True
    export = result.running.get(item.export_id)
    return export is not None and export.completion != item.completion
