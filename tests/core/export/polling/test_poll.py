"""What a poll of one export finds, and what it does not believe."""

from __future__ import annotations

import json

import pytest
from tests.support.canvas.virtual_exports import Canvas, in_vain, run, wake, watched

from canvas_exports.core.canvas.api.models import (
    ExportState,
    Progress,
)
from canvas_exports.core.export.engine.running_export import RunningExport
from canvas_exports.core.export.polling.poll_results import PollResult
from canvas_exports.errors import (
    BadRequestError,
    CanvasExportsError,
    CanvasUnavailableError,
    CredentialError,
    NotFoundError,
    PermissionDeniedError,
    ThrottledError,
    UnexpectedResponseError,
)


async def test_a_completed_progress_is_worth_a_worker_who_reads_the_export() -> None:
    canvas = Canvas()
    canvas.done_at = {1: 1000.0}
    assert (await run(canvas, [watched(1)], wake())).ready == [1]
    assert [kind for _, kind, _ in canvas.looks] == ["progress"]


async def test_a_completed_progress_that_woke_a_worker_in_vain_is_only_a_hint() -> None:
    canvas = Canvas()
    canvas.done_at = {1: 1000.0}
    canvas.ends[1] = ExportState.EXPORTING
    seen = await run(canvas, [in_vain(1)], wake(deadline=1100.0))
    assert seen.ready == []
    assert len([look for look in canvas.looks if look[1] == "show"]) > 1


async def test_exported_without_a_package_is_dead() -> None:
    canvas = Canvas()
    canvas.done_at = {1: 1000.0}
    canvas.package = None
    assert (await run(canvas, [in_vain(1)], wake())).failed == {1: "no package"}


@pytest.mark.parametrize(
    ("end", "why"),
    [
        (ExportState.FAILED, "failed"),
        (ExportState.DELETED, "deleted"),
        (NotFoundError("gone", status=404), "gone"),
        (PermissionDeniedError("no", status=403), "denied"),
    ],
)
async def test_an_export_that_will_never_have_a_package_is_dead(
    end: ExportState | Exception, why: str
) -> None:
    canvas = Canvas()
    canvas.done_at = {1: 1000.0}
    canvas.ends[1] = end
    assert (await run(canvas, [in_vain(1)], wake())).failed == {1: why}


async def test_a_state_that_canvas_invents_later_is_waited_for() -> None:
    canvas = Canvas()
    canvas.done_at = {1: 1000.0}
    canvas.ends[1] = ExportState("polishing")
    seen = await run(canvas, [in_vain(1)], wake(deadline=1100.0))
    assert set(seen.running) == {1}


async def test_maintenance_is_waited_out() -> None:
    canvas = Canvas()
    canvas.done_at = {1: 1010.0}
    canvas.broken_until = 1120.0
    assert (await run(canvas, [watched(1)], wake())).ready == [1]


async def test_a_dead_credential_ends_the_watch() -> None:
    canvas = Canvas()
    canvas.done_at = {1: 1000.0}
    canvas.ends[1] = canvas.revoked = CredentialError("revoked", status=401)
    with pytest.raises(CredentialError, match="revoked"):
        await run(canvas, [in_vain(1)], wake())


REFUSALS = [
    CredentialError("the token is not known", status=401, request_id="r1"),
    BadRequestError("odd", status=400, request_id="r1"),
    CanvasUnavailableError("Canvas could not answer", status=500, request_id="r1"),
    UnexpectedResponseError("a page", status=403, request_id="r1"),
    ThrottledError("used up", status=429, request_id="r1"),
    OverflowError("odd"),
]


@pytest.mark.parametrize("error", REFUSALS, ids=lambda error: type(error).__name__)
async def test_an_export_that_canvas_refuses_to_show_keeps_no_other_waiting(error: Exception) -> None:
    canvas = Canvas()
    canvas.done_at = {1: 1000.0, 2: 1040.0}
    canvas.ends[1] = error
    seen = await run(canvas, [in_vain(1), watched(2)], wake(enough=1))
    assert seen.ready == [2]
    assert seen.running[1].problem == (
        error.reason if isinstance(error, CanvasExportsError) else "unexpected OverflowError"
    )
    again = PollResult.from_json(json.loads(json.dumps(seen.to_json())))
    assert again == seen


@pytest.mark.parametrize("error", REFUSALS, ids=lambda error: type(error).__name__)
async def test_what_canvas_will_never_show_is_reported_once_it_has_stalled(error: Exception) -> None:
    canvas = Canvas()
    canvas.done_at = {1: 1000.0}
    canvas.ends[1] = error
    seen = await run(canvas, [in_vain(1)], wake(stall_after=3600, deadline=90_000.0))
    assert canvas.time == pytest.approx(4600, abs=100), "Canvas itself answers, so it is this export"
    assert seen.running[1].seen_at is not None
    assert seen.running[1].seen_at - seen.running[1].changed_at >= 3600


async def test_while_canvas_answers_nothing_no_export_stalls() -> None:
    canvas = Canvas()
    canvas.done_at = {1: 1000.0}
    canvas.broken_until = 20_000.0
    seen = await run(canvas, [watched(1)], wake(stall_after=3600, deadline=15_000.0))
    assert canvas.time >= 15_000
    assert seen.running[1].seen_at is None


async def test_a_progress_that_is_refused_twice_is_replaced_by_the_export_itself() -> None:
    class NoProgress(Canvas):
        async def progress(self, progress_id: int) -> Progress:
            self.looks.append((self.time, "progress", progress_id))
            raise CanvasUnavailableError("Canvas could not answer", status=500)

    canvas = NoProgress()
    canvas.done_at = {1: 1000.0}
    assert (await run(canvas, [watched(1)], wake())).ready == [1]
    assert [kind for _, kind, _ in canvas.looks] == ["progress", "progress", "show"]


@pytest.mark.parametrize("stall_after", [120.0, 7200.0])
async def test_an_export_that_is_over_though_its_progress_never_says_so_is_found_before_it_stalls(
    stall_after: float,
) -> None:
    canvas = Canvas()
    canvas.starts_at[5] = 1e12  # its Progress queues for ever
    canvas.done_at[5] = 1010.0
    seen = await run(canvas, [watched(5)], wake(stall_after=stall_after))
    assert seen.ready == [5]
    assert canvas.time - 1000.0 < stall_after


async def test_without_a_progress_the_export_itself_is_watched() -> None:
    canvas = Canvas()
    canvas.done_at = {1: 1030.0}
    export = RunningExport("course:1", 1, None, created_at=1000.0, changed_at=1000.0)
    assert (await run(canvas, [export], wake())).ready == [1]
    assert all(kind == "show" for _, kind, _ in canvas.looks)
