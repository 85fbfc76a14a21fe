from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from blockbuster import blockbuster_ctx
from tests.support.airflow.triggers import events, moved

from canvas_exports.core.canvas.api.export_request import ExportRequest
from canvas_exports.core.canvas.api.migrations import MigrationRequest, MigrationType, PackageFile
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.model.contexts import Context
from canvas_exports.core.model.export_types import ExportType
from canvas_exports.core.restore.wait import EXPORT, IMPORT, CanvasJob
from canvas_exports.triggers.restore import CanvasRestoreTrigger
from canvas_sandbox import Course, Fault, RequestFault, Sandbox, Switches


@pytest.fixture
def canvas(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.setattr(CanvasRestoreTrigger, "min_wait", 0.05)
    courses = [
        Course(id=100),
        Course(id=101, faults=[Fault.STUCK_CREATED]),
        Course(id=300, size=0, faults=[Fault.IMPORT_FAILS]),
    ]
    switches = Switches(duration=0.3, import_duration=0.3, throttle=False)
    with Sandbox(courses, switches=switches) as sandbox:
        connection = {"conn_type": "canvas", "host": sandbox.url, "password": sandbox.token}
        monkeypatch.setenv("AIRFLOW_CONN_CANVAS_DEFAULT", json.dumps(connection))
        yield sandbox


def waiting_for_import(canvas: Sandbox, *, deadline: float = 60.0) -> CanvasRestoreTrigger:
    """A trigger that waits for an import, which will fail: for the trigger, that is an end like any other."""
    where, file = Context.parse(300), PackageFile("a.imscc", 3)
    with CanvasClient(canvas.url, canvas.token) as client:
        made = client.create_migration(where, MigrationRequest(MigrationType.CARTRIDGE, file))
        assert made.ticket is not None
        client.upload(made.ticket, file, [b"PK!"])
    return trigger(CanvasJob(IMPORT, 300, made.id, made.progress_id, time.time(), time.time() + deadline))


def trigger(waiting: CanvasJob) -> CanvasRestoreTrigger:
    return CanvasRestoreTrigger(
        canvas_conn_id="canvas_default", waiting=waiting.to_json(), pace=[0.05, 0.1], try_number=2
    )


async def test_it_speaks_once_when_the_import_is_over(canvas: Sandbox) -> None:
    (event,) = await events(moved(waiting_for_import(canvas)))
    assert event.payload == {"status": "watched", "try_number": 2}
    assert canvas.migrations[0].state == "failed"


async def test_it_speaks_when_an_export_is_ready(canvas: Sandbox) -> None:
    with CanvasClient(canvas.url, canvas.token) as client:
        export = client.create_export(Context.parse(100), ExportRequest(ExportType.COMMON_CARTRIDGE))
    now = time.time()
    await events(trigger(CanvasJob(EXPORT, 100, export.id, export.progress_id, now, now + 60)))
    assert canvas.exports[0].state == "exported"


async def test_it_speaks_at_its_deadline(canvas: Sandbox) -> None:
    (event,) = await events(waiting_for_import(canvas, deadline=0.0))
    assert event.payload["status"] == "watched"
    looks = [record for record in canvas.requests if "/progress/" in record.path]
    assert not looks, "there was nothing to look for"


async def test_a_progress_that_stands_still_does_not_hold_it_for_ever(canvas: Sandbox) -> None:
    with CanvasClient(canvas.url, canvas.token) as client:
        stuck = client.create_export(Context.parse(101), ExportRequest(ExportType.COMMON_CARTRIDGE))
    waiting = CanvasJob.from_json(waiting_for_import(canvas).waiting)
    await events(trigger(replace(waiting, progress_id=stuck.progress_id)))
    assert canvas.migrations[0].state == "failed"


@pytest.mark.usefixtures("canvas")
async def test_what_is_gone_is_for_the_worker_to_find_out() -> None:
    now = time.time()
    assert await events(trigger(CanvasJob(IMPORT, 300, 999, None, now, now + 60)))


async def test_two_of_it_at_once_change_nothing(canvas: Sandbox) -> None:
    waiting = waiting_for_import(canvas)
    before = sum(record.method != "GET" for record in canvas.requests)
    await asyncio.gather(events(waiting), events(moved(waiting)))
    assert sum(record.method != "GET" for record in canvas.requests) == before


async def test_a_dead_token_wakes_the_worker_that_finds_out_why(canvas: Sandbox) -> None:
    waiting = waiting_for_import(canvas)
    canvas.revoke(canvas.token)
    (event,) = await events(waiting)
    assert event.payload["status"] == "refused"


async def test_a_short_maintenance_is_no_news(canvas: Sandbox) -> None:
    waiting = waiting_for_import(canvas)
    canvas.inject(RequestFault(path=r"/(progress|content_migrations)/", effect="maintenance", times=2))
    await events(waiting)
    assert canvas.migrations[0].state == "failed"


async def test_event_and_arguments_hold_ids_and_times_only(canvas: Sandbox) -> None:
    waiting = waiting_for_import(canvas)
    (event,) = await events(waiting)
    for text in (json.dumps(waiting.serialize()[1]), json.dumps(event.payload)):
        assert canvas.token not in text
        assert "http" not in text


async def test_the_event_loop_is_never_blocked(canvas: Sandbox) -> None:
    await events(waiting_for_import(canvas))  # Airflow imports its secrets backends at the first look-up
    waiting = waiting_for_import(canvas)
    with blockbuster_ctx("canvas_exports") as blocking:
        assert await events(waiting)
        blocking.deactivate()
