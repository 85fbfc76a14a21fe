"""A copy is confirmed by a manifest of its own, which never names what is not there."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.support.archives.publishing import FIRST, MONDAY, Canvas, Dying, Killed, files, store_package

from canvas_exports.core.archive.catalog.read import copies_of
from canvas_exports.core.archive.layout import DEFAULT_TEMPLATE, manifest_key
from canvas_exports.core.archive.manifest import Manifest, read_manifest
from canvas_exports.core.archive.publishing.references import confirm_copy
from canvas_exports.core.archive.sweep import sweep
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.store import Store

RUN = RunFacts("canvas_exports 0.2.0", "nightly", "night-2")
AT = FIRST.export.created_at + timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path.as_uri(), tmp_path)


@pytest.fixture
def copy(store: FileStore) -> Manifest:
    return store_package(store, Canvas(MONDAY), draft=FIRST).manifest


def confirm(
    store: Store, copy: Manifest, at: datetime = AT, run: RunFacts = RUN, template: str = DEFAULT_TEMPLATE
) -> Manifest | None:
    return confirm_copy(store, copy, confirmed_at=at, run=run, template=template)


def test_the_manifest_repeats_the_copy_under_a_name_of_its_own(store: FileStore, copy: Manifest) -> None:
    before = files(store)
    confirmed = confirm(store, copy)
    assert confirmed is not None
    (key,) = files(store) - before
    assert key == manifest_key(FIRST.key).replace(
        f"{FIRST.export.created_at:%Y%m%dT%H%M%SZ}", f"{AT:%Y%m%dT%H%M%SZ}"
    )
    written = read_manifest(store, key)
    assert written == confirmed == replace(copy, run=RUN, confirmed_at=AT, stored_at=written.stored_at)


def test_again_with_the_same_time_nothing_is_written(store: FileStore, copy: Manifest) -> None:
    first = confirm(store, copy)
    before = files(store)
    assert confirm(store, copy, run=replace(RUN, attempt=2)) == first
    assert files(store) == before


def test_what_this_run_has_confirmed_is_not_confirmed_at_another_time(
    store: FileStore, copy: Manifest
) -> None:
    first = confirm(store, copy)
    assert first is not None
    before = files(store)
    assert confirm(store, first, AT + timedelta(hours=1)) == first
    assert files(store) == before
    assert confirm(store, first, AT + timedelta(days=1), replace(RUN, run_id="night-3")) != first
    assert len(files(store)) == len(before) + 1


@pytest.mark.parametrize("template", ["{export_id}", "{created}-{export_id}", "{term}/{name}-{export_id}"])
def test_every_night_has_a_manifest_whatever_the_template(
    store: FileStore, copy: Manifest, template: str
) -> None:
    for night in range(1, 4):
        run = replace(RUN, run_id=f"night-{night}")
        assert confirm(store, copy, FIRST.export.created_at + timedelta(days=night), run, template)
    holding = copies_of(store, "course", copy.context.id)
    assert len(holding.copies) == 4
    assert not holding.unreadable
    assert {each.package.key for each in holding.copies} == {FIRST.key}


@pytest.mark.parametrize("cut", [True, False])
def test_a_package_that_is_gone_or_cut_is_not_confirmed(store: FileStore, copy: Manifest, cut: bool) -> None:
    store.delete(FIRST.key)
    if cut:
        store.put(FIRST.key, [MONDAY[:-1]])
    before = files(store)
    assert confirm(store, copy) is None
    assert files(store) == before


class Vanishing(FileStore):
    """A store whose package is deleted as soon as a manifest is written."""

    def put_if_absent(self, key: str, data: bytes) -> bool:
        written = super().put_if_absent(key, data)
        self.delete(FIRST.key)
        return written


def test_a_package_that_vanishes_meanwhile_leaves_no_manifest(
    store: FileStore, copy: Manifest, tmp_path: Path
) -> None:
    assert confirm(Vanishing(tmp_path.as_uri(), tmp_path), copy) is None
    assert files(store) == {manifest_key(FIRST.key)}


def test_another_document_under_its_name_is_not_replaced(store: FileStore, copy: Manifest) -> None:
    other = replace(copy, confirmed_at=AT, package=replace(copy.package, size=1))
    key = manifest_key(FIRST.key).replace(f"{FIRST.export.created_at:%Y%m%dT%H%M%SZ}", f"{AT:%Y%m%dT%H%M%SZ}")
    store.put_if_absent(key, other.to_json())
    assert confirm(store, copy) is None
    assert read_manifest(store, key).package.size == 1


class Locking(FileStore):
    """A store that notes what it locks, in order with what it writes."""

    def __init__(self, uri: str, folder: Path) -> None:
        super().__init__(uri, folder)
        self.steps: list[tuple[str, str]] = []

    def lock(self, key: str) -> None:
        self.steps.append(("lock", key))

    def put_if_absent(self, key: str, data: bytes) -> bool:
        self.steps.append(("write", key))
        return super().put_if_absent(key, data)


def test_package_and_manifest_are_locked(copy: Manifest, tmp_path: Path) -> None:
    locking = Locking(tmp_path.as_uri(), tmp_path)
    assert confirm(locking, copy) is not None
    (package, written, locked) = locking.steps
    assert package == ("lock", FIRST.key)
    assert (written[0], locked) == ("write", ("lock", written[1]))


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_between_any_two_steps_the_next_attempt_confirms_once(tmp_path: Path, after: bool) -> None:
    steps, survived = 0, False
    while not survived:
        steps += 1
        folder = tmp_path / str(steps)
        folder.mkdir()
        plain = FileStore(folder.as_uri(), folder)
        copy = store_package(plain, Canvas(MONDAY), draft=FIRST).manifest
        dying = Dying(plain, steps, after=after)
        with suppress(Killed):
            confirm(dying, copy)
        survived = dying.survived
        assert all(each.is_present for each in copies_of(plain, "course", copy.context.id).copies)
        assert confirm(plain, copy) is not None
        assert len(files(plain)) == 3
    assert steps > 3


def test_the_sweep_leaves_a_package_that_only_a_confirmation_names(store: FileStore, copy: Manifest) -> None:
    assert confirm(store, copy) is not None
    store.delete(manifest_key(FIRST.key))
    assert sweep(store, grace=timedelta(seconds=-5)).packages == 0
    assert FIRST.key in files(store)
