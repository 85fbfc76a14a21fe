from __future__ import annotations

from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.archive.layout import check_template, manifest_key
from canvas_exports.core.archive.records import RecordKind, RecordName, is_manifest_key, read_record_name
from canvas_exports.errors import InputError

MANIFEST = "courses/101/20261123T020000Z-common_cartridge-501.json"
AT = datetime(2026, 11, 30, 3, 15, tzinfo=timezone.utc)

WORDS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=12)
MOMENTS = st.integers(0, 2**32).map(lambda seconds: datetime.fromtimestamp(seconds, timezone.utc))


def test_a_records_name_tells_what_was_done_when_and_how_it_ended() -> None:
    name = RecordName(MANIFEST, RecordKind.VERIFY, AT, "full", "intact")
    assert (
        name.key
        == "courses/101/20261123T020000Z-common_cartridge-501.verify-20261130T031500Z-full-intact.json"
    )


@given(st.sampled_from(RecordKind), MOMENTS, WORDS, WORDS)
def test_what_a_name_says_can_be_read_back(kind: RecordKind, at: datetime, detail: str, result: str) -> None:
    name = RecordName(MANIFEST, kind, at, detail, result)
    assert read_record_name(name.key) == name
    assert not is_manifest_key(name.key)


@pytest.mark.parametrize(
    "key",
    [
        MANIFEST,
        "courses/101/20261123T020000Z-common_cartridge-501.imscc",
        "courses/101/x-501.verify-20260230T000000Z-full-intact.json",
        "courses/101/x-501.verify-20261130T031500Z-full.json",
        "courses/101/x-501.audit-20261130T031500Z-full-intact.json",
    ],
)
def test_no_other_key_is_taken_for_a_record(key: str) -> None:
    assert read_record_name(key) is None


@pytest.mark.parametrize(("detail", "result"), [("", "intact"), ("full", "in-tact"), ("Full", "intact")])
def test_a_word_that_could_not_be_read_back_is_refused(detail: str, result: str) -> None:
    with pytest.raises(ValueError, match="not a record's name"):
        _ = RecordName(MANIFEST, RecordKind.VERIFY, AT, detail, result).key


def test_only_manifests_of_contexts_are_manifests() -> None:
    assert is_manifest_key(MANIFEST)
    assert is_manifest_key(manifest_key("users/3/20261123T020000Z-zip-7.zip"))
    assert not is_manifest_key("runs/2026-11-23/nightly/run/report.json")
    assert not is_manifest_key("courses/101/20261123T020000Z-common_cartridge-501.imscc")


@pytest.mark.parametrize(
    "template",
    [
        "{export_id}.verify-20261130T031500Z-full-intact",
        "a.drill-{name}/{export_id}",
        "a.hold-{name}/{export_id}",
    ],
)
def test_no_template_can_name_a_package_like_a_record(template: str) -> None:
    with pytest.raises(InputError, match="records of verifications"):
        check_template(template)


def test_the_longest_record_of_the_longest_name_is_a_key() -> None:
    stem = "x" * 186 + "-501"
    manifest = f"courses/9999999999999999999/{stem}.json"
    assert RecordName(manifest, RecordKind.VERIFY, AT, "directory", "vanished").key
