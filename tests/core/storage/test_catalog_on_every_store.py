"""The catalog over every backend: each context once, with all that lies in its folder, and the index as a cache."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta, timezone
from itertools import pairwise

from tests.support.archives.holdings import lay, manifest, note
from tests.support.store_servers.stores import Place

from canvas_exports.core.archive.catalog.index import read_with_index
from canvas_exports.core.archive.catalog.read import Holding, copies_of, every_context
from canvas_exports.core.packages.proof import Verdict


def test_the_objects_of_one_folder_are_listed_together(place: Place) -> None:
    for course in (1, 10, 2, 11):
        for name in ("a.json", "fall/b.json", "z.json"):
            place.store.put_if_absent(f"courses/{course}/{name}", b"{}")
    seen = [info.key.split("/")[1] for info in place.store.list("courses/")]
    changes = sum(before != after for before, after in pairwise(seen))
    assert changes == 3, seen


def test_copies_are_read_and_remembered(place: Place) -> None:
    first = lay(place.store, manifest("course:1"))
    lay(place.store, manifest("course:1", day=1, export_id=502), names=first)
    lay(place.store, manifest("course:10", verdict=Verdict.INCOMPLETE))
    lay(place.store, manifest("group:7", export_type="zip"), package=None)
    note(place.store, first, day=3)
    later = datetime.now(timezone.utc) + timedelta(days=1)
    plain = by_name(list(every_context(place.store)))
    assert {name: len(holding.copies) for name, holding in plain.items()} == {
        "course:1": 2,
        "course:10": 1,
        "group:7": 1,
    }
    assert [copy.newest_verification is not None for copy in plain["course:1"].copies] == [True, True]
    assert plain["group:7"].copies[0].is_damaged
    for _ in range(2):
        with closing(read_with_index(place.store, now=later)) as holdings:
            assert by_name(list(holdings)) == plain
    assert [info.key for info in place.store.list("catalog/")]
    assert copies_of(place.store, "course", 1) == plain["course:1"]


def by_name(holdings: list[Holding]) -> dict[str, Holding]:
    return {holding.name: holding for holding in holdings}
