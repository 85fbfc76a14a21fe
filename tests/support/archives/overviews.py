"""Overviews of archives, read at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from tests.support.archives.random_archives import NOW

from canvas_exports.core.reports.overview.archive_overview import ArchiveOverview, View
from canvas_exports.core.reports.overview.snapshot import Snapshot
from canvas_exports.core.storage.store import Store


class Overview(ArchiveOverview):
    """An overview whose clock a test sets, and that waits for its readings."""

    def __init__(self, store: Store, now: datetime = NOW) -> None:
        self.now = now
        super().__init__(lambda: store, clock=lambda: self.now)

    def read(self) -> View:
        """Read the archive, and wait for the end."""
        self.view(wait=60)
        reading = self._reading
        if reading is not None:
            reading.join(60)
        return self.view()

    def refresh(self) -> Snapshot:
        """Read the archive again."""
        self.now += timedelta(hours=1)
        view = self.read()
        assert view.problem is None, view.problem
        assert view.snapshot is not None
        return view.snapshot


@contextmanager
def overview_of(store: Store, now: datetime = NOW) -> Iterator[Overview]:
    overview = Overview(store, now)
    try:
        yield overview
    finally:
        overview.close()


@contextmanager
def snapshot_of(store: Store, now: datetime = NOW) -> Iterator[Snapshot]:
    with overview_of(store, now) as overview:
        view = overview.read()
        assert view.problem is None, view.problem
        assert view.snapshot is not None
        yield view.snapshot
