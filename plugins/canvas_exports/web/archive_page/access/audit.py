"""Write to Airflow's audit log who looked into which package."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import OrderedDict

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.models.log import Log
from airflow.utils.session import create_session
from fastapi import HTTPException, status
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.exc import SQLAlchemyError

log = logging.getLogger(__name__)

#: Events in the audit log.
OPENED, DOWNLOADED, COMPARED, SEARCHED = (
    "canvas_archive_open",
    "canvas_archive_download",
    "canvas_archive_compare",
    "canvas_archive_search",
)

#: The same look of the same user is written again after this time: a film is read in hundreds of requests.
REPEATED_AFTER = 600.0  # seconds

_LONGEST = 1_000  # characters of one detail
_MOST_REMEMBERED = 10_000


class _Recent:
    """What was written in the last minutes. Thread-safe, in bounded memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._written: OrderedDict[tuple[str, ...], float] = OrderedDict()

    def holds(self, look: tuple[str, ...]) -> bool:
        with self._lock:
            at = self._written.get(look)
            return at is not None and time.monotonic() - at < REPEATED_AFTER

    def add(self, look: tuple[str, ...]) -> None:
        with self._lock:
            self._written[look] = time.monotonic()
            self._written.move_to_end(look)
            while len(self._written) > _MOST_REMEMBERED:
                self._written.popitem(last=False)


_recent = _Recent()


async def write_audit(user: BaseUser, event: str, **details: str) -> None:
    """Write one entry and commit it, before anything is shown. The same look is written once in ten minutes.

    Args:
        user: who looks.
        event: one of the events above.
        details: which archive, course, copy and part of it.

    Raises:
        HTTPException: 503, it could not be written. Then nothing may be shown.
    """
    extra = {key: text[:_LONGEST] for key, text in details.items() if text}
    look = (event, user.get_id(), json.dumps(extra, sort_keys=True))
    if not _recent.holds(look):
        try:
            await run_in_threadpool(_write, user.get_name(), event, json.dumps(extra))
        except SQLAlchemyError:
            log.exception("Airflow's audit log cannot be written, so no content is shown.")
            raise HTTPException(
                status.HTTP_503_SERVICE_UNAVAILABLE,
                "Airflow's audit log cannot be written, so nothing is shown. Try again later.",
            ) from None
        _recent.add(look)


def _write(name: str, event: str, extra: str) -> None:
    with create_session() as session:
        session.add(Log(event=event, owner=name, owner_display_name=name, extra=extra))
