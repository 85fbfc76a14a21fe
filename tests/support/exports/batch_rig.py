"""A batch against a sandbox and a folder, through as many processes as its deaths make."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from canvas_exports.core.canvas.async_client import AsyncCanvasClient
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.canvas.http.rate_limiter import RateLimiter
from canvas_exports.core.export.batch import Batch
from canvas_exports.core.export.changes.probe import Reading
from canvas_exports.core.export.changes.skipping import UnchangedCourses
from canvas_exports.core.export.engine.checkpoint import Checkpoint
from canvas_exports.core.export.engine.items import Item
from canvas_exports.core.export.options import build_options
from canvas_exports.core.export.replicas import Replicas
from canvas_exports.core.export.transfer import PackageMover
from canvas_exports.core.export.waits import Waits
from canvas_exports.core.model.runs import RunInfo
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.store import Store
from canvas_sandbox import Course, ExportRecord, Fault, LimitedFault, Sandbox, Switches

POSTS = r"/content_exports$"
BOTH = {"course:100": 1, "course:101": 1}
STORED = {"course:100": "stored", "course:101": "stored"}

WAITS = Waits(before_transfers=(0.0, 0.001, 0.001), between_rounds=0.01, batch_delay=0.02, min_wait=0.01)
RUN = RunInfo("campus_backup", "manual__2026-11-23", "export", date(2026, 11, 23))
QUICK = Switches(job_workers=50, duration=0.02, throttle=False)


def course(
    number: int, *faults: Fault | LimitedFault, size: int = 1_000, duration: float | None = None
) -> Course:
    return Course(
        id=number,
        name=f"Biology {number}",
        course_code=f"BIO-{number}",
        sis_course_id=f"BIO/{number}",
        size=size,
        duration=duration,
        faults=faults,
    )


def sandbox(*courses: Course, switches: Switches = QUICK) -> Sandbox:
    return Sandbox(courses, switches=switches)


def client(canvas: Sandbox, token: str | None = None) -> CanvasClient:
    """A client that asks twice at most, and for which time flies, so that it hardly waits."""
    return CanvasClient(
        canvas.url,
        token or canvas.token,
        rate_limiter=RateLimiter(clock=hurried),
        attempts=2,
        clock=hurried,
        sleep=nap,
    )


def hurried() -> float:
    """A second takes a millisecond."""
    return 1000 * time.monotonic()


def nap(seconds: float) -> None:
    time.sleep(seconds / 1000)


async def nod(seconds: float) -> None:
    await asyncio.sleep(seconds / 1000)


def creations(canvas: Sandbox) -> Counter[str]:
    """Exports that Canvas was made to create, by context."""
    return Counter(export.context for export in canvas.exports)


def asked(canvas: Sandbox, method: str, path: str) -> int:
    """Requests of this kind that reached Canvas or its storage."""
    return sum(
        record.method == method and re.search(path, record.path) is not None for record in canvas.requests
    )


def most_at_once(exports: Iterable[ExportRecord]) -> int:
    """How many exports Canvas was working on at the same time, by its own records."""
    changes = [(export.created_at, 1) for export in exports]
    changes += [(export.finished_at, -1) for export in exports if export.finished_at is not None]
    running = most = 0
    for _, change in sorted(changes):
        running += change
        most = max(most, running)
    return most


class KilledError(BaseException):
    """The process is gone: nothing that it does from here on has an effect on the checkpoint."""


class Rig:
    """One batch, and everything it is made of.

    Args:
        canvas: a running sandbox.
        folder: the archive.
        die_at: the saves, counted through all processes, at which the process dies.
        stored: whether the checkpoint of such a save is still stored.
        waits: of the batch.
        run: of the batch.
        also: the folders of further archives.
        readings: when its courses were last updated, as their list said.
        arguments: of ``build_options``.
    """

    def __init__(
        self,
        canvas: Sandbox,
        folder: Path,
        *,
        die_at: Container[int] = (),
        stored: bool = True,
        waits: Waits = WAITS,
        run: RunInfo = RUN,
        also: Sequence[Path] = (),
        readings: Mapping[str, Reading] | None = None,
        **arguments: Any,
    ) -> None:
        options = build_options(**{"courses": ["100", "101"], **arguments})
        self.options = replace(options, poll_shortest=0.01, poll_longest=0.02, waits=waits)
        self.canvas = canvas
        self.folder = folder
        self.store = FileStore(folder.as_uri(), folder)
        self.stores: list[Store] = [self.store, *(FileStore(each.as_uri(), each) for each in also)]
        self.run = run
        self.token = canvas.token
        self.readings = readings or {}
        self.saves = 0
        self.deaths = 0
        self.attempts = 0
        self.mover: PackageMover
        self._die_at = die_at
        self._stored = stored
        self._dead = False
        self.written = json.dumps(Batch.start(self.options, now=time.time()).to_json())

    @contextmanager
    def process(self) -> Iterator[Batch]:
        """A new process, which knows nothing but the last checkpoint."""
        checkpoint = Checkpoint.from_json(json.loads(self.written))
        assert checkpoint is not None
        self._dead = False
        with closing(client(self.canvas, self.token)) as canvas:
            replicas = Replicas(self.stores)
            run = replace(self.run, try_number=max(1, self.attempts))
            self.mover = PackageMover(canvas, replicas, self.options, run)
            yield Batch(
                client=canvas,
                polling_client=lambda: AsyncCanvasClient(
                    self.canvas.url,
                    self.token,
                    rate_limiter=RateLimiter(clock=hurried),
                    attempts=2,
                    clock=hurried,
                    sleep=nod,
                ),
                mover=self.mover,
                options=self.options,
                checkpoint=checkpoint,
                save=self._save,
                unchanged=UnchangedCourses(
                    canvas, replicas, self.options, run, readings=lambda: self.readings
                ),
            )

    def lose_the_checkpoint(self, *, since: float) -> None:
        """As if Airflow's state store had been emptied; the run began at ``since``."""
        self.written = json.dumps(
            Batch.start(self.options, now=time.time(), try_number=2, lost_since=since).to_json()
        )

    def run_to_end(self) -> dict[str, str]:
        """Attempt after attempt until every export has its outcome; the outcomes by context."""
        while True:
            self.attempts += 1
            with self.process() as batch, suppress(KilledError):
                return outcomes(self.finish(batch))
            self.deaths += 1

    @staticmethod
    def finish(batch: Batch) -> list[Item]:
        """Advance and wait in turn until the batch has ended."""
        while (wait := batch.advance()) is not None:
            batch.record_polls(batch.poll(wait.exports, wait.wake))
        return batch.items

    def packages(self) -> Counter[str]:
        """Stored packages by course, each with its manifest, and nothing half beside them."""
        files = [path for path in self.folder.glob("courses/*/*") if path.suffix != ".json"]
        assert all(path.suffix in (".imscc", ".zip") for path in files), files
        assert all(path.with_suffix(".json").exists() for path in files)
        return Counter(f"course:{path.parent.name}" for path in files)

    def _save(self, document: dict[str, Any]) -> None:
        if self._dead:
            raise KilledError
        self.saves += 1
        self._dead = self.saves in self._die_at
        if self._stored or not self._dead:
            self.written = json.dumps(document)
        if self._dead:
            raise KilledError


def outcomes(items: Sequence[Item]) -> dict[str, str]:
    return {item.context: item.outcome.value if item.outcome else item.state.value for item in items}
