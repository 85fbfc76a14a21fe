"""Wait for an import, or for the export of a drill, in the triggerer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, ClassVar

from airflow.triggers.base import BaseTrigger, TriggerEvent

from canvas_exports.core.model.durations import MIN_WAIT
from canvas_exports.core.restore.wait import CanvasJob, wait_for
from canvas_exports.errors import CanvasExportsError
from canvas_exports.hooks.canvas import CanvasHook

PATH = "canvas_exports.triggers.restore.CanvasRestoreTrigger"


class CanvasRestoreTrigger(BaseTrigger):
    """Poll one job of Canvas, and fire one event when it is over or at its deadline.

    Can be moved, restarted and run twice at the same time: it changes nothing in Canvas, and its arguments are its whole
    state. Does not cancel: Canvas has no call to stop an import, so there is no ``on_kill``.

    The event is ``{"status", "try_number"}``; ``status`` is ``watched``, or ``refused`` if the token no longer works. The
    worker reads the result from Canvas. Neither arguments nor event hold a token, a URL or a name. The arguments may be those
    of another release.

    Args:
        canvas_conn_id: the Airflow connection of Canvas.
        waiting: fields of ``CanvasJob``, as a row; its deadline is absolute, so that a restart does not extend it.
        pace: seconds between two polls, at least and at most.
        try_number: the attempt that waits.
    """

    #: Seconds before the event at the earliest.
    min_wait: ClassVar[float] = MIN_WAIT

    def __init__(
        self,
        *,
        canvas_conn_id: str = CanvasHook.default_conn_name,
        waiting: Sequence[Any] = (),
        pace: Sequence[float] = (5.0, 60.0),
        try_number: int = 0,
        **_of_another_release: Any,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow leaves it untyped
        self.canvas_conn_id = canvas_conn_id
        self.waiting = waiting
        self.pace = pace
        self.try_number = try_number

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return class path and arguments, JSON values only."""
        return PATH, {
            "canvas_conn_id": self.canvas_conn_id,
            "waiting": self.waiting,
            "pace": self.pace,
            "try_number": self.try_number,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll, yield one event, return."""
        status = "watched"
        try:
            job = CanvasJob.from_json(self.waiting)
            shortest, longest = map(float, self.pace)
        except (TypeError, ValueError) as error:
            self.log.warning(
                "Another release wrote the arguments of this trigger (%s); the worker resumes", error
            )
            await asyncio.sleep(self.min_wait)
            yield TriggerEvent({"status": status, "try_number": self.try_number})
            return
        try:
            async with CanvasHook(self.canvas_conn_id).async_conn() as client:
                await wait_for(client, job, shortest=shortest, longest=longest, min_wait=self.min_wait)
        except CanvasExportsError as error:
            self.log.warning("%s", error)
            status = "refused"
        yield TriggerEvent({"status": status, "try_number": self.try_number})
