"""Poll content exports from the triggerer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict
from typing import Any, ClassVar

from airflow.triggers.base import BaseTrigger, TriggerEvent

from canvas_exports.core.export.engine.running_export import from_table, to_table
from canvas_exports.core.export.polling.canvas_queue import shared_queue
from canvas_exports.core.export.polling.interval import PollInterval
from canvas_exports.core.export.polling.poll_results import PollResult, ProgressLog, WakeRule
from canvas_exports.core.export.polling.wait import Wait
from canvas_exports.core.export.polling.watch import watch
from canvas_exports.core.model.durations import MIN_WAIT
from canvas_exports.errors import CanvasExportsError
from canvas_exports.hooks.canvas import CanvasHook
from canvas_exports.observability.trigger_gauges import observed_watch

PATH = "canvas_exports.triggers.content_export.CanvasContentExportTrigger"

#: Names in the event.
POLL_RESULT = "poll_result"
POLLED, REFUSED = "watched", "refused"


class CanvasContentExportTrigger(BaseTrigger):
    """Poll the running exports of a batch, and yield one event when there is something worth waking a worker for.

    May be moved, restarted and run twice at the same time: it changes nothing in Canvas and depends on nothing but its
    arguments. It does not download, and it does not cancel: Canvas has no way to stop an export, so there is no ``on_kill``.

    The event is ``{"status", "try_number", "poll_result"}``: ``status`` is ``watched``, or ``refused`` if Canvas refuses the
    token (the worker finds out why), and ``poll_result`` is what ``PollResult.to_json`` returns. Neither arguments nor event
    hold a token, a URL or a name.

    Arguments may have been stored by another release: unknown ones are ignored, missing ones have defaults. Where that is
    not enough, the event lets the task go on from its checkpoint.

    Args:
        canvas_conn_id: the Airflow connection of Canvas.
        watched: the running exports, as ``to_table`` returns them.
        wake: a ``WakeRule``; its deadline is absolute, so that a restart does not extend it.
        pace: a ``PollInterval``.
        try_number: the attempt that waits; the task ignores an event of another attempt.
        news: a ``ProgressLog``: what the log says while nothing happens.

    Attributes:
        min_wait: seconds before the event, where the arguments cannot be read.
    """

    min_wait: ClassVar[float] = MIN_WAIT

    def __init__(
        self,
        *,
        canvas_conn_id: str = CanvasHook.default_conn_name,
        watched: Any = (),
        wake: Mapping[str, Any] | None = None,
        pace: Mapping[str, Any] | None = None,
        try_number: int = 0,
        news: Mapping[str, Any] | None = None,
        **_of_another_release: Any,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow leaves it untyped
        self.canvas_conn_id = canvas_conn_id
        self.watched = watched
        self.wake = {} if wake is None else wake
        self.pace = {} if pace is None else pace
        self.try_number = try_number
        self.news = news

    @classmethod
    def waiting_for(
        cls, wait: Wait, *, canvas_conn_id: str, interval: PollInterval, try_number: int
    ) -> CanvasContentExportTrigger:
        """Return the trigger for the wait of a batch."""
        return cls(
            canvas_conn_id=canvas_conn_id,
            watched=to_table(wait.exports),
            wake=wait.wake.to_json(),
            pace=asdict(interval),
            try_number=try_number,
            news=asdict(wait.progress_log),
        )

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return class path and arguments, JSON values only."""
        return PATH, {
            "canvas_conn_id": self.canvas_conn_id,
            "watched": self.watched,
            "wake": self.wake,
            "pace": self.pace,
            "try_number": self.try_number,
            "news": self.news,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll, yield one event, return."""
        try:
            exports = from_table(self.watched)
            wake, interval = WakeRule.from_json(self.wake), PollInterval.from_json(self.pace)
        except ValueError as error:
            self.log.warning(
                "Arguments of another release cannot be read (%s); the task goes on from its checkpoint",
                error,
            )
            await asyncio.sleep(self.min_wait)
            yield self._event(PollResult())
            return
        result, status = PollResult(), POLLED
        try:
            async with CanvasHook(self.canvas_conn_id).async_conn() as client:
                with observed_watch(client.rate_limiter) as on_counts:
                    result = await watch(
                        client,
                        exports,
                        wake,
                        interval=interval,
                        queue=shared_queue(client.host),
                        on_counts=on_counts,
                        progress_log=ProgressLog.from_json(self.news),
                        log=lambda line: self.log.info("%s", line),
                    )
        except CanvasExportsError as error:
            self.log.warning("%s", error)
            status = REFUSED
        yield self._event(result, status)

    def _event(self, result: PollResult, status: str = POLLED) -> TriggerEvent:
        return TriggerEvent({"status": status, "try_number": self.try_number, POLL_RESULT: result.to_json()})
