"""What is known of a copy, from its manifest and the names of records alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.archives.holdings import DAY, START, manifest

from canvas_exports.core.archive.catalog.copies import Copy, newest, newest_first, oldest_first
from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.records import RecordKind, RecordName
from canvas_exports.core.packages.proof import Verdict

MANIFEST = manifest()
KEY = manifest_key(MANIFEST.package.key)


def verified(
    result: str, level: str = "full", day: int = 7, kind: RecordKind = RecordKind.VERIFY
) -> RecordName:
    return RecordName(KEY, kind, START + day * DAY, level, result)


def copy(*records: RecordName, verdict: Verdict = Verdict.WHOLE, is_present: bool = True) -> Copy:
    return Copy.of(KEY, manifest(verdict=verdict), is_present=is_present, records=records)


class TestProven:
    def test_a_whole_copy_that_nobody_has_looked_at_since(self) -> None:
        assert copy().is_proven
        assert not copy().is_damaged

    def test_an_incomplete_or_empty_one_is_not(self) -> None:
        assert not copy(verdict=Verdict.INCOMPLETE).is_proven
        assert not copy(verdict=Verdict.EMPTY).is_proven

    @pytest.mark.parametrize("result", ["damaged", "vanished"])
    def test_not_once_a_verification_found_damage(self, result: str) -> None:
        assert not copy(verified(result)).is_proven
        assert copy(verified(result)).is_damaged

    def test_the_newest_verification_counts(self) -> None:
        assert copy(verified("damaged", day=1), verified("intact", day=2)).is_proven
        assert not copy(verified("intact", day=1), verified("damaged", day=2)).is_proven

    def test_a_shallow_look_does_not_undo_what_a_deep_one_found(self) -> None:
        found = copy(verified("damaged", "full", day=1), verified("intact", "directory", day=2))
        assert found.is_damaged
        assert not copy(
            verified("damaged", "full", day=1),
            verified("intact", "directory", day=2),
            verified("intact", "full", day=3),
        ).is_damaged

    def test_a_package_that_vanished_and_is_back(self) -> None:
        assert copy(verified("vanished", "full", day=1), verified("intact", "directory", day=2)).is_proven

    def test_of_two_verifications_in_one_second_the_bad_one_counts(self) -> None:
        assert copy(verified("intact"), verified("damaged")).is_damaged
        assert copy(verified("damaged"), verified("intact")).is_damaged

    def test_not_if_its_package_is_not_there(self) -> None:
        assert copy(is_present=False).is_damaged
        assert not copy(verified("intact"), is_present=False).is_proven

    def test_a_failed_drill_is_no_damage(self) -> None:
        drill = verified("failed", "course", kind=RecordKind.DRILL)
        assert copy(drill).is_proven
        assert copy(drill, verified("intact")).newest_drill == drill
        assert copy(drill).newest_verification is None


class TestDepth:
    def test_of_the_first_proof(self) -> None:
        assert copy().is_proven_to("directory")
        assert not copy().is_proven_to("full")
        assert replace(copy(), level="full").is_proven_to("full")

    def test_of_any_verification_since(self) -> None:
        assert copy(verified("intact", day=1), verified("intact", "directory", day=2)).is_proven_to("full")

    def test_never_of_a_damaged_one(self) -> None:
        assert not copy(verified("intact", day=1), verified("damaged", day=2)).is_proven_to("directory")


class TestTime:
    def test_is_that_of_the_export_whatever_the_names_say(self) -> None:
        older = Copy.of("courses/101/z.json", manifest(day=1))
        newer = Copy.of("courses/101/a.json", manifest(day=2))
        assert oldest_first([newer, older]) == [older, newer]
        assert newest([older, newer]) == newest([newer, older]) == newer

    def test_none_of_none(self) -> None:
        assert newest([]) is None

    def test_in_the_same_second_the_later_export(self) -> None:
        first, second = (
            Copy.of(f"courses/101/{number}.json", manifest(export_id=number)) for number in (9, 10)
        )
        assert newest([second, first]) == second

    def test_records_are_newest_first(self) -> None:
        first = verified("intact", day=1)
        later = replace(first, at=first.at + timedelta(seconds=1))
        assert newest_first([first, later]) == (later, first)
