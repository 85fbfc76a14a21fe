"""Poll an import from the triggerer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, ClassVar

from airflow.triggers.base import BaseTrigger, TriggerEvent

from canvas_exports.core.restore.wait import DWELL, Waiting, wait_for
from canvas_exports.errors import CanvasExportsError
from canvas_exports.hooks.canvas import CanvasHook

PATH = "canvas_exports.triggers.restore.CanvasRestoreTrigger"


class CanvasRestoreTrigger(BaseTrigger):
    """Poll one import, and yield one event when Canvas is done with it or its deadline has passed.

    May be moved, restarted and run twice at the same time: it changes nothing in Canvas and depends on nothing but its
    arguments. It does not cancel: Canvas has no way to stop an import, so there is no ``on_kill``.

    The event is ``{"status", "try_number"}``: ``status`` is ``watched``, or ``refused`` if Canvas refuses the token. The
    worker reads what became of the import. Neither arguments nor event hold a token, a URL or a name. Arguments may have
    been stored by another release, as with exports.

    Args:
        canvas_conn_id: the Airflow connection of Canvas.
        waiting: fields of ``Waiting``, as a row; its deadline is absolute, so that a restart does not extend it.
        pace: seconds between two polls, at least and at most.
        try_number: the attempt that waits.

    Attributes:
        min_wait: seconds to wait in any case.
    """

    min_wait: ClassVar[float] = DWELL

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
            waiting = Waiting.from_json(self.waiting)
            shortest, longest = map(float, self.pace)
        except (TypeError, ValueError) as error:
            self.log.warning(
                "Arguments of another release cannot be read (%s); the task goes on by itself", error
            )
            await asyncio.sleep(self.min_wait)
            yield TriggerEvent({"status": status, "try_number": self.try_number})
            return
        try:
            async with CanvasHook(self.canvas_conn_id).async_conn() as client:
                await wait_for(client, waiting, shortest=shortest, longest=longest, dwell=self.min_wait)
        except CanvasExportsError as error:
            self.log.warning("%s", error)
            status = "refused"
        yield TriggerEvent({"status": status, "try_number": self.try_number})
