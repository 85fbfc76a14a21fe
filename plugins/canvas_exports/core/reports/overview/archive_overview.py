"""Keep a snapshot of one archive fresh: read it in a thread of its own, and answer at once from the last reading."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory

from canvas_exports.core.reports.overview.queries.runs import runs_value
from canvas_exports.core.reports.overview.reading.contexts import StoppedError, read_contexts
from canvas_exports.core.reports.overview.reading.derive import derive
from canvas_exports.core.reports.overview.reading.outcomes import read_outcomes
from canvas_exports.core.reports.overview.reading.run_documents import find_run_documents
from canvas_exports.core.reports.overview.reading.runs import read_runs
from canvas_exports.core.reports.overview.snapshot import Snapshot
from canvas_exports.core.reports.overview.tables import create_tables, to_seconds, transaction
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import CanvasExportsError

CACHE_TIME = timedelta(minutes=5)

_FIRST_REST = timedelta(seconds=30)  # after a reading that failed

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class View:
    """What can be shown of an archive now.

    Attributes:
        snapshot: of the last reading that ended well; ``None`` before the first.
        age: of that snapshot; ``None`` without one.
        is_reading: the archive is being read at this moment.
        problem: why the last reading failed, in one sentence for people; ``None`` if it ended well.
        failed_at: when it failed.
    """

    snapshot: Snapshot | None
    age: timedelta | None
    is_reading: bool
    problem: str | None = None
    failed_at: datetime | None = None


class ArchiveOverview:
    """The overview of one archive. Thread-safe.

    The archive is read when ``view`` is called and the last reading is older than the cache time, by one thread at a time, and
    only as far as it has changed. Nothing is written to it. The snapshot is a file in a temporary folder of this process; memory
    is bounded, whatever the size of the archive.

    Args:
        open_store: opens the archive; called in the thread that reads, for each reading.
        cache_time: how long a reading is good for.
        clock: returns the time.
    """

    def __init__(
        self,
        open_store: Callable[[], Store],
        *,
        cache_time: timedelta = CACHE_TIME,
        clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self._open_store = open_store
        self._cache_time = cache_time
        self._clock = clock
        self._lock = threading.Lock()
        self._reading: threading.Thread | None = None
        self._is_stopped = False
        self._folder: TemporaryDirectory[str] | None = None
        self._writer: sqlite3.Connection | None = None
        self._snapshot: Snapshot | None = None
        self._read_at: datetime | None = None
        self._problem: str | None = None
        self._failed_at: datetime | None = None

    def view(self, *, wait: float = 0.0) -> View:
        """Return what is known now, and begin to read the archive if that is too old.

        Args:
            wait: seconds to wait for a reading under way if there is no snapshot yet. With one, nobody waits.
        """
        with self._lock:
            if self._snapshot is not None and not self._snapshot.path.exists():
                self._snapshot = self._read_at = (
                    None  # a program that cleans the temporary folder has deleted it
                )
            if self._reading is None and self._is_due():
                self._reading = threading.Thread(target=self._read, name="archive overview", daemon=True)
                self._reading.start()
            reading = self._reading if self._snapshot is None else None
        if reading is not None and wait > 0:
            reading.join(wait)
        with self._lock:
            return View(
                self._snapshot,
                None if self._read_at is None else max(timedelta(0), self._clock() - self._read_at),
                self._reading is not None,
                self._problem,
                self._failed_at,
            )

    def close(self) -> None:
        """Stop reading, and delete the snapshot once nothing reads the archive any more."""
        with self._lock:
            self._is_stopped = True
            reading = self._reading
        if reading is None:
            self._delete()

    def _is_due(self) -> bool:
        if self._is_stopped:
            return False
        if self._failed_at is not None:
            return self._clock() - self._failed_at >= min(_FIRST_REST, self._cache_time)
        return self._read_at is None or self._clock() - self._read_at >= self._cache_time

    def _read(self) -> None:
        """Read the archive; of every exception, the overview keeps a sentence."""
        problem, snapshot = None, self._snapshot
        began = self._clock()
        try:
            snapshot = self._refresh(began)
        except StoppedError:
            problem = "the overview was closed"
        except CanvasExportsError as error:
            problem = error.message
            log.warning("the overview of an archive is not up to date: %s", problem)
        except (sqlite3.Error, OSError) as error:
            problem = f"the temporary file of the overview cannot be written: {type(error).__name__}"
            log.warning("%s", problem)
        except Exception:
            problem = "the archive could not be read, for a reason that the log of the API server has"
            log.exception("the overview of an archive is not up to date")
        with self._lock:
            self._reading = None
            self._problem = problem
            self._failed_at = None if problem is None else self._clock()
            if problem is None:
                self._snapshot, self._read_at = snapshot, began
            is_stopped = self._is_stopped
        if is_stopped:
            self._delete()

    def _refresh(self, now: datetime) -> Snapshot:
        if self._writer is None or not self._path.exists():
            self._delete()
            self._folder = TemporaryDirectory(prefix="canvas-exports-overview-", ignore_cleanup_errors=True)
            self._writer = create_tables(self._path)
        writer, stopped = self._writer, lambda: self._is_stopped
        first = writer.execute("SELECT 1 FROM snapshot").fetchone() is None
        with self._open_store() as store:
            with transaction(writer, keep_partial=first):
                found = find_run_documents(store, now=now)
                changed = read_contexts(writer, store, now=now, with_index=first, is_stopped=stopped)
                read_runs(writer, store, found, is_stopped=stopped)
                changed = read_outcomes(writer, store, found, is_stopped=stopped) or changed
                if changed or first:
                    derive(writer)
                writer.execute("DELETE FROM snapshot")
                writer.execute(
                    "INSERT INTO snapshot VALUES (?, ?, ?)", (to_seconds(now), store.uri, runs_value(found))
                )
            return Snapshot(self._path, store.uri, now, self._clock)

    @property
    def _path(self) -> Path:
        assert self._folder is not None
        return Path(self._folder.name) / "snapshot.sqlite"

    def _delete(self) -> None:
        with suppress(sqlite3.Error):
            if self._writer is not None:
                self._writer.close()
        if self._folder is not None:
            self._folder.cleanup()
