"""Whatever lies under the key of a document, its reader answers with what it says or with one error of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.archives.holdings import lay, manifest
from tests.support.archives.hostile_documents import SPOILT, TIMES, mutations
from tests.support.archives.random_archives import Shelf
from tests.support.archives.run_reports import outcome, report

from canvas_exports.core.archive.catalog.runs import RunSummary, outcomes_of, summary_of
from canvas_exports.core.archive.json_documents import (
    MAX_DEPTH,
    MAX_MANIFEST_BYTES,
    MAX_NUMBER,
    encoded,
    parse,
    read_bytes,
)
from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.manifest import Manifest, load_manifest, read_manifest
from canvas_exports.core.archive.run_report import Merger, OutcomeRecord, batch_document, records_of
from canvas_exports.core.archive.schemas import problem
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.packages.proof import Finding, Severity
from canvas_exports.core.text.wording import YEARS, format_time, parse_time
from canvas_exports.errors import UnreadableDocumentError

KEY = manifest_key(manifest().package.key)
VALID = manifest(facts={"name": "Biology", "sis_id": "BIO-101", "term": "Fall"}).to_json()
NOW = datetime(2026, 11, 1, 2, tzinfo=timezone.utc)
BATCH = encoded(
    batch_document(
        [outcome("course:1", "stored"), outcome("course:2", "failed")],
        run=RunFacts("canvas_exports 0.1.0"),
        started_at=NOW,
        finished_at=NOW,
    ),
    indent=1,
)


def reported(data: bytes | None = None) -> tuple[Shelf, str]:
    """A store with the report of a run, or with something else in its place."""
    shelf = Shelf()
    key = report(shelf, outcome("course:1", "stored"), outcome("course:2", "failed"))
    if data is not None:
        shelf.lay(key, data)
    return shelf, key


REPORT = reported()[0].objects[reported()[1]][0]


def merged(data: bytes) -> list[OutcomeRecord]:
    document = parse(data, "report of a task")
    if not isinstance(document, dict):
        raise UnreadableDocumentError("no object")
    merger = Merger()
    merger.add({"outcomes": None, **document})
    return merger.records()


@pytest.mark.parametrize("spoil", [*SPOILT.values(), *TIMES.values()], ids=[*SPOILT, *TIMES])
def test_no_spoilt_manifest_is_one(spoil: Any) -> None:
    shelf = Shelf()
    shelf.lay(KEY, spoil(VALID))
    with pytest.raises(UnreadableDocumentError) as error:
        read_manifest(shelf, KEY)
    assert KEY in str(error.value)
    assert str(error.value).isprintable()
    assert not error.value.retryable


@pytest.mark.parametrize("spoil", [*SPOILT.values()], ids=[*SPOILT])
def test_no_spoilt_report_of_a_task_is_one(spoil: Any) -> None:
    with pytest.raises(UnreadableDocumentError):
        merged(spoil(BATCH.rstrip()) if spoil is not SPOILT["too large"] else b"")


@settings(max_examples=400, deadline=None)
@given(
    st.binary(max_size=300)
    | mutations(VALID)
    | st.text(max_size=200).map(lambda text: text.encode(errors="replace"))
)
def test_whatever_lies_there_is_a_manifest_or_unreadable(data: bytes) -> None:
    shelf = Shelf()
    shelf.lay(KEY, data)
    try:
        found = read_manifest(shelf, KEY)
    except UnreadableDocumentError:
        return
    assert found.package.key.startswith("courses/101/")
    assert (found.context.kind, found.context.id) == ("course", 101)
    assert Manifest.from_json(found.to_json()) == found  # it can be written down again
    assert found.export.created_at.year in YEARS


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300) | mutations(BATCH))
def test_whatever_a_task_left_is_its_report_or_unreadable(data: bytes) -> None:
    try:
        rows = merged(data)
    except UnreadableDocumentError:
        return
    assert all(problem("run-report-1", _alone(row)) is None for row in rows)


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=300)
    | mutations(REPORT)
    | mutations(REPORT).map(lambda data: data.replace(b"\n", b" "))
)
def test_whatever_a_run_left_is_its_report_or_unreadable(data: bytes) -> None:
    shelf, key = reported(data)
    try:
        assert isinstance(summary_of(shelf, key), RunSummary)
    except UnreadableDocumentError as error:
        named = error.key
    else:
        named = key
    assert named == key
    with suppress(UnreadableDocumentError):
        assert all(isinstance(row, OutcomeRecord) for row in outcomes_of(shelf, key))


def _alone(row: OutcomeRecord) -> Any:
    """A report of this outcome alone."""
    return batch_document([row], run=RunFacts("canvas_exports 0.1.0"), started_at=NOW, finished_at=NOW)


class TestBounds:
    def test_a_document_that_a_listing_calls_too_large_is_not_read(self) -> None:
        shelf = Shelf()
        shelf.lay(KEY, VALID)
        shelf.before = lambda operation, key: pytest.fail(f"{operation} {key}")
        with pytest.raises(UnreadableDocumentError, match="more than"):
            load_manifest(shelf, KEY, size=3 * 10**9)

    def test_of_one_whose_size_nobody_told_no_more_than_the_bound_is_asked_for(self) -> None:
        asked: list[int | None] = []

        class Large(Shelf):
            def read(self, _key: str, _start: int = 0, length: int | None = None) -> bytes:
                asked.append(length)
                return b" " * (length or 10**9)

        with pytest.raises(UnreadableDocumentError, match="more than"):
            read_bytes(Large(), KEY, MAX_MANIFEST_BYTES)
        assert asked == [MAX_MANIFEST_BYTES + 1]

    @pytest.mark.parametrize("line", [b"x", b'{"a": 1},\n'])
    def test_a_report_without_end_is_left(self, line: bytes) -> None:
        shelf, key = reported()
        taken = [0]

        def blocks(_: str) -> Iterator[bytes]:
            yield b'{"schema": 1, "outcomes": [\n'
            while True:
                taken[0] += 1
                yield line * (1024 * 1024 // len(line))

        shelf.blocks = blocks  # type: ignore[method-assign, assignment]
        with pytest.raises(UnreadableDocumentError):
            list(outcomes_of(shelf, key))
        assert taken[0] <= 513

    def test_the_worst_findings_leave_a_manifest_that_can_be_read(self) -> None:
        worst = Finding("missing_file", Severity.ERROR, "\x01" * 5000, "\x02" * 70_000)
        made = manifest()
        document = Manifest(
            made.context,
            made.export,
            made.package,
            type(made.proof)(made.proof.level, made.proof.verdict, (worst,) * 201, 3, "0" * 64),
            made.run,
            made.stored_at,
        ).to_json()
        assert len(document) < MAX_MANIFEST_BYTES
        assert len(Manifest.from_json(document).proof.findings) == 201

    def test_depth_and_numbers_end_where_the_documentation_says(self) -> None:
        nested = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
        assert parse(nested, "text")
        assert parse(str(MAX_NUMBER - 1).encode(), "text")
        for wrong in (b"[" + nested + b"]", str(MAX_NUMBER).encode(), str(-MAX_NUMBER).encode()):
            with pytest.raises(UnreadableDocumentError):
                parse(wrong, "text")


class TestText:
    def test_half_a_surrogate_pair_is_replaced_and_can_be_written_again(self) -> None:
        document = json.loads(VALID)
        document["context"]["name"] = "a\ud800b"
        found = Manifest.from_json(json.dumps(document).encode())
        assert found.context.name == "a\N{REPLACEMENT CHARACTER}b"
        assert Manifest.from_json(found.to_json()) == found

    def test_a_course_whose_name_holds_one_is_published_like_any_other(self) -> None:
        made = manifest(facts={"name": "a\udfffb"})
        assert Manifest.from_json(made.to_json()).context.name == "a?b"

    def test_a_byte_order_mark_is_no_trouble(self) -> None:
        assert Manifest.from_json(b"\xef\xbb\xbf" + VALID) == Manifest.from_json(VALID)

    def test_the_error_quotes_nothing_of_the_document(self) -> None:
        document = {**json.loads(VALID), "stored_at": "\x1b[31mSECRET"}
        with pytest.raises(UnreadableDocumentError) as error:
            Manifest.from_json(json.dumps(document).encode(), key="courses/1/\x1b.json")
        assert "SECRET" not in str(error.value)
        assert "\x1b" not in str(error.value)


class TestWhereItPoints:
    @pytest.mark.parametrize(
        "key",
        [
            "../../etc/passwd.imscc",
            "/etc/passwd.imscc",
            "courses/102/20261101T020000Z-common_cartridge-501.imscc",
            "courses/101/../102/x.imscc",
            "courses/101//x.imscc",
            "courses/1011/x.imscc",
            "courses/101",
            "courses/101/x.json",
            "runs/2026-11-01/a/b/report.zip",
            "courses/101/" + "x" * 900 + ".imscc",
            "courses/101/x.imscc\n",
        ],
    )
    def test_a_package_that_is_not_in_the_folder_is_not_followed(self, key: str) -> None:
        document = json.loads(VALID)
        document["package"]["key"] = key
        shelf = Shelf()
        shelf.lay(KEY, json.dumps(document).encode())
        with pytest.raises(UnreadableDocumentError):
            read_manifest(shelf, KEY)

    def test_nor_a_manifest_of_another_course(self) -> None:
        shelf = Shelf()
        other = lay(shelf, manifest("course:102"))
        shelf.lay(KEY, other.to_json())
        with pytest.raises(UnreadableDocumentError, match="manifest of course:102"):
            read_manifest(shelf, KEY)
        assert load_manifest(shelf, KEY) == other


def test_times_are_of_years_in_which_every_time_zone_has_them() -> None:
    for year in (YEARS[0], YEARS[-1]):
        moment = datetime(year, 12, 31, 23, 59, 59, tzinfo=timezone.utc)
        assert parse_time(format_time(moment)) == moment
    for text in ("1969-12-31T23:59:59Z", "3000-01-01T00:00:00Z", "2026-02-30T00:00:00Z"):
        with pytest.raises(ValueError, match=r"time|year|day"):
            parse_time(text)


def test_a_row_of_a_report_has_the_types_of_its_fields() -> None:
    row = {"context": "course:1", "export_type": "zip", "outcome": "stored", "reason": "", "problem": False}
    assert records_of({"outcomes": [row]})
    for name, wrong in (
        ("name", 5),
        ("size", "1"),
        ("finished_at", "2026-02-30T00:00:00Z"),
        ("context", None),
    ):
        with pytest.raises(UnreadableDocumentError):
            records_of({"outcomes": [{**row, name: wrong}]})
