"""Provide the base of all parts of the sandbox: switches, clock, background jobs, ids, addresses and the event log."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable

from canvas_sandbox.clock import Clock
from canvas_sandbox.job_queue import Job, JobQueue
from canvas_sandbox.records import Progress
from canvas_sandbox.switches import Switches

DAY = 86_400.0


def discard_event(_kind: str, **_fields: object) -> None:
    """Log nothing: what `Kernel.log_event` does in a sandbox without a state folder."""


class Kernel:
    """The parts of a running sandbox that depend on no campus. Hold ``lock`` and call `run_due_jobs` before any use.

    Attributes:
        switches: Behaviour of the server.
        time_scale: Factor on the length of jobs.
        seed: Everything random depends on it.
        clock: The only clock.
        started: When the clock started, in seconds since the epoch.
        now: The moment that `run_due_jobs` last ran for.
        lock: Guards the state of the whole sandbox.
        log_event: Records an event that comes from outside, by kind and fields; see `canvas_sandbox.replay`.
        canvas_url: Base URL of the Canvas host.
        files_url: Base URL of its second name, for downloads.
        storage_url: Base URL of the storage host.
        progresses: Progress rows by id.
        error_reports: Ids of error reports.
    """

    def __init__(self, switches: Switches, *, time_scale: float = 1.0, seed: int = 1) -> None:
        self.switches = switches
        self.time_scale = time_scale
        self.seed = seed
        self.clock = Clock(manual=switches.manual_clock, ahead=switches.clock_ahead)
        self.started = self.now = self.clock.now()
        self.lock = threading.RLock()
        self.log_event: Callable[..., None] = discard_event
        self.canvas_url = self.files_url = self.storage_url = ""
        self.progresses: dict[int, Progress] = {}
        self.error_reports = itertools.count(7001)
        self._jobs = JobQueue(switches.job_workers)
        self._progress_ids, self._file_ids = itertools.count(9001), itertools.count(70_001)

    def resume(self, started: float) -> None:
        """Continue as a sandbox that was started at ``started``. Call it before anything else has happened."""
        self.clock.resume(started)
        self.started = started

    def run_due_jobs(self, moment: float | None = None) -> float:
        """Run every job step that is due at ``moment`` (by default now) and return that moment."""
        self.now = self.clock.now() if moment is None else moment
        self._jobs.run_until(self.now)
        return self.now

    def advance(self, seconds: float) -> None:
        """Move the clock forward and run what becomes due, in order of time."""
        self.clock.advance(seconds)
        self.log_event("advanced", seconds=seconds)
        self.run_due_jobs()

    def submit(self, job: Job, moment: float) -> None:
        """Queue a background job that does not start before ``moment``."""
        self._jobs.submit(job, moment)

    def add_progress(
        self, context_id: int, user_id: int, now: float, context_type: str, tag: str
    ) -> Progress:
        """Add the Progress row of a job."""
        progress = Progress(next(self._progress_ids), context_id, user_id, now, now)
        progress.context_type, progress.tag = context_type, tag
        self.progresses[progress.id] = progress
        return progress

    def next_file_id(self) -> int:
        """Return an unused file id."""
        return next(self._file_ids)
