"""A Canvas whose exports change with a clock that only sleeping moves, and polling against it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone

from canvas_exports.core.canvas.api.models import (
    Attachment,
    ContentExport,
    ExportState,
    Progress,
    ProgressState,
    User,
)
from canvas_exports.core.export.engine.running_export import RunningExport
from canvas_exports.core.export.polling.interval import PollInterval
from canvas_exports.core.export.polling.poll_results import PollResult, WakeRule
from canvas_exports.core.export.polling.watch import watch
from canvas_exports.core.model.contexts import Context
from canvas_exports.errors import (
    CanvasUnavailableError,
    CredentialError,
    NotFoundError,
)

EPOCH = datetime(2026, 11, 23, tzinfo=timezone.utc)


PACKAGE = Attachment(id=1, filename="x.imscc", size=1, url="https://canvas.test/files/1/download")


class Canvas:
    """A Canvas whose exports change with a clock that only sleeping moves."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.done_at: dict[int, float] = {}
        self.ends: dict[int, ExportState | Exception] = {}
        self.package: Attachment | None = PACKAGE
        self.broken_until = 0.0
        self.no_progress = False
        self.asked_who = 0
        self.revoked: CredentialError | None = None
        self.starts_at: dict[int, float] = {}
        self.looks: list[tuple[float, str, int]] = []
        self.sleeps: list[float] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.sleeps.append(seconds)
        self.time += seconds

    async def progress(self, progress_id: int) -> Progress:
        self.looks.append((self.time, "progress", progress_id))
        if self.time < self.broken_until:
            raise CanvasUnavailableError("maintenance", status=503)
        if self.no_progress:
            raise NotFoundError("no such progress", status=404)
        if self.time < self.starts_at.get(progress_id, 0.0):
            return Progress(progress_id, ProgressState.QUEUED, None)
        left = self.done_at.get(progress_id, 1e12) - self.time
        if left > 0:
            return Progress(progress_id, ProgressState.RUNNING, max(0.0, 100.0 - left))
        return Progress(progress_id, ProgressState.COMPLETED, 100.0)

    async def whoami(self) -> User:
        self.asked_who += 1
        if self.time < self.broken_until:
            raise CanvasUnavailableError("maintenance", status=503)
        if self.revoked is not None:
            raise self.revoked
        return User(1, "admin")

    async def show_export(self, context: Context, export_id: int) -> ContentExport:
        assert str(context) == f"course:{export_id}"
        self.looks.append((self.time, "show", export_id))
        if self.time < self.broken_until:
            raise CanvasUnavailableError("maintenance", status=503)
        end = self.ends.get(export_id, ExportState.EXPORTED)
        if isinstance(end, Exception):
            raise end
        if self.time < self.done_at.get(export_id, 1e12):
            end = (
                ExportState.CREATED
                if self.time < self.starts_at.get(export_id, 0.0)
                else ExportState.EXPORTING
            )
        return ContentExport(export_id, EPOCH, "common_cartridge", end, attachment=self.package)


def watched(number: int, *, created_at: float = 1000.0) -> RunningExport:
    return RunningExport(f"course:{number}", number, number, created_at=created_at, changed_at=created_at)


def in_vain(number: int) -> RunningExport:
    """An export whose Progress was over when a worker came, and which was not ready."""
    return replace(watched(number), completion=100.0)


def wake(**changes: float) -> WakeRule:
    values: dict[str, float] = {
        "enough": 2,
        "batch_delay": 30,
        "min_wait": 10,
        "stall_after": 3600,
        "deadline": 1e9,
    }
    return WakeRule(**{**values, **changes})  # type: ignore[arg-type]  # one kind of number


async def run(
    canvas: Canvas,
    exports: list[RunningExport],
    until: WakeRule | None,
    uniform: Callable[[], float] = lambda: 0.5,
) -> PollResult:
    return await watch(
        canvas,
        exports,
        until,
        interval=PollInterval(5, 60),
        now=canvas.now,
        sleep=canvas.sleep,
        uniform=uniform,
    )
