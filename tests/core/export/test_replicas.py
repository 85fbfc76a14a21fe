"""Several archives that are to hold the same, one of which does not do as it should."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.exports.batch_rig import RUN, course
from tests.support.exports.transfer_rig import Way, way_over

from canvas_exports.core.archive.mirror import mirror
from canvas_exports.core.export.engine import events
from canvas_exports.core.export.engine.engine import Engine, Limits
from canvas_exports.core.export.engine.items import Item, State
from canvas_exports.core.export.engine.running_export import COMPLETE
from canvas_exports.core.export.options import build_options
from canvas_exports.core.export.replicas import Replicas, first_result, writable_stores
from canvas_exports.core.export.transfer import PackageMover
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.reports.run_report import gather_run_report, mirror_reports, store_batch_report
from canvas_exports.core.storage.local import FileStore
from canvas_exports.errors import ArchiveDeniedError, ArchiveUnavailableError, CanvasExportsError

LIMITS = Limits(window=9, creations=3, transfers=3, stall_after=9, deadline=9)


class Fickle(FileStore):
    """A folder that fails for as long as it is told to."""

    def __init__(self, folder: Path, error: CanvasExportsError | None = None) -> None:
        super().__init__(folder.as_uri(), folder)
        self.error = error
        self.asked = 0

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        self._ask()
        return super().read(key, start, length)

    def put_small(self, key: str, data: bytes) -> bool:
        self._ask()
        return super().put_small(key, data)

    def replace(self, key: str, data: bytes) -> None:
        self._ask()
        super().replace(key, data)

    def _ask(self) -> None:
        self.asked += 1
        if self.error is not None:
            raise self.error

    @property
    def packages(self) -> list[str]:
        return sorted(path.name for path in self._root.rglob("*.imscc"))


AWAY = ArchiveUnavailableError("the connection was refused")


@pytest.fixture
def way(tmp_path: Path) -> Iterator[Way]:
    yield from way_over(tmp_path / "unused", course(100))


@pytest.fixture
def stores(tmp_path: Path) -> list[Fickle]:
    return [Fickle(tmp_path / name) for name in ("first", "second")]


def carried(way: Way, replicas: Replicas, item: Item) -> events.Stored:
    event = PackageMover(way.ours, replicas, build_options(courses=["100"]), RUN).move(item)
    assert isinstance(event, events.Stored)
    return event


def test_every_archive_gets_the_package_and_the_bytes_count_once(way: Way, stores: list[Fickle]) -> None:
    event = carried(way, Replicas(stores), way.item())
    assert event.outcome is Outcome.STORED
    assert stores[0].packages == stores[1].packages == [event.key.rpartition("/")[2]]
    stat = stores[0].stat(event.key)
    assert stat is not None
    assert event.size == stat.size


@pytest.mark.parametrize("at", [0, 1], ids=["the first", "another"])
def test_an_archive_that_fails_makes_it_degraded_and_the_reason_names_it(
    way: Way, stores: list[Fickle], at: int
) -> None:
    stores[at].error = AWAY
    event = carried(way, Replicas(stores), way.item())
    assert event.outcome is Outcome.DEGRADED
    assert event.reason == f"not in {stores[at].uri}: the connection was refused"
    assert stores[1 - at].packages == [event.key.rpartition("/")[2]]
    assert stores[at].packages == []


def test_a_retry_brings_it_to_the_archive_that_lacks_it_and_asks_canvas_for_no_other_export(
    way: Way, stores: list[Fickle]
) -> None:
    item = way.item()
    engine = Engine([item], LIMITS)
    stores[1].error = AWAY
    first = carried(way, Replicas(stores), item)
    engine.apply(first)
    assert first.outcome is Outcome.DEGRADED
    manifest = stores[0].read((item.key or "").replace(".imscc", ".json"))
    engine.resume(cleared=False, now=0.0)
    assert (item.state, engine.decide().transfer) == (State.READY, (item.name,))
    stores[1].error = None
    engine.apply(carried(way, Replicas(stores), item))
    assert item.outcome is Outcome.STORED
    assert stores[0].packages == stores[1].packages
    assert stores[0].read((item.key or "").replace(".imscc", ".json")) == manifest
    assert len(way.canvas.exports) == 1


def test_what_is_in_one_archive_stays_degraded_whatever_breaks_the_retry_off(
    way: Way, stores: list[Fickle]
) -> None:
    item = way.item()
    engine = Engine([item], LIMITS)
    stores[1].error = AWAY
    engine.apply(carried(way, Replicas(stores), item))
    engine.resume(cleared=False, now=0.0)
    engine.interrupt("Canvas is down")
    assert (item.outcome, item.reason) == (Outcome.DEGRADED, "Canvas is down")


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(lambda item: [events.ExportFailed(item.name, item.export_id, "no")], id="no package"),
        pytest.param(lambda item: [events.Ended(item.name, Outcome.DENIED, "no")], id="the right is gone"),
    ],
)
def test_what_is_in_one_archive_stays_degraded_whatever_canvas_says_at_the_retry(
    way: Way, stores: list[Fickle], trouble: Callable[[Item], list[events.Event]]
) -> None:
    item = way.item()
    item.creations = LIMITS.creations
    engine = Engine([item], LIMITS)
    stores[1].error = AWAY
    engine.apply(carried(way, Replicas(stores), item))
    engine.resume(cleared=False, now=0.0)
    for event in trouble(item):
        engine.apply(event)
    assert item.outcome is Outcome.DEGRADED
    assert item.reason is not None
    assert item.reason.startswith("no")


def test_an_export_that_a_retry_finds_unfinished_is_not_stalled_for_that(
    way: Way, stores: list[Fickle]
) -> None:
    item = way.item()
    engine = Engine([item], replace(LIMITS, deadline=2e9))
    stores[1].error = AWAY
    engine.apply(carried(way, Replicas(stores), item))
    engine.resume(cleared=False, now=1e9)
    engine.apply(events.NotReady(item.name, item.export_id or 0))
    running = replace(item.running_export(now=1e9), completion=COMPLETE, changed_at=1e9 + 1, seen_at=1e9 + 1)
    engine.apply(events.Polled(item.name, running))
    engine.apply(events.Tick(1e9 + 1))
    assert item.state is State.REQUESTED


def test_unchanged_everywhere_is_unchanged_and_a_new_archive_gets_the_package(
    way: Way, stores: list[Fickle]
) -> None:
    first = carried(way, Replicas(stores[:1]), way.item())
    second = carried(way, Replicas(stores), way.item())
    third = carried(way, Replicas(stores), way.item())
    assert [first.outcome, second.outcome, third.outcome] == [
        Outcome.STORED,
        Outcome.STORED,
        Outcome.UNCHANGED,
    ]
    assert [len(store.packages) for store in stores] == [1, 1]


def test_an_archive_that_keeps_failing_is_left_alone(way: Way, stores: list[Fickle]) -> None:
    stores[1].error = AWAY
    replicas = Replicas(stores)
    for _ in range(3):
        carried(way, replicas, way.item())
    asked = stores[1].asked
    event = carried(way, replicas, way.item())
    assert stores[1].asked == asked
    assert event.outcome is Outcome.DEGRADED
    assert event.reason == f"not in {stores[1].uri}: the connection was refused"


def test_at_no_moment_is_an_archive_both_used_and_left_alone_or_neither(stores: list[Fickle]) -> None:
    replicas = Replicas(stores)
    stop = threading.Event()

    def change() -> None:
        while not stop.is_set():
            for _ in range(3):
                replicas.record(stores[1], AWAY)
            replicas.retry_all()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    changing = threading.Thread(target=change)
    changing.start()
    try:
        for _ in range(2000):
            used, left = replicas.split()
            assert {store.uri for store in used}.isdisjoint(left)
            assert len(used) + len(left) == len(stores)
    finally:
        stop.set()
        changing.join()
        sys.setswitchinterval(interval)


def test_where_none_works_any_more_those_left_alone_are_tried_again(way: Way, stores: list[Fickle]) -> None:
    stores[1].error = AWAY
    replicas = Replicas(stores)
    for _ in range(3):
        carried(way, replicas, way.item())
    stores[0].error, stores[1].error = AWAY, None
    mover = PackageMover(way.ours, replicas, build_options(courses=["100"]), RUN)
    item = way.item()
    assert isinstance(mover.move(item), events.TransferFailed)
    event = mover.move(item)
    assert isinstance(event, events.Stored)
    assert event.reason == f"not in {stores[0].uri}: the connection was refused"


@pytest.mark.parametrize("error", [AWAY, ArchiveDeniedError("no")])
def test_at_the_start_one_archive_is_enough(stores: list[Fickle], error: CanvasExportsError) -> None:
    stores[0].error = error
    replicas = Replicas(stores)
    replicas.check()
    assert replicas.split() == ([stores[1]], {stores[0].uri: error.message})
    assert writable_stores(stores) == [stores[1]]


def test_at_the_start_none_is_too_few_and_a_retry_may_help_if_it_may_help_one(stores: list[Fickle]) -> None:
    stores[0].error = ArchiveDeniedError("no")
    stores[1].error = AWAY
    with pytest.raises(ArchiveUnavailableError):
        Replicas(stores).check()
    stores[1].error = stores[0].error
    with pytest.raises(ArchiveDeniedError):
        Replicas(stores).check()


def test_the_first_archive_that_answers_is_believed(stores: list[Fickle]) -> None:
    stores[1].replace("runs/a", b"found")
    stores[0].error = AWAY
    assert first_result(stores, lambda store: store.read("runs/a")) == b"found"
    stores[1].error = ArchiveDeniedError("no")
    with pytest.raises(ArchiveUnavailableError):
        first_result(stores, lambda store: store.read("runs/a"))


def report_of(store: FileStore, *ended: tuple[str, Outcome]) -> None:
    items = [Item(context, "common_cartridge") for context, _ in ended]
    for item, (_, outcome) in zip(items, ended, strict=True):
        item.end(outcome)
    store_batch_report(store, items, RUN, started_at=1.8e9)


def test_an_archive_that_missed_a_report_gets_it_before_the_run_is_reported(stores: list[Fickle]) -> None:
    report_of(stores[1], ("course:1", Outcome.STORED))
    mirror_reports(stores, RUN)
    for store in stores:
        report = gather_run_report(store, RUN, [("course:1", "common_cartridge")])
        assert report.receipt.outcomes == {"stored": 1}


def test_of_two_reports_of_one_task_the_later_one_is_everywhere(stores: list[Fickle]) -> None:
    report_of(stores[0], ("course:1", Outcome.INTERRUPTED))
    (info,) = stores[0].list("runs/")
    early = json.loads(stores[0].read(info.key))
    stores[0].replace(info.key, json.dumps({**early, "finished_at": "2020-01-01T00:00:00Z"}).encode())
    report_of(stores[1], ("course:1", Outcome.STORED))
    mirror_reports(stores, RUN)
    assert stores[0].read(info.key) == stores[1].read(info.key)
    assert b"stored" in stores[0].read(info.key)


def test_a_plan_is_handed_on_and_never_replaced(stores: list[Fickle]) -> None:
    stores[0].replace("runs/plan/0", b"one")
    stores[1].replace("runs/plan/0", b"another")
    stores[1].replace("runs/plan/1", b"more")
    mirror(stores, "runs/plan/")
    assert [store.read("runs/plan/0") for store in stores] == [b"one", b"another"]
    assert stores[0].read("runs/plan/1") == b"more"
