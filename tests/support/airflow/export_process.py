"""A process of its own that exports courses: ``python -m tests.support.airflow.export_process API worker|triggerer COURSE...``.

It has Airflow's supervisor in the process itself, which asks Airflow's execution API at the given address. As a worker it
uses the blocking client, as a triggerer the asynchronous one. It polls without a pause until all exports are there, and
prints the id of each.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from unittest import mock
from uuid import uuid4

import structlog
from airflow.sdk.api.client import Client
from airflow.sdk.execution_time.supervisor import (
    InProcessSupervisorComms,
    InProcessTestSupervisor,
    set_supervisor_comms,
)

from canvas_exports.core.canvas.api.export_request import ExportRequest
from canvas_exports.core.model.contexts import Context
from canvas_exports.core.model.export_types import ExportType
from canvas_exports.hooks.canvas import CanvasHook
from canvas_exports.hooks.lease import LeaseTiming
from canvas_exports.hooks.shared_token import SharedToken

BRISK = LeaseTiming(settle=0.3, duration=30.0, poll_interval=0.1)
CARTRIDGE = ExportRequest(ExportType.COMMON_CARTRIDGE)


def work(courses: list[str]) -> dict[str, int]:
    """As a worker: each course in a thread."""
    with CanvasHook().get_conn() as client:

        def export(course: str) -> int:
            context = Context.parse(course)
            made = client.create_export(context, CARTRIDGE)
            while client.show_export(context, made.id).attachment is None:
                client.progress(made.progress_id or 0)
            return made.id

        with ThreadPoolExecutor(len(courses)) as pool:
            return dict(zip(courses, pool.map(export, courses), strict=True))


async def trigger(courses: list[str]) -> dict[str, int]:
    """As a triggerer: each course in a task."""
    async with CanvasHook().async_conn() as client:

        async def export(course: str) -> int:
            context = Context.parse(course)
            made = await client.create_export(context, CARTRIDGE)
            while (await client.show_export(context, made.id)).attachment is None:
                await client.progress(made.progress_id or 0)
            return made.id

        made = await asyncio.gather(*map(export, courses))
        return dict(zip(courses, made, strict=True))


def main(api: str, kind: str, courses: list[str]) -> dict[str, int]:
    supervisor = InProcessTestSupervisor(
        id=uuid4(),
        pid=os.getpid(),
        process=mock.Mock(),
        process_log=structlog.get_logger(),
        client=Client(base_url=api, token="unread"),
    )
    supervisor.comms = InProcessSupervisorComms(supervisor=supervisor)
    brisk = mock.patch("canvas_exports.hooks.shared_token.SharedToken", partial(SharedToken, timing=BRISK))
    with set_supervisor_comms(supervisor.comms), brisk:
        return work(courses) if kind == "worker" else asyncio.run(trigger(courses))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1], sys.argv[2], sys.argv[3:])) + "\n")
