"""Open the configured archives, and read each in few threads of its own: a slow one holds no other page up."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from functools import lru_cache
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from canvas_exports.core.reports.overview.archive_overview import ArchiveOverview, View
from canvas_exports.core.reports.overview.snapshot import Snapshot
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import ArchiveDeniedError, ArchiveUnavailableError
from canvas_exports.hooks.archive import open_location
from canvas_exports.hooks.archive_location import find_location
from canvas_exports.web.archive_page.settings.configuration import (
    Configuration,
    NamedArchive,
    read_configuration,
)
from canvas_exports.web.archive_page.transfers import Transfer, Transfers

log = logging.getLogger(__name__)

T = TypeVar("T")

_THREADS = 4  # of an archive, for what is read for pages
_LONG = 2  # of an archive, for comparisons and searches, which may take a minute
_MOST_WAITING = 32  # requests for one archive
_PATIENCE = 30.0  # seconds that a page waits for the store
_REOPEN = 900.0  # seconds: afterwards a changed connection counts
_FIRST_WAIT = 10.0  # seconds that a page waits for the first reading


class NotReadYetError(Exception):
    """The archive was not read yet.

    Args:
        problem: why reading failed; ``None`` while it goes on.
    """

    def __init__(self, problem: str | None) -> None:
        super().__init__(problem)
        self.problem = problem


class OpenArchive:
    """An archive that the administrator named.

    Args:
        archive: its name and place.

    Attributes:
        archive: likewise.
    """

    def __init__(self, archive: NamedArchive) -> None:
        self.archive = archive
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix=f"archive-{archive.name}")
        self._long = ThreadPoolExecutor(_LONG, thread_name_prefix=f"long-{archive.name}")
        self._queries = ThreadPoolExecutor(_THREADS, thread_name_prefix=f"snapshot-{archive.name}")
        self._transfers = Transfers(archive.name)
        self._lock = threading.Lock()
        self._opened: tuple[float, Store] | None = None
        self._waiting = 0
        self._overview = ArchiveOverview(
            self._open, cache_time=timedelta(seconds=configuration().cache_seconds)
        )

    def _open(self) -> Store:
        return open_location(find_location(self.archive.place))

    async def ask(self, query: Callable[[Snapshot], T]) -> tuple[T, View]:
        """Return what ``query`` finds in the snapshot of the archive, and how old that is. Nobody waits for the store.

        Raises:
            NotReadYetError: there is no snapshot yet.
        """

        def work() -> tuple[T, View]:
            view = self._overview.view(wait=_FIRST_WAIT)
            if view.snapshot is None:
                raise NotReadYetError(view.problem)
            return query(view.snapshot), view

        return await asyncio.get_running_loop().run_in_executor(self._queries, work)

    def store(self) -> Store:
        """Return its store. Opened again after a quarter of an hour, so that a changed connection counts. Blocks.

        Raises:
            InputError: the connection is missing or malformed (permanent).
        """
        with self._lock:
            now = time.monotonic()
            if self._opened is None or now - self._opened[0] > _REOPEN:
                # The former one is not closed: a thread may be reading with it.
                self._opened = (now, self._open())
            return self._opened[1]

    async def run(self, work: Callable[[Store], T], *, is_long: bool = False) -> T:
        """Return what ``work`` reads, in one of the archive's threads.

        Args:
            work: reads.
            is_long: whether it may take long; then it has threads of its own, and pages do not wait for it.

        Raises:
            ArchiveUnavailableError: the store takes longer than half a minute, or many requests wait for it (retryable).
            CanvasExportsError: what opening the archive, or ``work``, raises.
        """
        with self._lock:  # threads count it down
            if self._waiting >= _MOST_WAITING:
                raise ArchiveUnavailableError(
                    f"{self._waiting} requests wait for this archive; try again later"
                )
            self._waiting += 1
        future: Future[T] = (self._long if is_long else self._threads).submit(self._work, work)
        future.add_done_callback(self._done)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), _PATIENCE)
        except asyncio.TimeoutError:
            raise ArchiveUnavailableError(
                f"the store has not answered for {_PATIENCE:.0f} s; try again later"
            ) from None

    def _work(self, work: Callable[[Store], T]) -> T:
        try:
            return work(self.store())
        except ArchiveDeniedError:
            with self._lock:
                self._opened = None  # its credentials may have expired
            raise

    def _done(self, _: Future[T]) -> None:
        with self._lock:
            self._waiting -= 1

    async def send(self, open_blocks: Callable[[Store], Iterable[bytes]]) -> Transfer:
        """Start reading blocks, and return them as a transfer, see ``Transfers.start``."""
        return await self._transfers.start(lambda: open_blocks(self.store()))


def may_write(uri: str) -> bool:
    """Return whether this process is known to have the right to write to an archive: of a folder, without writing."""
    parts = urlsplit(uri)
    return parts.scheme == "file" and os.access(unquote(parts.path), os.W_OK)


@lru_cache
def configuration() -> Configuration:
    """Return the configuration, read with the first request."""
    found = read_configuration()
    for problem in found.problems:
        log.warning("[canvas_exports] %s", problem)
    return found


@lru_cache
def _archives() -> dict[str, OpenArchive]:
    return {archive.name: OpenArchive(archive) for archive in configuration().archives}


def open_archive(name: str) -> OpenArchive | None:
    """Return a configured archive by its name; ``None`` for any other name. Opens nothing yet."""
    return _archives().get(name)
