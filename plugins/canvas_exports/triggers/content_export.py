"""Watch content exports from the triggerer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from canvas_exports.core.export.polling import wait
from canvas_exports.core.export.polling.canvas_queue import shared_queue
from canvas_exports.core.export.polling.interval import Pace
from canvas_exports.core.export.polling.poll_results import News, Sightings, Wake, Watched
from canvas_exports.core.export.polling.wait import Pause
from canvas_exports.core.export.polling.watch import watch
from canvas_exports.errors import CanvasExportsError
from canvas_exports.hooks.canvas import CanvasHook
from canvas_exports.observability.trigger_gauges import observed_watch

PATH = "canvas_exports.triggers.content_export.CanvasContentExportTrigger"


class CanvasContentExportTrigger(BaseTrigger):
    """Poll exports in flight and speak once, when there is something worth waking a worker for.

    One trigger watches a whole batch. It survives being moved, restarted and run twice at the same time: it changes
    nothing in Canvas and remembers nothing that its arguments do not say. It does not download, and it does not cancel:
    Canvas knows no way to stop an export, so there is no ``on_kill``.

    The one event is ``{"status", "try_number", "sightings"}``; ``status`` is ``watched``, or ``refused`` where the token no
    longer works (the worker finds out why). Neither arguments nor event hold a token, a URL or a name.

    A deferral may have been written by another release of this software: arguments it does not know are ignored, those that
    are missing are usual, and where that is not enough, the event lets the task go on from its checkpoint.

    Args:
        canvas_conn_id: the Airflow connection of Canvas.
        watched: rows of ``Watched.to_json``.
        wake: fields of ``Wake``; its deadline is absolute, so that a restart does not extend it.
        pace: fields of ``Pace``.
        try_number: the attempt that waits; an event of another attempt is ignored.
        news: fields of ``News``: what the log says while nothing happens.
    """

    def __init__(
        self,
        *,
        canvas_conn_id: str = CanvasHook.default_conn_name,
        watched: Sequence[Any] = (),
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
        cls, pause: Pause, *, canvas_conn_id: str, pace: Pace, try_number: int
    ) -> CanvasContentExportTrigger:
        """The trigger for a pause of a batch."""
        return cls(
            canvas_conn_id=canvas_conn_id,
            watched=[one.to_json() for one in pause.watched],
            wake=asdict(pause.wake),
            pace=asdict(pace),
            try_number=try_number,
            news=asdict(pause.news),
        )

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments, JSON values only."""
        return PATH, {
            "canvas_conn_id": self.canvas_conn_id,
            "watched": self.watched,
            "wake": self.wake,
            "pace": self.pace,
            "try_number": self.try_number,
            "news": self.news,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Watch, yield one event, return."""
        status, sightings = "watched", Sightings()
        try:
            watched = [Watched.from_json(row) for row in self.watched]
            wake, pace = Wake.from_json(self.wake), Pace.from_json(self.pace)
        except (TypeError, ValueError) as error:
            self.log.warning(
                "Another release wrote down what to wait for (%s); the task goes on from its checkpoint",
                error,
            )
            await asyncio.sleep(wait.DWELL)
            yield TriggerEvent(
                {"status": status, "try_number": self.try_number, "sightings": sightings.to_json()}
            )
            return
        try:
            async with CanvasHook(self.canvas_conn_id).async_conn() as client:
                with observed_watch(client.rate_limiter) as tell:
                    sightings = await watch(
                        client,
                        watched,
                        wake,
                        pace=pace,
                        queue=shared_queue(client.host),
                        tell=tell,
                        news=News.from_json(self.news),
                        say=lambda text: self.log.info("%s", text),
                    )
        except CanvasExportsError as error:
            self.log.warning("%s", error)
            status = "refused"
        yield TriggerEvent(
            {"status": status, "try_number": self.try_number, "sightings": sightings.to_json()}
        )
