"""How old the newest good copies are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.support.archives.holdings import DAY, START, manifest

from canvas_exports.core.archive.catalog.ages import CLASSES, Ages, ages
from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.catalog.promises import Promises
from canvas_exports.core.archive.catalog.read import Holding
from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.packages.proof import Verdict

NOW = START + 400 * DAY


def holding(number: int, *copies: tuple[int, Verdict], export_type: str = "common_cartridge") -> Holding:
    made = [
        manifest(f"course:{number}", day=day, export_id=at + 1, verdict=verdict, export_type=export_type)
        for at, (day, verdict) in enumerate(copies)
    ]
    return Holding("course", number, tuple(Copy.of(manifest_key(one.package.key), one) for one in made))


def test_the_newest_good_copy_of_each_counts_once() -> None:
    held = [
        holding(1, (0, Verdict.WHOLE), (399, Verdict.WHOLE)),
        holding(2, (340, Verdict.WHOLE), (399, Verdict.INCOMPLETE)),
    ]
    told = ages(held, now=NOW)
    assert {name: count for name, count in told.counts.items() if count} == {
        "up to 1 day": 1,
        "up to 90 days": 1,
    }
    assert [(one.context, one.created_at) for one in told.oldest] == [
        ("course:2", START + 340 * DAY),
        ("course:1", START + 399 * DAY),
    ]


def test_promises_are_held_against_the_newest_good_copy() -> None:
    held = [
        holding(1, (399, Verdict.WHOLE)),
        holding(2, (397, Verdict.WHOLE), (399, Verdict.INCOMPLETE)),
        holding(3, (399, Verdict.INCOMPLETE)),
        holding(4, (0, Verdict.WHOLE)),
    ]
    promised = Promises({(f"course:{number}", "common_cartridge"): 2 * DAY for number in (1, 2, 3)})
    told = ages(held, now=NOW, promises=promised)
    assert (told.kept, told.missed) == (1, 2)
    told = ages(held, now=NOW, promises=Promises(of_all=3 * DAY))
    assert (told.kept, told.missed) == (2, 2)


def test_those_without_a_good_copy_are_counted_apart() -> None:
    told = ages([holding(1, (399, Verdict.INCOMPLETE))], now=NOW)
    assert (told.none, sum(told.counts.values())) == (1, 0)


def test_every_class_takes_its_upper_bound() -> None:
    for name, bound in CLASSES:
        age = bound or timedelta(days=10_000)
        assert ages([holding(1, (0, Verdict.WHOLE))], now=START + age).counts[name] == 1


def test_only_the_oldest_are_named_however_many_there_are() -> None:
    held = [holding(number, (number, Verdict.WHOLE)) for number in range(100, 0, -1)]
    told = ages(held, now=NOW, listed=3)
    assert [one.context for one in told.oldest] == ["course:1", "course:2", "course:3"]
    assert sum(told.counts.values()) == 100


@pytest.mark.parametrize(("export_type", "count"), [("common_cartridge", 1), ("qti", 0), (None, 1)])
def test_of_one_export_type(export_type: str | None, count: int) -> None:
    told = ages([holding(1, (0, Verdict.WHOLE))], now=NOW, export_type=export_type)
    assert sum(told.counts.values()) == count


def test_of_nothing() -> None:
    assert ages([], now=NOW) == Ages()
