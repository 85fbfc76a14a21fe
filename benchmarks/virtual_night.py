"""Nights with exports that take minutes, in virtual time.

Engine, window, pauses, watch, requests, rate limiter, change probes and the rule that skips a course are the product's. Queue,
endpoints, GraphQL and rate limit are the sandbox's. What the product does on a worker beside its requests is done here in so
many virtual seconds: resuming a task, one POST, one package, confirming the copies of a batch. So a night of eight hours is
over in a minute, and nothing in it depends on the machine.
"""

from __future__ import annotations

import asyncio
import random
import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from benchmarks.campus import Campus, ideal
from benchmarks.campus_server import COSTS
from benchmarks.virtual_batch import Batch, Counts, resume
from benchmarks.virtual_canvas import VirtualCanvas, live
from benchmarks.virtual_http import BASE, GRAPHQL, Blocking, VirtualClient, VirtualHost
from canvas_exports.core.backups.backup import Backup
from canvas_exports.core.export.changes.limits import limit_of
from canvas_exports.core.export.changes.list_readings import ListReadings
from canvas_exports.core.export.changes.probe import Reading
from canvas_exports.core.export.changes.read_probes import ProbeReader
from canvas_exports.core.export.changes.rule import ExportReason, LastExport, NextExport, reason_to_export
from canvas_exports.core.export.polling.canvas_queue import CanvasQueue
from canvas_exports.core.model.contexts import Context
from canvas_exports.core.model.probes import ProbeFacts
from canvas_sandbox.changes import apply
from canvas_sandbox.content.edit_kinds import SHOWN, Source

BATCH = 50
DAY = 86_400.0
LONGEST = timedelta(days=7)  # without a real export
_BEFORE, _AFTER = 8.0, 4.0  # seconds for the list and for the report, scheduling included
_COPY = 0.05  # to read the manifest of a copy, or to confirm it; eight at a time
_COPIES_AT_ONCE = 8
_TRIGGERER, _LISTER, _WORKERS = 1, 2, 3  # processes
_OTHERS = (
    2  # requests for a course that are not counted below: the POST, the download; the list has its facts
)
_WANTED = NextExport(canvas_host=urlsplit(BASE).netloc, user_id=1, export_type="common_cartridge")
_NOON = 12 * 3600.0
_SEEN = frozenset(
    source for source in Source if source.value.endswith("Connection")
)  # what the product's fingerprint is made of
_VISIBLE = [
    kind
    for kind, shown in SHOWN.items()
    if shown.in_package and (shown.moves_course or shown.seen_in & _SEEN)
]


def virtual_night(campus: Campus, batches: int = Backup.max_active_batches) -> dict[str, Any]:
    """Run a whole night with so many batches at once, without change probes; a row for the table."""
    nights = Nights(campus, batches)
    return live(nights.night())


def changed_nights(campus: Campus, *, concluded: int) -> dict[str, dict[str, Any]]:
    """Run nights with ``skip_unchanged: P7D``; their rows by name.

    The first exports everything. Before each of the others one course in ten has been edited. ``week``: the last exports are of
    different nights of the past week, as after some weeks, so that some are due. ``sis``: a SIS import has touched every active
    course.

    Parameters:
        campus: the courses.
        concluded: how many of them are concluded, and so no part of the SIS import.
    """
    nights = Nights(campus, Backup.max_active_batches, skip_unchanged=True, concluded=concluded)

    async def all_nights() -> dict[str, dict[str, Any]]:
        first = await nights.night()
        rows = {"first": first}
        for name in ("second", "week", "sis"):
            changed = await nights.change(0.1, sis=name == "sis")
            with nights.exports_of_a_week() if name == "week" else nullcontext():
                row = await nights.night()
            rows[name] = {
                **row,
                "changed": len(changed),
                "needless": row["exports"] - len(changed & nights.exported),
                "left_out": len(changed - nights.exported),
                "of_the_first": row["makespan"] / first["makespan"],
            }
        return rows

    return live(all_nights())


class Nights:
    """Nights of one backup of one campus. Call it within ``live``.

    Parameters:
        campus: the courses.
        batches: how many at once.
        skip_unchanged: whether courses without changes are skipped.
        concluded: how many of the courses are concluded.

    Attributes:
        exported: the courses that the last night has exported.
    """

    def __init__(
        self, campus: Campus, batches: int, *, skip_unchanged: bool = False, concluded: int = 0
    ) -> None:
        self._campus = campus
        self._batches = batches
        self._skips = skip_unchanged
        self._durations = list(campus.durations().values())
        self._canvas = VirtualCanvas(
            self._durations,
            campus.workers,
            files=campus.files(),
            concluded=concluded,
            request_cost=0.1,
            request_costs=COSTS,
            new_quizzes="none",
        )
        self._host = VirtualHost(self._canvas, campus.latency)
        self._copies: dict[int, LastExport] = {}
        self._dice = random.Random(campus.seed)  # noqa: S311 - nothing secret
        self._began = 0.0
        self.exported: set[int] = set()

    async def change(self, share: float, *, sis: bool = False) -> set[int]:
        """Let the day pass until the next night; at noon a share of the courses is edited. Return which.

        With ``sis``, enrolments are imported as well, after the edits: every active course is touched.
        """
        await self._until(self._began + _NOON)
        self._canvas.settle()
        world, count = self._canvas.world, self._campus.courses
        chosen = set(self._dice.sample(range(1, count + 1), round(share * count)))
        for number in sorted(chosen):
            self._edit(number)
        if sis:
            apply(world, "import_enrolments")
            chosen |= {course.id for course in world.courses.values() if course.state == "available"}
        await self._until(self._began + DAY)
        return chosen

    @contextmanager
    def exports_of_a_week(self) -> Iterator[None]:
        """Let the last export of every course that has not changed since the first night be of any night before.

        A day ago, none of them was due.
        """
        aged = {}
        now, day = self._canvas.started + timedelta(seconds=self._canvas.now()), timedelta(days=1)
        for number, copy in self._copies.items():
            if copy.created_at - self._canvas.started < day:
                created_at = now - day - limit_of(f"course:{number}", LONGEST) * self._dice.random()
                assert copy.probe is not None
                read_at = created_at - (copy.created_at - copy.probe.read_at)
                probe = replace(copy.probe, read_at=read_at)
                aged[number] = copy, replace(copy, created_at=created_at, probe=probe)
        self._copies |= {number: older for number, (_, older) in aged.items()}
        yield
        self._copies |= {
            number: copy for number, (copy, older) in aged.items() if self._copies[number] is older
        }

    async def night(self) -> dict[str, Any]:
        """Run one night; a row for the table."""
        random.seed(self._campus.seed)  # what watches spread their polls by
        self._began = self._canvas.now()
        counts = Counts()
        self._host.requests.clear()
        self._host.refusals.clear()
        second = asyncio.create_task(self._host.second_client())
        await self._run(counts)
        self.exported = {export.course for export in counts.exports}
        second.cancel()
        with suppress(asyncio.CancelledError):
            await second
        return self._row(counts, self._canvas.now() - self._began)

    async def _run(self, counts: Counts) -> None:
        slots, queue = asyncio.Semaphore(self._batches), CanvasQueue()
        watcher = VirtualClient(self._canvas, self._host, _TRIGGERER)
        await asyncio.sleep(_BEFORE)
        readings = await self._readings() if self._skips else None

        async def batch(number: int, courses: range) -> None:
            worker = VirtualClient(self._canvas, self._host, _WORKERS + number)
            async with slots:
                exported = await self._without_unchanged(worker, courses, readings, counts)
                await Batch(self._canvas, worker, watcher, queue, counts).run(exported)

        last = self._campus.courses + 1
        starts = range(1, last, BATCH)
        batches = (batch(at, range(start, min(start + BATCH, last))) for at, start in enumerate(starts))
        await asyncio.gather(*batches)
        await asyncio.sleep(_AFTER)

    async def _readings(self) -> Mapping[str, Reading]:
        """What the task that lists the courses reads of them."""
        client = Blocking(VirtualClient(self._canvas, self._host, _LISTER))
        found: dict[str, Reading] = {}

        def read() -> None:
            for _ in ListReadings(client, found).collect("1", client.account_courses("1", updated_at=True)):
                pass

        await client.run(read)
        return found

    async def _without_unchanged(
        self,
        worker: VirtualClient,
        courses: range,
        readings: Mapping[str, Reading] | None,
        counts: Counts,
    ) -> Sequence[int]:
        """Return the courses of a batch that are exported, with the probes of all stored as with their copies."""
        if readings is None:
            return courses
        came = self._canvas.now()
        await resume()
        client = Blocking(worker)
        reader = ProbeReader(client)
        contexts = [Context.parse(f"course:{number}") for number in courses]
        probes = await client.run(lambda: reader.read(contexts, readings))
        exported = []
        for number, context in zip(courses, map(str, contexts), strict=True):
            facts = probes[context].facts if context in probes else None
            if self._reason(number, facts, worker.server_now()) is None:
                counts.skipped += 1
            else:
                exported.append(number)
                self._copies[number] = _copy(facts, worker.server_now())
        await asyncio.sleep(_COPY * len(courses) / _COPIES_AT_ONCE)
        counts.worker_seconds += self._canvas.now() - came
        return exported

    def _reason(self, number: int, tonight: ProbeFacts | None, now: datetime) -> ExportReason | None:
        limit = limit_of(f"course:{number}", LONGEST)
        return reason_to_export(self._copies.get(number), tonight, _WANTED, limit=limit, now=now)

    def _edit(self, number: int) -> None:
        """Make an edit that the package contains and that is seen, of any kind that the course has something for."""
        for kind in self._dice.sample(_VISIBLE, len(_VISIBLE)):
            with suppress(ValueError):
                apply(self._canvas.world, "make_edit", number, kind.value, self._dice.getrandbits(32))
                return

    async def _until(self, moment: float) -> None:
        await asyncio.sleep(max(0.0, moment - self._canvas.now()))

    def _row(self, counts: Counts, took: float) -> dict[str, Any]:
        requests = self._host.requests
        each = [
            _OTHERS + requests[f"GET /api/v1/progress/{export.progress}"] + requests[export.path]
            for export in counts.exports
        ]
        polls = [requests[f"GET /api/v1/progress/{export.progress}"] for export in counts.exports]
        probes = requests[f"POST {GRAPHQL}"] + requests["GET /api/v1/accounts/1/courses"]
        least = ideal([self._durations[export.course - 1] for export in counts.exports], self._campus.workers)
        return {
            "courses": self._campus.courses,
            "ideal": least,
            "makespan": took,
            "ratio": took / least,
            "instances": -(-self._campus.courses // BATCH) + 2,
            "executions": counts.executions + 2,
            "worker_seconds": counts.worker_seconds,
            "requests": statistics.median(each),
            "polls": statistics.median(polls),
            "refusals": self._host.refusals["ours"],
            "refusals_of_the_second_client": self._host.refusals["second"],
            "came_early": counts.early,
            "peak_in_flight": counts.peak,
            "exports": len(counts.exports),
            "skipped": counts.skipped or None,
            "probe_requests": probes,
            "probes": probes / counts.skipped if counts.skipped else None,
        }


def _copy(probe: ProbeFacts | None, now: datetime) -> LastExport:
    """What the archive says of an export that is asked for now."""
    return LastExport(
        is_proven=True,
        created_at=now,
        canvas_host=_WANTED.canvas_host,
        user_id=_WANTED.user_id,
        export_type=_WANTED.export_type,
        probe=probe,
        new_quizzes=0,
    )
