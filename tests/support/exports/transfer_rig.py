"""A finished export in Canvas, and an archive for its package."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.exports.batch_rig import QUICK, RUN, WAITS, client, sandbox

from canvas_exports.core.canvas.api.export_request import ExportRequest
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.export.engine import events
from canvas_exports.core.export.engine.items import Item, State
from canvas_exports.core.export.options import build_options
from canvas_exports.core.export.replicas import Replicas
from canvas_exports.core.export.transfer import PackageMover
from canvas_exports.core.export.waits import Waits
from canvas_exports.core.model.contexts import Context
from canvas_exports.core.storage.local import FileStore
from canvas_sandbox import Course, Fault, LimitedFault, Sandbox, Switches

NAME = "course:100/common_cartridge"


class Way:
    """A finished export in Canvas, and an archive for its package."""

    def __init__(self, canvas: Sandbox, folder: Path, ours: CanvasClient) -> None:
        self.canvas = canvas
        self.folder = folder
        self.ours = ours
        self.store = FileStore(folder.as_uri(), folder)

    def mover(self, *, waits: Waits = WAITS, blocks: int = 16, **arguments: Any) -> PackageMover:
        options = replace(build_options(**{"courses": ["100"], **arguments}), waits=waits)
        return PackageMover(self.ours, Replicas([self.store]), options, RUN, blocks=blocks)

    def item(self, context: str = "course:100", export_type: str = "common_cartridge") -> Item:
        """A ready item: the export is made, and Canvas is waited for."""
        where = Context.parse(context)
        export = self.ours.create_export(where, ExportRequest.build(export_type, kind=where.kind))
        while self.canvas.exports[-1].finished_at is None:
            time.sleep(0.005)
        return Item(context, export_type, State.READY, canvas_id=where.canvas_id, export_id=export.id)

    def move(self, item: Item | None = None, **arguments: Any) -> events.Event:
        return self.mover(**arguments).move(item or self.item())

    @property
    def files(self) -> list[str]:
        return sorted(path.relative_to(self.folder).as_posix() for path in self.folder.glob("**/*.*"))


def way_over(folder: Path, *courses: Course, switches: Switches = QUICK) -> Iterator[Way]:
    with sandbox(*courses, switches=switches) as canvas, client(canvas) as ours:
        yield Way(canvas, folder, ours)


def with_faults(*faults: Fault | LimitedFault) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("troubled", [faults], indirect=True, ids=["-"])
