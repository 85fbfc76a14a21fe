"""A package that repeats a stored one: recognised at its last byte, and referred to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.core.archive.publishing.test_publish import Canvas, Dying, Killed, Quicker, files, store_package
from tests.support.packages.build import PAGE, cartridge, cartridge_files, draft, zipped

from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.archive.publishing.publish import Published
from canvas_exports.core.archive.sweep import sweep
from canvas_exports.core.packages.proof import Verdict
from canvas_exports.core.storage.buffers import MIN_BLOCK_SIZE
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import ArchiveUnavailableError

NOISE = hashlib.shake_128(b"v").digest(MIN_BLOCK_SIZE)
FIRST, SECOND = draft(501), draft(502)


def package(day: str, page: bytes = b"p", *, video: bytes = NOISE) -> bytes:
    return zipped(cartridge_files({PAGE: page, "web_resources/video.mp4": video}, day=day))


MONDAY, TUESDAY = package("2026-11-23"), package("2026-11-24")
NIGHT_ONE = {FIRST.key, manifest_key(FIRST.key)}
NIGHT_TWO = {*NIGHT_ONE, manifest_key(SECOND.key)}


class Remembering:
    """Knows one copy."""

    def __init__(self, copy: Manifest) -> None:
        self._copy = copy

    def __call__(self) -> Manifest:
        return self._copy


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"file://{tmp_path}/canvas") as opened:
        yield opened


@pytest.fixture
def known(store: Store) -> Remembering:
    return Remembering(store_package(store, Canvas(MONDAY), draft=FIRST).manifest)


def second_night(store: Store, known: Remembering, data: bytes = TUESDAY, **more: Any) -> Published:
    return store_package(store, Canvas(data), draft=SECOND, known=known, **more)


def test_packages_of_two_nights_differ_and_hold_the_same(store: Store, known: Remembering) -> None:
    assert MONDAY != TUESDAY
    published = second_night(store, known)
    assert (published.unchanged, published.already, published.verdict) == (True, False, Verdict.WHOLE)
    assert files(store) == NIGHT_TWO
    assert store.read(FIRST.key) == MONDAY


def test_the_manifest_of_tonight_tells_of_tonights_export_and_names_the_stored_package(
    store: Store, known: Remembering
) -> None:
    published = second_night(store, known)
    manifest = Manifest.from_json(store.read(manifest_key(SECOND.key)))
    assert manifest.export == SECOND.export
    assert manifest.package == published.manifest.package
    assert (manifest.package.key, manifest.package.sha256) == (FIRST.key, hashlib.sha256(MONDAY).hexdigest())
    assert (published.key, published.manifest_key) == (FIRST.key, manifest_key(SECOND.key))


def test_a_third_night_refers_to_the_package_and_not_to_the_reference(
    store: Store, known: Remembering
) -> None:
    copy = second_night(store, known).manifest
    third = store_package(store, Canvas(package("2026-11-25")), draft=draft(503), known=Remembering(copy))
    assert third.key == FIRST.key
    assert files(store) == {*NIGHT_TWO, manifest_key(draft(503).key)}


def test_a_retry_finds_the_manifest_and_fetches_nothing(store: Store, known: Remembering) -> None:
    second_night(store, known)
    canvas = Canvas(TUESDAY)
    again = store_package(store, canvas, draft=SECOND, known=known)
    assert (again.already, again.unchanged, canvas.downloads) == (True, True, 0)


@pytest.mark.parametrize(
    "data",
    [package("2026-11-24", b"another"), cartridge({PAGE: b"p"})],
    ids=["a page was edited", "a file was removed"],
)
def test_what_has_changed_is_stored(store: Store, known: Remembering, data: bytes) -> None:
    published = second_night(store, known, data)
    assert not published.unchanged
    assert files(store) == {*NIGHT_TWO, SECOND.key}
    assert store.read(SECOND.key) == data


def test_what_is_not_whole_is_stored_whatever_is_known(store: Store) -> None:
    data = cartridge(missing=["lost.pdf"])
    known = Remembering(store_package(store, Canvas(data), draft=FIRST).manifest)
    published = second_night(store, known, data)
    assert (published.unchanged, published.verdict) == (False, Verdict.INCOMPLETE)


@pytest.mark.parametrize("cut", [None, 7], ids=["gone", "cut"])
def test_a_package_that_is_gone_or_cut_is_not_referred_to(
    store: Store, known: Remembering, cut: int | None
) -> None:
    store.delete(FIRST.key)
    if cut:
        store.put(FIRST.key, [MONDAY[:-cut]])
    canvas = Canvas(TUESDAY)
    published = store_package(store, canvas, draft=SECOND, known=known)
    assert (published.unchanged, canvas.downloads) == (False, 2)
    assert store.read(SECOND.key) == TUESDAY


def test_a_package_that_vanishes_just_before_the_manifest_is_found_out_and_stored_anew(
    store: Store, known: Remembering
) -> None:
    hasty = Quicker(store, "put_if_absent", lambda: store.delete(FIRST.key))
    published = second_night(hasty, known)
    assert not published.unchanged
    assert files(store) == {manifest_key(FIRST.key), SECOND.key, manifest_key(SECOND.key)}
    assert Manifest.from_json(store.read(manifest_key(SECOND.key))).package.key == SECOND.key


def test_a_reference_whose_package_is_gone_is_replaced_by_a_package_when_its_export_is_carried_again(
    store: Store, known: Remembering
) -> None:
    second_night(store, known)
    store.delete(FIRST.key)
    published = second_night(store, known)
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
            known = Remembering(store_package(store, Canvas(MONDAY), draft=FIRST).manifest)
            dying = Dying(store, steps, after=after)
            with suppress(Killed):
                second_night(dying, known)
            assert files(store) in (NIGHT_ONE, NIGHT_TWO)
            assert second_night(store, known).unchanged
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
            known = Remembering(store_package(store, Canvas(MONDAY), draft=FIRST).manifest)
            failing = Failing(store, steps, after=False)
            with suppress(ArchiveUnavailableError):
                second_night(failing, known)
            assert files(store) in (NIGHT_ONE, NIGHT_TWO)
            assert second_night(store, known).unchanged
        if failing.survived:
            break
    assert steps > 5


def test_two_attempts_at_one_unchanged_course_end_in_one_manifest(store: Store, known: Remembering) -> None:
    first: list[Published] = []
    quicker = Quicker(store, "put_if_absent", lambda: first.append(second_night(store, known)))
    second = second_night(quicker, known)
    assert (second.already, second.unchanged) == (True, True)
    assert second.manifest.run == first[0].manifest.run
    assert files(store) == NIGHT_TWO


def test_a_sweep_leaves_a_package_that_only_a_later_manifest_names(store: Store, known: Remembering) -> None:
    """As when retention has deleted the first copy and keeps the second, which names the same package."""
    second_night(store, known)
    store.delete(manifest_key(FIRST.key))
    assert sweep(store, grace=timedelta(seconds=-5)).packages == 0
    assert files(store) == NIGHT_TWO - {manifest_key(FIRST.key)}
    store.delete(manifest_key(SECOND.key))
    assert sweep(store, grace=timedelta(seconds=-5)).packages == 1
