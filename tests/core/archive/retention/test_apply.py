"""A plan is carried out and nothing else; whatever kills it, what is left is right, and a later run finishes."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from tests.support.archives.holdings import lay, manifest
from tests.support.archives.publishing import Dying, Killed
from tests.support.archives.random_archives import ARCHIVES, NOW, Shelf, Spec, laid
from tests.support.archives.retention_plans import KEEP_ONE, night, plan, policies

from canvas_exports.core.archive.catalog.read import every_context
from canvas_exports.core.archive.records import is_manifest_key, read_record_name
from canvas_exports.core.archive.retention.apply import Applied, apply_plan
from canvas_exports.core.archive.retention.plan import Decision, Plan, make_plan
from canvas_exports.core.archive.retention.policy import Policy
from canvas_exports.core.archive.sweep import sweep
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.errors import ArchiveDeniedError, ArchiveUnavailableError, InputError


def whole(shelf: Shelf) -> set[str]:
    """The manifests whose package is there."""
    found = (copy for holding in every_context(shelf) for copy in holding.copies)
    return {copy.key for copy in found if copy.is_present}


def keys(made: Plan, decision: Decision) -> set[str]:
    return {copy.key for context in made.contexts for copy in context.of(decision)}


def run(shelf: Shelf, policy: Policy = KEEP_ONE, **options: Any) -> Applied:
    return apply_plan(shelf, plan(shelf, policy, **options))


@settings(max_examples=150, deadline=None)
@given(policies(), ARCHIVES)
def test_what_it_leaves_is_what_the_plan_keeps_each_with_its_package(
    policy: Policy, specs: list[Spec]
) -> None:
    shelf = laid(specs)
    before, had = set(shelf.objects), whole(shelf)
    made = plan(shelf, policy, backup="nightly")
    going = keys(made, Decision.DELETE)
    applied = apply_plan(shelf, made)
    left = set(shelf.objects)
    assert {key for key in before - left if is_manifest_key(key)} == going
    assert whole(shelf) == had - going
    named = {copy.package.key for holding in every_context(shelf) for copy in holding.copies}
    packages = {key for key in left if key.endswith((".imscc", ".zip"))}
    assert packages <= named
    stems = {key.rpartition(".")[0] for key in named}
    records = [name for name in map(read_record_name, left) if name]
    assert all(record.manifest.removesuffix(".json") in stems for record in records)
    assert applied.copies == len(going)
    assert applied.packages == sum(key.endswith((".imscc", ".zip")) for key in before - left)
    assert applied.notes == ()


@settings(max_examples=60, deadline=None)
@given(policies(), ARCHIVES)
def test_applied_twice_it_deletes_nothing_more(policy: Policy, specs: list[Spec]) -> None:
    shelf = laid(specs)
    run(shelf, policy)
    assert run(shelf, policy) == Applied()


def test_manifests_go_first_then_packages_then_records() -> None:
    shelf = laid([night(2, verified="intact"), night(1)])
    assert run(shelf) == Applied(copies=1, packages=1, bytes=9, records=1)
    kinds = ["manifest" if is_manifest_key(key) else key.rpartition(".")[2] for key in shelf.deleted]
    assert kinds == ["manifest", "imscc", "json"]


class TestStopping:
    @pytest.mark.parametrize(
        "change",
        [
            lambda shelf: laid([night(0)], shelf, first_id=50),
            lambda shelf: shelf.lay("courses/101/notes.txt", b"mine"),
            lambda shelf: shelf.objects.update(
                {key: (b"?", when) for key, (_, when) in shelf.objects.items()}
            ),
            lambda shelf: shelf.objects.update(
                {key: (data, NOW) for key, (data, _) in shelf.objects.items()}
            ),
            lambda shelf: shelf.objects.popitem(),
            lambda shelf: laid([night(2, verified="damaged")], shelf),
        ],
        ids=[
            "a new copy",
            "a stranger's file",
            "other sizes",
            "other times",
            "something gone",
            "a verification",
        ],
    )
    def test_a_context_that_has_changed_since_is_left_alone_and_reported(self, change: Any) -> None:
        shelf = laid([night(2), night(1)])
        made = plan(shelf)
        change(shelf)
        applied = apply_plan(shelf, made)
        assert applied == Applied(notes=("course:101 has changed since it was planned, and is left alone",))
        assert shelf.deleted == []

    def test_the_others_go_on(self) -> None:
        shelf = laid([night(2), night(1), night(2, course=102), night(1, course=102)])
        made = plan(shelf)
        shelf.lay("courses/101/notes.txt", b"mine")
        applied = apply_plan(shelf, made)
        assert applied.copies == 1
        assert applied.notes == ("course:101 has changed since it was planned, and is left alone",)

    def test_a_copy_that_came_in_the_last_moment_keeps_its_package(self) -> None:
        """A run that found the course unchanged names the old package while its manifests are being deleted."""
        shelf = laid([night(3), night(2)])
        made = plan(shelf)
        (old,) = made.contexts[0].of(Decision.DELETE)

        def unchanged(operation: str, key: str) -> None:
            if operation == "delete" and key == old.key:
                shelf.before = lambda *_: None
                late = laid([night(3), night(0, shares=1)], first_id=1)
                shelf.objects |= {key: late.objects[key] for key in late.objects if key.endswith("-2.json")}

        shelf.before = unchanged
        applied = apply_plan(shelf, made)
        assert (applied.copies, applied.packages) == (1, 0)
        assert old.package in shelf.objects

    def test_a_plan_that_would_delete_every_copy_of_a_context_is_refused(self) -> None:
        shelf = laid([night(2), night(1)])
        made = plan(shelf)
        copies = tuple(replace(copy, decision=Decision.DELETE) for copy in made.contexts[0].copies)
        emptying = replace(made, contexts=(replace(made.contexts[0], copies=copies),))
        with pytest.raises(InputError, match="every copy of course:101"):
            apply_plan(shelf, emptying)
        assert shelf.deleted == []


class TestLocked:
    def test_a_manifest_that_is_locked_after_all_is_reported_and_keeps_its_package(self) -> None:
        shelf = laid([night(3), night(2), night(1)])
        made = plan(shelf)
        first = made.contexts[0].copies[0]
        shelf.hidden_locks = {first.key}
        applied = apply_plan(shelf, made)
        assert applied.copies == 1
        assert applied.notes == (f"{first.key} was not deleted: it is locked",)
        assert {first.key, first.package} <= set(shelf.objects)

    def test_a_package_that_is_locked_after_all_is_reported(self) -> None:
        shelf = laid([night(3, verified="intact"), night(1)])
        made = plan(shelf)
        shelf.hidden_locks = {made.contexts[0].copies[0].package}
        applied = apply_plan(shelf, made)
        assert (applied.copies, applied.packages, applied.records) == (1, 0, 0)
        assert len(applied.notes) == 1


class TestKilled:
    @settings(max_examples=25, deadline=None)
    @given(policies(), ARCHIVES)
    def test_before_any_step_what_is_left_is_right_and_a_later_run_finishes(
        self, policy: Policy, specs: list[Spec]
    ) -> None:
        specs = [replace(spec, lock=None) for spec in specs]
        reference = laid(specs)
        made = plan(reference, policy)
        had, stays = whole(reference), keys(made, Decision.KEEP)
        apply_plan(reference, made)
        for step in range(1, 200):
            shelf = laid(specs)
            made = plan(shelf, policy)
            died = dying(shelf, step)
            with suppress(Killed):
                apply_plan(shelf, made)
            shelf.before = lambda *_: None
            assert had & stays <= whole(shelf), "a kept copy lost its package"
            assert {copy.key for each in every_context(shelf) for copy in each.copies} & had == whole(shelf)
            run(shelf, policy)
            sweep(shelf, grace=timedelta(days=2))
            run(shelf, policy)
            assert set(shelf.objects) == set(reference.objects)
            if not died:
                break

    def test_before_the_last_record_a_later_run_removes_it(self) -> None:
        shelf = laid([night(2, verified="intact"), night(1, verified="intact")])
        made = plan(shelf)
        (old,) = made.contexts[0].of(Decision.DELETE)
        died = dying(shelf, 7)  # two listings, two manifests read, a manifest and a package deleted
        with suppress(Killed):
            apply_plan(shelf, made)
        shelf.before = lambda *_: None
        assert died
        assert shelf.deleted == [old.key, old.package]
        (again,) = plan(shelf).contexts
        assert len(again.left_behind) == 1
        assert run(shelf) == Applied(records=1)
        assert run(shelf) == Applied()

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    def test_on_disk_before_or_after_any_step(self, tmp_path: Path, *, after: bool) -> None:
        for step in range(1, 60):
            with open_store(f"file://{tmp_path}/{step}") as store:
                first = lay(store, manifest(day=0, export_id=501))
                for day in range(1, 4):
                    lay(store, manifest(day=day, export_id=501 + day))
                lay(store, manifest(day=4, export_id=505), names=first)
                made = make_plan(store, Policy(last=2), now=NOW)
                stays = keys(made, Decision.KEEP)
                dies = Dying(store, step, after=after)
                with suppress(Killed):
                    apply_plan(dies, made)
                (holding,) = every_context(store)
                assert all(copy.is_present for copy in holding.copies)
                assert {copy.key for copy in holding.copies} >= stays
                apply_plan(store, make_plan(store, Policy(last=2), now=NOW))
                (holding,) = every_context(store)
                assert {copy.key for copy in holding.copies} == stays
            if dies.survived:
                return
        pytest.fail("it never came to an end")

    @pytest.mark.parametrize("error", [ArchiveUnavailableError("down"), ArchiveDeniedError("no right")])
    def test_an_archive_that_fails_is_not_passed_over(self, error: Exception) -> None:
        shelf = laid([night(2), night(1)])
        made = plan(shelf)

        def fail(operation: str, key: str) -> None:  # noqa: ARG001 - of every key
            if operation == "delete":
                raise error

        shelf.before = fail
        with pytest.raises(type(error)):
            apply_plan(shelf, made)


def dying(shelf: Shelf, step: int) -> list[int]:
    """Kill whatever uses the shelf at a step, and all that come after it; says at the end whether it came to that."""
    steps: list[int] = []
    died: list[int] = []

    def count(operation: str, key: str) -> None:  # noqa: ARG001 - of every operation
        steps.append(1)
        if len(steps) >= step:
            died.append(step)
            raise Killed

    shelf.before = count
    return died
