from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator

import pytest
from blockbuster import BlockingError, blockbuster_ctx
from tests.support.airflow.triggers import events, moved

from canvas_exports.core.canvas.api.export_request import ExportRequest
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.export.engine.running_export import RunningExport
from canvas_exports.core.export.polling.interval import PollInterval
from canvas_exports.core.export.polling.poll_results import WakeRule
from canvas_exports.core.export.polling.wait import Wait
from canvas_exports.core.model.contexts import Context
from canvas_exports.core.model.export_types import ExportType
from canvas_exports.triggers.content_export import CanvasContentExportTrigger
from canvas_sandbox import Course, RequestFault, Sandbox, Switches


@pytest.fixture
def canvas(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    courses = [Course(id=number) for number in range(100, 120)]
    with Sandbox(courses, switches=Switches(job_workers=20, duration=0.3, throttle=False)) as sandbox:
        connection = {"conn_type": "canvas", "host": sandbox.url, "password": sandbox.token}
        monkeypatch.setenv("AIRFLOW_CONN_CANVAS_DEFAULT", json.dumps(connection))
        yield sandbox


def trigger_for(canvas: Sandbox, courses: int = 1) -> CanvasContentExportTrigger:
    """A trigger that waits for fresh exports of so many courses."""
    now = time.time()
    with CanvasClient(canvas.url, canvas.token) as client:
        watched = []
        for number in range(100, 100 + courses):
            context = Context.parse(number)
            export = client.create_export(context, ExportRequest(ExportType.COMMON_CARTRIDGE))
            watched.append(RunningExport(str(context), export.id, export.progress_id, now, now))
    wake = WakeRule(enough=courses, batch_delay=1.0, min_wait=0.05, stall_after=3600, deadline=now + 60)
    return CanvasContentExportTrigger.waiting_for(
        Wait(tuple(watched), wake),
        canvas_conn_id="canvas_default",
        interval=PollInterval(0.1, 0.3),
        try_number=2,
    )


async def test_it_speaks_once_when_the_exports_are_ready(canvas: Sandbox) -> None:
    (event,) = await events(trigger_for(canvas, 3))
    assert event.payload["status"] == "watched"
    assert event.payload["try_number"] == 2
    assert len(event.payload["poll_result"]["ready"]) == 3


async def test_it_survives_being_stored_and_moved(canvas: Sandbox) -> None:
    (event,) = await events(moved(trigger_for(canvas)))
    assert len(event.payload["poll_result"]["ready"]) == 1


async def test_two_of_it_at_once_tell_the_same_and_change_nothing(canvas: Sandbox) -> None:
    trigger = trigger_for(canvas, 2)
    one, other = await asyncio.gather(events(trigger), events(moved(trigger)))
    assert sorted(one[0].payload["poll_result"]["ready"]) == sorted(other[0].payload["poll_result"]["ready"])
    posts = [record for record in canvas.requests if record.method != "GET"]
    assert len(posts) == 2, "only the two that made the exports"


async def test_a_cancelled_trigger_leaves_no_connection_and_can_start_again(canvas: Sandbox) -> None:
    trigger = trigger_for(canvas)
    running = asyncio.create_task(events(trigger))
    await asyncio.sleep(0.05)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    (event,) = await events(moved(trigger))
    assert event.payload["poll_result"]["ready"]


async def test_a_dead_token_wakes_the_worker_that_finds_out_why(canvas: Sandbox) -> None:
    trigger = trigger_for(canvas)
    canvas.revoke(canvas.token)
    (event,) = await events(trigger)
    assert event.payload["status"] == "refused"


async def test_a_short_maintenance_is_no_news(canvas: Sandbox) -> None:
    trigger = trigger_for(canvas)
    canvas.inject(RequestFault(path=r"/progress/", effect="maintenance", times=2))
    (event,) = await events(trigger)
    assert event.payload["poll_result"]["ready"]


async def test_event_and_arguments_hold_ids_and_times_only(canvas: Sandbox) -> None:
    trigger = trigger_for(canvas, 3)
    (event,) = await events(trigger)
    for text in (json.dumps(trigger.serialize()[1]), json.dumps(event.payload)):
        assert canvas.token not in text
        assert "http" not in text


async def test_the_event_loop_is_never_blocked(canvas: Sandbox) -> None:
    await events(trigger_for(canvas))  # Airflow imports its secrets backends at the first look-up
    trigger = trigger_for(canvas, 20)
    with blockbuster_ctx("canvas_exports") as blocking:
        (event,) = await events(trigger)
        blocking.deactivate()
    assert len(event.payload["poll_result"]["ready"]) == 20


async def test_a_blocked_event_loop_is_noticed_by_that_test(
    canvas: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    trigger = trigger_for(canvas)

    def blocking_look(*_: object) -> float:
        time.sleep(0.001)
        return 0.0

    monkeypatch.setattr(PollInterval, "first_poll", blocking_look)
    with blockbuster_ctx("canvas_exports"), pytest.raises(BlockingError):
        await events(trigger)


async def test_the_connection_is_looked_up_without_blocking(
    canvas: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.sdk import BaseHook  # noqa: PLC0415 - patched only here

    def forbidden(*_: object) -> None:
        raise AssertionError("a blocking look-up on the event loop")

    monkeypatch.setattr(BaseHook, "get_connection", forbidden)
    assert await events(trigger_for(canvas))
