"""Watching is asynchronous, stateless and restartable."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

import pytest
from tests.support.canvas.virtual_exports import Canvas, in_vain, run, wake, watched

from canvas_exports.core.canvas.api.models import (
    ExportState,
)
from canvas_exports.core.export.engine.running_export import RunningExport
from canvas_exports.core.export.polling.canvas_queue import CanvasQueue
from canvas_exports.core.export.polling.interval import PollInterval
from canvas_exports.core.export.polling.poll_results import ProgressLog
from canvas_exports.core.export.polling.watch import watch
from canvas_exports.errors import (
    CanvasUnavailableError,
)


async def test_it_speaks_when_everything_is_finished() -> None:
    canvas = Canvas()
    canvas.done_at = {1: 1020.0, 2: 1040.0}
    seen = await run(canvas, [watched(1), watched(2)], wake(batch_delay=600, enough=99))
    assert sorted(seen.ready) == [1, 2]
    assert not seen.running
    assert canvas.time < 1060


async def test_it_speaks_at_once_when_enough_are_ready() -> None:
    canvas = Canvas()
    canvas.done_at = {1: 1020.0, 2: 1020.0}
    seen = await run(canvas, [watched(1), watched(2), watched(3)], wake(enough=2, batch_delay=1e6))
    assert sorted(seen.ready) == [1, 2]
    assert list(seen.running) == [3]
    assert canvas.time < 1050


@pytest.mark.parametrize(("max_batch_delay", "longest"), [(0.0, 30.0), (60.0, 60.0), (900.0, 400.0)])
async def test_where_exports_take_long_the_first_finished_waits_for_others_twice_as_long(
    max_batch_delay: float, longest: float
) -> None:
    canvas = Canvas()
    canvas.done_at = {1: 1200.0}
    await run(canvas, [watched(1), watched(2)], wake(batch_delay=30, max_batch_delay=max_batch_delay))
    seen_at = max(at for at, _, number in canvas.looks if number == 1)
    late = seen_at - 1200
    assert canvas.time - seen_at == pytest.approx(longest, abs=2 * late + 1)


async def test_while_finished_exports_wait_for_others_the_others_are_looked_at_less_often() -> None:
    looks = {}
    for max_batch_delay in (0.0, 900.0):
        canvas = Canvas()
        canvas.done_at = {1: 1100.0}
        await run(canvas, [watched(1)], wake(max_batch_delay=max_batch_delay))
        looks[max_batch_delay] = len(canvas.looks)
    assert looks[900.0] < looks[0.0]


async def test_a_batch_that_wants_more_comes_back_when_all_of_its_exports_are_known_to_run() -> None:
    canvas = Canvas()
    canvas.starts_at = {1: 1030.0, 2: 1060.0, 3: 1100.0}
    seen = await run(canvas, [watched(1), watched(2), watched(3)], wake(wants_more=True))
    assert 1100 <= canvas.time < 1200
    assert all(one.running_since is not None for one in seen.running.values())


async def test_the_first_finished_waits_no_longer_than_the_batch_delay() -> None:
    canvas = Canvas()
    canvas.done_at = {1: 1020.0}
    seen = await run(canvas, [watched(1), watched(2)], wake(batch_delay=30))
    assert seen.ready == [1]
    assert 1050 <= canvas.time <= 1070


async def test_it_stays_for_the_min_wait_even_if_all_is_ready() -> None:
    canvas = Canvas()
    canvas.done_at = {1: 0.0}
    await run(canvas, [watched(1)], wake(min_wait=10))
    assert canvas.time == pytest.approx(1010)


async def test_it_ends_at_the_deadline_and_tells_what_it_saw() -> None:
    canvas = Canvas()
    canvas.done_at = {1: 5000.0}
    seen = await run(canvas, [watched(1)], wake(deadline=1300.0))
    assert canvas.time == pytest.approx(1300)
    assert seen.ready == []
    assert set(seen.running) == {1}


async def test_it_ends_when_an_export_has_stalled() -> None:
    canvas = Canvas()
    canvas.no_progress = True
    canvas.ends[1] = ExportState.CREATED
    seen = await run(canvas, [watched(1)], wake(stall_after=200))
    last_look = max(at for at, _, _ in canvas.looks)
    assert canvas.time == pytest.approx(last_look)
    assert 1200 <= last_look <= 1266
    assert (seen.running[1].completion, seen.running[1].changed_at) == (None, 1000.0)
    assert seen.running[1].seen_at == pytest.approx(last_look)


async def test_an_export_that_could_not_be_seen_has_not_stalled() -> None:
    """Canvas was away for longer than an export may be quiet, and had it ready when it came back."""
    canvas = Canvas()
    canvas.broken_until = 2000.0
    canvas.done_at = {1: 1500.0}
    seen = await run(canvas, [watched(1)], wake(stall_after=200))
    assert seen.ready == [1]


async def test_all_that_wait_behind_one_that_has_stalled_are_known_to_wait() -> None:
    canvas = Canvas()
    canvas.starts_at = dict.fromkeys(range(1, 11), 1e9)
    exports = [replace(watched(number), seen_at=1000.0) for number in range(1, 11)]
    seen = await run(canvas, exports, wake(stall_after=200))
    assert canvas.time < 1300
    assert {row.changed_at for row in seen.running.values()} == {1000.0}
    assert min(row.seen_at or 0.0 for row in seen.running.values()) >= 1200


async def test_one_round_looks_once_at_each_and_never_sleeps() -> None:
    canvas = Canvas()
    canvas.done_at = {1: 1000.0}
    seen = await run(canvas, [watched(number) for number in range(1, 30)], None)
    assert seen.ready == [1]
    assert len(seen.running) == 28
    assert canvas.sleeps == []
    assert len([look for look in canvas.looks if look[1] == "progress"]) == 29


async def test_the_first_polls_of_a_batch_are_spread() -> None:
    canvas = Canvas()
    numbers = iter(number / 200 for number in range(1, 10_000))
    await run(
        canvas,
        [watched(number) for number in range(1, 101)],
        wake(deadline=1005.0),
        uniform=lambda: next(numbers) % 1,
    )
    assert len({at for at, _, _ in canvas.looks}) > 50


async def test_a_restart_polls_again_and_keeps_the_deadline() -> None:
    canvas = Canvas()
    until = wake(deadline=1300.0)
    await run(canvas, [watched(1)], until)
    ended = canvas.time
    await run(canvas, [watched(1)], until)
    assert canvas.time - ended <= 10


async def test_polls_stretch_with_age_while_an_export_is_queued() -> None:
    canvas = Canvas()
    canvas.no_progress = True
    canvas.ends[1] = ExportState.CREATED
    await run(canvas, [watched(1)], wake(deadline=2800.0))
    assert len(canvas.looks) // 2 < 50
    assert max(canvas.sleeps) <= 66


async def test_of_those_that_queue_only_the_oldest_is_looked_at() -> None:
    canvas = Canvas()
    canvas.starts_at = dict.fromkeys(range(1, 11), 1e9)
    exports = [replace(watched(number), seen_at=1000.0) for number in range(1, 11)]
    seen = await run(canvas, exports, wake(deadline=1500.0))
    assert {number for _, _, number in canvas.looks} == {1}
    assert len(seen.running) == 10


async def test_once_the_oldest_has_begun_the_next_is_looked_at() -> None:
    canvas = Canvas()
    canvas.starts_at = {1: 1050.0, 2: 1100.0, 3: 1e9, 4: 1e9}
    exports = [replace(watched(number), seen_at=1000.0) for number in range(1, 5)]
    seen = await run(canvas, exports, wake(deadline=1300.0))
    first = {number: min(at for at, _, one in canvas.looks if one == number) for number in (1, 2, 3)}
    assert first[1] < first[2] < first[3]
    assert 4 not in {number for _, _, number in canvas.looks}
    for number, started in ((1, 1050.0), (2, 1100.0)):
        assert started - 60 <= (seen.running[number].running_since or 0.0) <= started + 60
    assert seen.running[3].running_since is None


async def test_a_stuck_export_does_not_hide_those_behind_it() -> None:
    canvas = Canvas()
    canvas.starts_at = {1: 1e9}
    canvas.done_at = {2: 1030.0, 3: 1060.0}
    exports = [replace(watched(number), seen_at=1000.0) for number in range(1, 4)]
    seen = await run(canvas, exports, wake(enough=9, batch_delay=1e6, deadline=5000.0))
    assert sorted(seen.ready) == [2, 3], (
        "seen at the latest when their turn comes although they cannot be next"
    )


async def test_all_watches_of_a_process_look_at_one_oldest_export() -> None:
    canvas, queue = Canvas(), CanvasQueue()
    canvas.starts_at = dict.fromkeys(range(1, 7), 1e9)
    exports = [replace(watched(number), seen_at=1000.0) for number in range(1, 7)]

    async def sleep(seconds: float) -> None:
        canvas.time = max(canvas.time, canvas.time + seconds / 2)
        await asyncio.sleep(0)

    await asyncio.gather(
        *(
            watch(
                canvas,
                part,
                wake(deadline=1400.0),
                interval=PollInterval(5, 60),
                now=canvas.now,
                sleep=sleep,
                queue=queue,
            )
            for part in (exports[:3], exports[3:])
        )
    )
    assert {number for _, _, number in canvas.looks} == {1}


async def test_what_one_watch_has_seen_to_begin_tells_another() -> None:
    canvas, queue = Canvas(), CanvasQueue()
    queue.record_poll(9, started=True, at=canvas.time, interval=PollInterval(5, 60))
    canvas.done_at = {1: 1010.0}
    exports = [replace(watched(1), seen_at=990.0)]
    seen = await watch(
        canvas, exports, wake(), interval=PollInterval(5, 60), now=canvas.now, sleep=canvas.sleep, queue=queue
    )
    assert seen.ready == [1]
    assert canvas.time <= 1000 + 10 + 2 * 5.5


async def test_a_watch_goes_on_where_the_last_one_ended() -> None:
    canvas = Canvas()
    canvas.done_at = {1: 1400.0}
    first = await run(canvas, [watched(1)], wake(deadline=1200.0))
    looks = len(canvas.looks)
    seen = first.running[1]
    export = replace(
        watched(1), completion=seen.completion, running_since=seen.running_since, seen_at=seen.seen_at
    )
    await run(canvas, [export], wake(deadline=1201.0, min_wait=0))
    assert len(canvas.looks) - looks <= 1


async def test_what_is_late_after_a_restart_is_spread() -> None:
    canvas = Canvas()
    numbers = iter(number / 200 for number in range(1, 10_000))
    exports = [
        replace(watched(number), completion=50.0, running_since=0.0, seen_at=100.0)
        for number in range(1, 101)
    ]
    await run(canvas, exports, wake(deadline=1060.0), uniform=lambda: next(numbers) % 1)
    seconds = Counter(int(at) for at, _, _ in canvas.looks)
    assert max(seconds.values()) <= 10


class TestProgressLog:
    """While nothing happens, the log says every few minutes what is waited for."""

    async def lines(
        self, canvas: Canvas, exports: list[RunningExport], progress_log: ProgressLog, until: float
    ) -> list[tuple[float, str]]:
        said: list[tuple[float, str]] = []
        await watch(
            canvas,
            exports,
            wake(enough=99, batch_delay=1e9, stall_after=1e9, deadline=until),
            interval=PollInterval(5, 60),
            now=canvas.now,
            sleep=canvas.sleep,
            uniform=lambda: 0.5,
            progress_log=progress_log,
            log=lambda line: said.append((canvas.time, line)),
        )
        return said

    async def test_it_says_what_is_done_and_who_is_waited_for(self) -> None:
        canvas = Canvas()
        canvas.starts_at = {1: 1e9, 2: 1e9}
        canvas.done_at = {3: 1040.0}
        exports = [replace(watched(1), progress_id=None), watched(2), watched(3)]
        canvas.ends[1] = ExportState.EXPORTING
        said = await self.lines(canvas, exports, ProgressLog(done=36, total=40, every=300.0), until=2000.0)
        assert [at for at, _ in said] == pytest.approx([1300.0, 1600.0, 1900.0], abs=1)
        assert said[-1][1] == "37 of 40 done; waiting for course:1 and 1 more, no progress for 15 min"

    async def test_it_says_how_canvas_answers_instead(self) -> None:
        canvas = Canvas()
        canvas.done_at = {1: 1000.0}
        canvas.ends[1] = CanvasUnavailableError("Canvas could not answer", status=500, request_id="r1")
        said = await self.lines(canvas, [in_vain(1)], ProgressLog(every=600.0), until=1700.0)
        assert said[-1][1].endswith("no progress for 10 min (Canvas could not answer (HTTP 500, request r1))")

    async def test_it_is_silent_in_between(self) -> None:
        canvas = Canvas()
        assert await self.lines(canvas, [watched(1)], ProgressLog(every=300.0), until=1299.0) == []

    @pytest.mark.parametrize(
        "document", [None, {}, [], {"done": "many"}, {"done": 1, "total": 2, "every": None}]
    )
    def test_fields_of_another_release_that_cannot_be_read_have_defaults(self, document: object) -> None:
        assert ProgressLog.from_json(document) == ProgressLog()
