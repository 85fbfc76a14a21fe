"""The plan: every copy with its decision; holds, locks, shared packages, strangers and what cannot be read."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.archives.random_archives import ARCHIVES, FAR, NOW, Shelf, Spec, laid
from tests.support.archives.retention_plans import KEEP_ONE, night, plan, policies

from canvas_exports.core.archive.catalog.read import every_context
from canvas_exports.core.archive.records import RecordKind, RecordName
from canvas_exports.core.archive.retention.holds import Holds, tags_on
from canvas_exports.core.archive.retention.plan import UNCLEAR, Decision, Plan
from canvas_exports.core.archive.retention.policy import Policy
from canvas_exports.core.packages.proof import Verdict
from canvas_exports.errors import InputError


def decided(made: Plan, decision: Decision) -> set[int]:
    """The numbers of the exports whose copies have this decision."""
    return {
        int(copy.key.removesuffix(".json").rpartition("-")[2])
        for context in made.contexts
        for copy in context.of(decision)
    }


def deleted(shelf: Shelf, policy: Policy = KEEP_ONE, **options: Any) -> set[int]:
    return decided(plan(shelf, policy, **options), Decision.DELETE)


def test_every_copy_is_in_it_with_its_decision_and_the_rules_that_keep_it() -> None:
    (context,) = plan(laid([night(2), night(1)]), Policy(last=1, daily=1)).contexts
    assert [(copy.decision.value, copy.reasons) for copy in context.copies] == [
        ("delete", ()),
        ("keep", ("last", "daily", "proven")),
    ]
    assert context.name == "course:101"


def test_making_one_changes_nothing() -> None:
    shelf = laid([night(day) for day in range(5)])
    before = dict(shelf.objects)
    plan(shelf)
    assert shelf.objects == before


def let_go(shelf: Shelf, policy: Policy) -> set[int]:
    """What the rules let go, though the store may not."""
    made = plan(shelf, policy)
    return decided(made, Decision.DELETE) | decided(made, Decision.LOCKED)


class TestGroups:
    def test_each_course_and_type_is_counted_by_itself(self) -> None:
        shelf = laid([night(3), night(2, export_type="zip"), night(1, course=102), night(4)])
        assert deleted(shelf) == {4}

    def test_an_export_of_some_pages_is_no_copy_of_the_course(self) -> None:
        shelf = laid([night(3), night(2), night(1, select="4")])
        assert deleted(shelf) == {1}

    def test_a_backup_never_looks_at_the_copies_of_another(self) -> None:
        shelf = laid([night(4), night(3, dag_id="weekly"), night(2, dag_id=None), night(1)])
        made = plan(shelf, backup="nightly")
        assert decided(made, Decision.DELETE) == {1}
        assert decided(made, Decision.KEEP) == {4}
        assert made.others == 2

    def test_by_hand_all_of_them_can_be_meant(self) -> None:
        shelf = laid([night(4), night(3, dag_id="weekly"), night(2, dag_id=None), night(1)])
        assert deleted(shelf) == {1, 2, 3}

    def test_the_newest_proven_copy_of_all_backups_stays_whichever_made_it(self) -> None:
        shelf = laid([night(4, dag_id="weekly"), night(9)])
        assert deleted(shelf, backup="nightly") == set()
        assert deleted(shelf, backup="weekly") == set()


class TestTime:
    def test_is_that_of_the_manifest_and_not_of_the_name_or_the_object(self) -> None:
        shelf = laid([night(1), night(2)])
        (old, _), (young, _) = list(shelf.objects.items())[2:4], list(shelf.objects.items())[:2]
        for key, moment in ((old[0], NOW), (young[0], NOW - timedelta(days=900))):
            shelf.objects[key] = (shelf.objects[key][0], moment)
        assert deleted(shelf) == {2}

    def test_a_damaged_copy_is_not_proven_and_takes_no_place(self) -> None:
        assert deleted(laid([night(3), night(2), night(1, verified="damaged")])) == {1}

    def test_a_copy_whose_package_is_gone_is_not_proven(self) -> None:
        assert deleted(laid([night(3), night(2), night(1, vanished=True)])) == {1}


class TestHolds:
    def test_by_course_by_term_and_by_tag(self) -> None:
        specs = [
            night(5),
            night(4, tag="legal"),
            night(3, term="Spring 2026"),
            night(2),
            night(8, course=102),
            night(7, course=102),
        ]
        policy = Policy(last=1, holds=Holds.of(["course:102"], ["spring 2026"]))
        made = plan(laid(specs), policy)
        assert decided(made, Decision.DELETE) == {1}
        reasons = {copy.reasons for context in made.contexts for copy in context.copies if copy.reasons}
        assert reasons >= {("hold tag legal",), ("hold term spring 2026",), ("hold course:102",)}

    def test_by_sis_id_of_any_copy_of_the_course(self) -> None:
        """A token that lost the right to see SIS ids must not end a hold."""
        specs = [night(3, sis_id=None), night(2, sis_id="BIO-101"), night(1, sis_id=None)]
        policy = Policy(last=1, holds=Holds.of(["sis_course_id:BIO-101"]))
        assert deleted(laid(specs), policy) == set()

    def test_by_uuid(self) -> None:
        assert Holds.of(["uuid:abc"]).contexts

    @pytest.mark.parametrize("text", ["user:self", "lti_context_id:abc", "course:sis_integration_id:1", "?"])
    def test_by_what_no_manifest_tells_is_refused(self, text: str) -> None:
        with pytest.raises(InputError, match=r"hold\.courses"):
            Holds.of([text])

    def test_one_that_lies_on_nothing_is_reported(self) -> None:
        policy = Policy(last=1, holds=Holds.of([999, 101], ["Fal 2026", "Fall 2026"]))
        assert plan(laid([night(1)]), policy).unmatched == ("hold course:999", "hold term Fal 2026")

    def test_a_tag_holds_every_copy_that_names_the_package(self) -> None:
        assert deleted(laid([night(4, tag="legal"), night(3, shares=1), night(2), night(1)])) == {3}

    def test_a_tag_stands_until_it_is_lifted(self) -> None:
        def tag(word: str, hours: int, result: str) -> RecordName:
            return RecordName("m.json", RecordKind.HOLD, NOW + timedelta(hours=hours), word, result)

        records = [tag("legal", 0, "set"), tag("audit", 0, "set"), tag("audit", 1, "lifted")]
        assert tags_on(records) == ("legal",)
        assert tags_on([*records, tag("audit", 2, "set")]) == ("audit", "legal")
        assert tags_on([tag("legal", 0, "set"), tag("legal", 0, "lifted")]) == ("legal",)
        assert tags_on([tag("legal", 0, "lifted"), tag("legal", 0, "set")]) == ("legal",)


class TestLocks:
    @pytest.mark.parametrize("lock", ["manifest", "package"])
    def test_a_locked_copy_is_a_line_and_its_package_stays(self, lock: str) -> None:
        made = plan(laid([night(3, lock=lock), night(2), night(1)]))
        assert decided(made, Decision.LOCKED) == {1}
        assert decided(made, Decision.DELETE) == {2}
        (copy,) = made.contexts[0].of(Decision.LOCKED)
        assert copy.reasons == ("locked until 2030-01-01T00:00:00Z",)
        assert copy.package not in made.contexts[0].sizes

    def test_a_hold_of_the_store_has_no_end(self) -> None:
        shelf = laid([night(3, lock="package"), night(1)])
        shelf.locks = dict.fromkeys(shelf.locks, datetime.max.replace(tzinfo=timezone.utc))
        (copy,) = plan(shelf).contexts[0].of(Decision.LOCKED)
        assert copy.reasons == ("locked until its hold is lifted",)

    def test_only_what_may_go_is_looked_up(self) -> None:
        shelf = laid([night(1), night(2, course=102), night(1, course=102)])
        asked: list[str] = []
        shelf.before = lambda operation, key: asked.append(key) if operation == "lock_of" else None
        plan(shelf)
        assert len(asked) == 2
        assert all("-2." in key for key in asked)

    def test_a_lock_on_a_package_that_stays_is_of_no_account(self) -> None:
        shelf = laid([night(3), night(1, shares=1)])
        shelf.locks = {key: FAR for key in shelf.objects if key.endswith(".imscc")}
        assert deleted(shelf) == {1}


class TestPackages:
    def test_one_that_a_kept_manifest_names_stays(self) -> None:
        made = plan(laid([night(3), night(2, shares=1), night(1, shares=1)]))
        assert decided(made, Decision.DELETE) == {1, 2}
        assert made.contexts[0].sizes == {}

    def test_one_that_another_backup_names_stays(self) -> None:
        made = plan(laid([night(3), night(2, shares=1, dag_id="weekly"), night(1)]), backup="nightly")
        assert decided(made, Decision.DELETE) == {1}
        assert made.contexts[0].sizes == {}

    def test_it_says_how_many_bytes_go(self) -> None:
        made = plan(laid([night(3), night(2), night(1)]))
        assert made.freed_bytes == 2 * len(b"a package")


class TestUnreadable:
    @pytest.mark.parametrize("number", [1, 2, 3, 4])
    def test_one_manifest_that_cannot_be_read_keeps_everything_of_its_course(self, number: int) -> None:
        shelf = laid([night(4), night(3), night(2), night(1)])
        broken = next(key for key in shelf.objects if key.endswith(f"-{number}.json"))
        shelf.lay(broken, b"{}")
        laid([night(2, course=102), night(1, course=102)], shelf, first_id=11)
        made = plan(shelf)
        assert decided(made, Decision.DELETE) == {11}
        assert broken in made.contexts[0].notes[0]
        assert broken.replace(".json", ".imscc") not in made.contexts[0].sizes

    def test_one_without_a_package_of_its_own_may_need_any_so_all_stay(self) -> None:
        shelf = laid([night(4), night(3), night(2), night(1, course=102), night(2, course=102)])
        shelf.lay("courses/101/20270101T000000Z-common_cartridge-77.json", b'{"schema": "of the future"}')
        made = plan(shelf)
        assert decided(made, Decision.DELETE) == {5}
        assert made.contexts[0].copies[0].reasons == (UNCLEAR,)

    def test_a_context_of_which_nothing_can_be_read_is_reported(self) -> None:
        shelf = Shelf()
        shelf.lay("courses/101/20270101T000000Z-common_cartridge-77.json", b"")
        (context,) = plan(shelf).contexts
        assert context.is_idle
        assert context.notes


@settings(max_examples=60, deadline=None)
@given(policies(), ARCHIVES, st.randoms(use_true_random=False))
def test_the_order_of_a_listing_is_of_no_account(policy: Policy, specs: list[Spec], random: Any) -> None:
    shelf = laid(specs)
    made = plan(shelf, policy, backup="nightly")
    places = {key: random.random() for key in shelf.objects}
    shelf.order = lambda key: places[key]
    assert plan(shelf, policy, backup="nightly") == made


@settings(max_examples=100, deadline=None)
@given(policies(), ARCHIVES)
def test_holds_are_kept_and_a_larger_hold_keeps_more(policy: Policy, specs: list[Spec]) -> None:
    shelf = laid(specs)
    held = replace(policy, holds=Holds.of(["102"], ["Fall 2026"]))
    with_holds, without = let_go(shelf, held), let_go(shelf, policy)
    assert with_holds <= without
    copies = [copy for holding in every_context(shelf) for copy in holding.copies]
    safe = {
        copy.export.id
        for copy in copies
        if copy.context.id == 102 or copy.context.term == "Fall 2026" or tags_on(copy.records)
    }
    assert not with_holds & safe


def test_copies_that_are_not_proven_go_by_the_same_rules_among_themselves() -> None:
    specs = [night(day, verdict=Verdict.EMPTY) for day in (3, 2)]
    assert deleted(laid(specs)) == {1}
