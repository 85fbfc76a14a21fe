"""A package that repeats a stored one: recognised at its last byte, and referred to."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support.archives.publishing import (
    FIRST,
    MONDAY,
    NIGHT_ONE,
    NIGHT_TWO,
    SECOND,
    TUESDAY,
    BaselineOf,
    Canvas,
    Dying,
    Killed,
    Quicker,
    files,
    package,
    store_package,
)
from tests.support.packages.build import PAGE, cartridge, draft

from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.archive.publishing.published import Published
from canvas_exports.core.archive.sweep import sweep
from canvas_exports.core.packages.digests import digests_of
from canvas_exports.core.packages.proof import Verdict
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import ArchiveUnavailableError


def second_night(store: Store, baseline: BaselineOf, data: bytes = TUESDAY, **more: Any) -> Published:
    return store_package(store, Canvas(data), draft=SECOND, baseline=baseline, **more)


def test_packages_of_two_nights_differ_and_hold_the_same(store: Store, baseline: BaselineOf) -> None:
    assert MONDAY != TUESDAY
    published = second_night(store, baseline)
    assert (published.unchanged, published.was_stored, published.verdict) == (True, False, Verdict.WHOLE)
    assert files(store) == NIGHT_TWO
    assert store.read(FIRST.key) == MONDAY


def test_the_manifest_of_tonight_tells_of_tonights_export_and_names_the_stored_package(
    store: Store, baseline: BaselineOf
) -> None:
    published = second_night(store, baseline)
    manifest = Manifest.from_json(store.read(manifest_key(SECOND.key)))
    assert manifest.export == SECOND.export
    assert manifest.package == published.manifest.package
    assert (manifest.package.key, manifest.package.digests) == (FIRST.key, digests_of(MONDAY))
    assert (published.key, published.manifest_key) == (FIRST.key, manifest_key(SECOND.key))


def test_a_third_night_refers_to_the_package_and_not_to_the_reference(
    store: Store, baseline: BaselineOf
) -> None:
    copy = second_night(store, baseline).manifest
    third = store_package(store, Canvas(package("2026-11-25")), draft=draft(503), baseline=BaselineOf(copy))
    assert third.key == FIRST.key
    assert files(store) == {*NIGHT_TWO, manifest_key(draft(503).key)}


def test_a_retry_finds_the_manifest_and_fetches_nothing(store: Store, baseline: BaselineOf) -> None:
    second_night(store, baseline)
    canvas = Canvas(TUESDAY)
    again = store_package(store, canvas, draft=SECOND, baseline=baseline)
    assert (again.was_stored, again.unchanged, canvas.downloads) == (True, True, 0)


@pytest.mark.parametrize(
    "data",
    [package("2026-11-24", b"another"), cartridge({PAGE: b"p"})],
    ids=["a page was edited", "a file was removed"],
)
def test_what_has_changed_is_stored(store: Store, baseline: BaselineOf, data: bytes) -> None:
    published = second_night(store, baseline, data)
    assert not published.unchanged
    assert files(store) == {*NIGHT_TWO, SECOND.key}
    assert store.read(SECOND.key) == data


def test_what_is_not_whole_is_stored_whatever_the_baseline(store: Store) -> None:
    data = cartridge(missing=["lost.pdf"])
    baseline = BaselineOf(store_package(store, Canvas(data), draft=FIRST).manifest)
    published = second_night(store, baseline, data)
    assert (published.unchanged, published.verdict) == (False, Verdict.INCOMPLETE)


@pytest.mark.parametrize("cut", [None, 7], ids=["gone", "cut"])
def test_a_package_that_is_gone_or_cut_is_not_referred_to(
    store: Store, baseline: BaselineOf, cut: int | None
) -> None:
    store.delete(FIRST.key)
    if cut:
        store.put(FIRST.key, [MONDAY[:-cut]])
    canvas = Canvas(TUESDAY)
    published = store_package(store, canvas, draft=SECOND, baseline=baseline)
    assert (published.unchanged, canvas.downloads) == (False, 2)
    assert store.read(SECOND.key) == TUESDAY


def test_a_package_that_vanishes_just_before_the_manifest_is_found_out_and_stored_anew(
    store: Store, baseline: BaselineOf
) -> None:
    hasty = Quicker(store, "put_if_absent", lambda: store.delete(FIRST.key))
    published = second_night(hasty, baseline)
    assert not published.unchanged
    assert files(store) == {manifest_key(FIRST.key), SECOND.key, manifest_key(SECOND.key)}
    assert Manifest.from_json(store.read(manifest_key(SECOND.key))).package.key == SECOND.key


def test_a_reference_whose_package_is_gone_is_replaced_by_a_package_when_its_export_is_carried_again(
    store: Store, baseline: BaselineOf
) -> None:
    second_night(store, baseline)
    store.delete(FIRST.key)
    published = second_night(store, baseline)
    assert not published.unchanged
    assert store.read(SECOND.key) == TUESDAY


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_between_any_two_steps_no_manifest_names_what_is_not_there_and_the_retry_ends_well(
    tmp_path: Path, after: bool
) -> None:
    steps = 0
    while True:
        steps += 1
        with open_store(f"file://{tmp_path}/{steps}") as store:
            baseline = BaselineOf(store_package(store, Canvas(MONDAY), draft=FIRST).manifest)
            dying = Dying(store, steps, after=after)
            with suppress(Killed):
                second_night(dying, baseline)
            assert files(store) in (NIGHT_ONE, NIGHT_TWO)
            assert second_night(store, baseline).unchanged
            assert files(store) == NIGHT_TWO
            assert store.read(FIRST.key) == MONDAY
        if dying.survived:
            break
    assert steps > 5


class Failing(Dying):
    def _die(self) -> None:
        self.survived = False
        raise ArchiveUnavailableError("the store fails")


def test_a_store_that_fails_at_any_step_leaves_nothing_half(tmp_path: Path) -> None:
    steps = 0
    while True:
        steps += 1
        with open_store(f"file://{tmp_path}/{steps}") as store:
            baseline = BaselineOf(store_package(store, Canvas(MONDAY), draft=FIRST).manifest)
            failing = Failing(store, steps, after=False)
            with suppress(ArchiveUnavailableError):
                second_night(failing, baseline)
            assert files(store) in (NIGHT_ONE, NIGHT_TWO)
            assert second_night(store, baseline).unchanged
        if failing.survived:
            break
    assert steps > 5


def test_two_attempts_at_one_unchanged_course_end_in_one_manifest(store: Store, baseline: BaselineOf) -> None:
    first: list[Published] = []
    quicker = Quicker(store, "put_if_absent", lambda: first.append(second_night(store, baseline)))
    second = second_night(quicker, baseline)
    assert (second.was_stored, second.unchanged) == (True, True)
    assert second.manifest.run == first[0].manifest.run
    assert files(store) == NIGHT_TWO


def test_a_sweep_leaves_a_package_that_only_a_later_manifest_names(
    store: Store, baseline: BaselineOf
) -> None:
    """As when retention has deleted the first copy and keeps the second, which names the same package."""
    second_night(store, baseline)
    store.delete(manifest_key(FIRST.key))
    assert sweep(store, grace=timedelta(seconds=-5)).packages == 0
    assert files(store) == NIGHT_TWO - {manifest_key(FIRST.key)}
    store.delete(manifest_key(SECOND.key))
    assert sweep(store, grace=timedelta(seconds=-5)).packages == 1
