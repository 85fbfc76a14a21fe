from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from tests.support.airflow.memory_texts import MemoryTexts

from canvas_exports.errors import CanvasUnavailableError
from canvas_exports.hooks.lease import Lease, LeaseTiming

TIMING = LeaseTiming(settle=1.0, duration=30.0, poll_interval=0.5)


class World:
    """A shelf, and a clock that only sleeping moves; what others do meanwhile is done in our sleep."""

    def __init__(self) -> None:
        self.texts = MemoryTexts()
        self.now = 1_000.0
        self.meanwhile: Callable[[], object] = lambda: None

    def lease(self, *, ahead: float = 0.0) -> Lease:
        return Lease(self.texts, "lease", timing=TIMING, clock=lambda: self.now + ahead, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        act, self.meanwhile = self.meanwhile, lambda: None
        act()


@pytest.fixture
def world() -> World:
    return World()


def test_one_has_it_until_it_is_given_back(world: World) -> None:
    first, second = world.lease(), world.lease()
    mine = first.acquire()
    assert mine is not None
    assert second.acquire() is None
    first.release(mine)
    assert second.acquire() is not None


def test_of_two_that_see_it_free_at_once_the_later_writer_has_it(world: World) -> None:
    first, second = world.lease(), world.lease()
    taken: list[str | None] = []

    def other() -> None:
        del world.texts.texts["lease"]  # what it saw before we wrote
        taken.append(second.acquire())

    world.meanwhile = other
    assert first.acquire() is None
    assert taken[0] is not None


def test_one_that_a_dead_process_left_ends_by_the_clock(world: World) -> None:
    assert world.lease().acquire()
    late = world.lease()
    world.now += 28
    assert late.acquire() is None
    world.now += 2
    assert late.acquire() is not None


def test_with_a_clock_that_is_behind_it_ends_after_being_watched_for_as_long(world: World) -> None:
    assert world.lease(ahead=3_600).acquire()
    behind = world.lease()
    assert behind.acquire() is None
    world.now += 29
    assert behind.acquire() is None
    world.now += 1
    assert behind.acquire() is not None


def test_a_new_holder_is_watched_anew(world: World) -> None:
    fast = world.lease(ahead=3_600)
    behind = world.lease()
    mine = fast.acquire()
    assert mine is not None
    assert behind.acquire() is None
    world.now += 29
    fast.release(mine)
    assert fast.acquire()
    world.now += 2
    assert behind.acquire() is None


def test_nobody_gives_back_what_another_has_by_now(world: World) -> None:
    first = world.lease()
    mine = first.acquire()
    assert mine is not None
    world.now += 31
    theirs = world.lease().acquire()
    first.release(mine)
    assert world.texts.texts["lease"] == theirs


@pytest.mark.parametrize("text", ["", "no JSON", "[]", '{"until": "later"}', '{"until": null}', "7"])
def test_what_nobody_wrote_counts_as_free(world: World, text: str) -> None:
    world.texts.texts["lease"] = text
    assert world.lease().acquire() is not None


def test_it_says_nothing_but_a_random_name_and_a_time(world: World) -> None:
    taken = world.lease().acquire()
    assert taken is not None
    assert set(json.loads(taken)) == {"holder", "until"}


def test_one_that_cannot_be_given_back_ends_by_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    lease = world.lease()
    mine = lease.acquire()
    assert mine is not None

    def broken(_: str) -> None:
        raise CanvasUnavailableError("the database is away")

    monkeypatch.setattr(world.texts, "remove", broken)
    lease.release(mine)
    world.now += 30
    assert world.lease().acquire() is not None
