"""The job of one export, in Canvas's order of writes."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass

from canvas_sandbox.faults import Fault
from canvas_sandbox.records import Attachment, Export, Progress

CARTRIDGE_STEPS = (5, 10, 20, 25, 15, 30, 32, 35, 37, 40, 60, 70, 89, 91, 92, 93)
"""Completion of a cartridge, write by write. It is not monotonic: 25 is followed by 15."""
QTI_STEPS = (5, 60)
ZIP_STEPS = (20, 40, 60, 80)
_EXPORTED = {"course_copy": "exported_for_course_copy"}
_STEPS = {"common_cartridge": CARTRIDGE_STEPS, "qti": QTI_STEPS, "zip": ZIP_STEPS}

_WORK = 0.92
"""Share of the duration in which completion moves. After it come the attachment, the Progress and last the export."""
_ATTACHED, _COMPLETED = 0.94, 0.97
_REGRESSION_AT = 60.0
_REGRESSION_TO = 2.0


@dataclass(frozen=True)
class ExportJob:
    """The work of a worker on one export.

    Attributes:
        export: The export.
        progress: Its progress.
        duration: Seconds from start to end.
        attach: Builds the package and returns its row; ``None`` if there is nothing to pack, which fails the export.
        hold_when_stuck: Whether a job that never ends occupies its worker.
    """

    export: Export
    progress: Progress
    duration: float
    attach: Callable[[float], Attachment | None]
    hold_when_stuck: bool

    def run(self, start: float) -> Generator[float, None, None]:
        """Run the job. Yields the time of each next write."""
        faults, export, progress = self.export.faults, self.export, self.progress
        if Fault.STUCK_WAITING in faults:
            export.workflow_state = progress.workflow_state = "waiting_for_external_tool"
            yield from self._hang()
            return
        export.workflow_state = "exporting"
        progress.reset(start)
        progress.write(start, "running")
        steps = self._completions()
        broken = len(steps) // 2 if faults & {Fault.EXPORT_FAILS, Fault.STUCK_EXPORTING} else len(steps)
        for number, completion in enumerate(steps[:broken], start=1):
            moment = start + self.duration * _WORK * number / len(steps)
            yield moment
            progress.write(moment, completion=completion)
        if Fault.STUCK_EXPORTING in faults:
            yield from self._hang()
            return
        yield from self._finish(start)

    def _finish(self, start: float) -> Generator[float, None, None]:
        """Write attachment, Progress and export, in this order. A file package is attached only with the final state."""
        export, progress, faults = self.export, self.progress, self.export.faults
        early = export.export_type != "zip"
        moment = start + self.duration * _ATTACHED
        yield moment
        package = None if Fault.EXPORT_FAILS in faults else self.attach(moment)
        attached = package is not None and Fault.NO_ATTACHMENT not in faults
        if early and attached:
            export.attachment = package
        moment = start + self.duration * _COMPLETED
        yield moment
        if package is None:
            progress.write(moment, "failed")
        else:
            progress.write(moment, "completed", 100.0)
        moment = start + self.duration
        yield moment
        if attached:
            export.attachment = package
        export.workflow_state = "failed" if package is None else _EXPORTED.get(export.export_type, "exported")
        export.finished_at = moment
        export.notified = export.notify

    def _completions(self) -> list[float]:
        steps = [float(step) for step in _STEPS.get(self.export.export_type, CARTRIDGE_STEPS)]
        if Fault.PROGRESS_REGRESSION in self.export.faults:
            index = steps.index(_REGRESSION_AT)
            steps[index + 1 : index + 1] = [_REGRESSION_TO, _REGRESSION_AT]
        return steps

    def _hang(self) -> Generator[float, None, None]:
        if self.hold_when_stuck:
            yield math.inf
