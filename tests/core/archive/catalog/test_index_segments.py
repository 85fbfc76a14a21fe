"""A row of an index segment is the copy that its manifest describes, or nothing."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import fields, replace
from datetime import datetime, timezone
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.archives.holdings import lay, manifest
from tests.support.archives.hostile_documents import SPOILT, mutations
from tests.support.archives.indexed import LATER, CountingArchive, read_indexed

from canvas_exports.core.archive.catalog import index_segments as segments
from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.catalog.index import read_with_index
from canvas_exports.core.archive.catalog.index_segments import (
    FORMAT,
    Row,
    encode_segment,
    microseconds,
    parse_row,
    read_segment,
    row_of,
    segment_key,
)
from canvas_exports.core.archive.layout import context_of, manifest_key
from canvas_exports.core.model.probes import ProbeFacts
from canvas_exports.core.storage.local import FileStore
from canvas_exports.core.storage.store import ObjectInfo

NOON = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)


def test_a_copy_comes_back_as_it_was() -> None:
    for facts in ({"name": "Bïo\n", "sis_id": "B 1", "uuid": "0", "account_id": 3, "term": "Fall"}, None):
        document = manifest("course:7", facts=facts)
        copy = Copy.of(manifest_key(document.package.key), document)
        info = ObjectInfo(copy.key, 1, LATER)
        assert parse_row(row_of(info, copy).text) == copy


@pytest.mark.parametrize(
    "stated",
    [{"sha256": "0" * 64}, {"blake3": "1" * 64}, {"blake3": "1" * 64, "sha256": "0" * 64, "k12": "2" * 64}],
)
@pytest.mark.parametrize(
    "probe",
    [
        None,
        ProbeFacts(NOON),
        ProbeFacts(NOON, "2026-11-01T02:00:00Z", "list", "3" * 64, 2, False, "equal", 1, 4),
    ],
)
@pytest.mark.parametrize("confirmed_at", [None, NOON])
def test_a_row_has_the_digests_the_probe_and_the_confirmation(
    stated: dict[str, str], probe: ProbeFacts | None, confirmed_at: datetime | None
) -> None:
    made = manifest("course:7")
    made = replace(
        made,
        package=replace(made.package, digests=stated),
        export=replace(made.export, version="1.3"),
        probe=probe,
        confirmed_at=confirmed_at,
    )
    created = confirmed_at or made.export.created_at
    key = f"courses/7/{created:%Y%m%dT%H%M%SZ}-common_cartridge-501.json"
    copy = Copy.of(key, made)
    assert parse_row(row_of(ObjectInfo(key, 1, LATER), copy).text) == copy


def test_a_row_of_the_release_before_is_read_in_a_segment_of_its_format(tmp_path: Path) -> None:
    archive = CountingArchive(tmp_path)
    document = lay(archive, manifest("course:7"))
    (info,) = (info for info in archive.list("courses/") if info.key.endswith(".json"))
    row = json.loads(row_of(info, Copy.of(info.key, document)).text)
    row[3]["package"]["sha256"] = row[3]["package"].pop("digests")["sha256"]
    text = json.dumps(row, separators=(",", ":")).encode()
    data = encode_segment([Row(info.key, info.size, microseconds(info.modified), text)])
    archive.replace(segment_key(data, form=segments.PREVIOUS_FORMAT), data)
    ((copy,),) = [holding.copies for holding in read_indexed(archive)]
    assert copy.package == document.package
    assert archive.manifests_read() == []


def test_equal_rows_make_an_equal_segment() -> None:
    rows = [Row("a", 1, 2, b"[1]"), Row("b", 1, 2, b"[2]")]
    assert encode_segment(rows) == encode_segment(rows)
    assert segment_key(encode_segment(rows)) != segment_key(encode_segment(rows[:1]))


@pytest.mark.parametrize("text", [b"", b"[]", b"1", b'["a",1,2,{}]', b'["a",1,2,{"context":{}}]'])
def test_a_line_that_says_too_little_is_no_copy(text: bytes) -> None:
    assert parse_row(text) is None


@pytest.mark.parametrize(
    "line",
    [
        b'["courses/1/a.json",99999999999999999999,1,{}]',
        b'["courses/1/a.json",1,-99999999999999999999,{}]',
        b'["courses/../a.json",1,1,{}]',
        b'["\\ud800",1,1,{}]',
        b'[["a"],1,1,{}]',
        b'["courses/1/a.json","one",1,{}]',
    ],
)
def test_a_line_that_no_one_would_write_is_passed_over(tmp_path: Path, line: bytes) -> None:
    archive = CountingArchive(tmp_path)
    data = gzip.compress(line + b"\n")
    archive.replace(segment_key(data), data)
    assert read_segment(archive, segment_key(data)) == []
    assert read_indexed(archive) == []


def test_what_knows_other_fields_has_another_format() -> None:
    known = {f"{part.__name__} {field.name}" for part in (Copy, *segments._PARTS) for field in fields(part)}
    assert {"Copy key", "ContextFacts sis_id", "RunFacts software"} <= known
    assert segment_key(b"").startswith(f"catalog/{FORMAT}-")


@given(st.lists(st.binary(max_size=200), max_size=3))
def test_no_bytes_are_taken_for_a_segment_they_are_not(documents: list[bytes]) -> None:
    with TemporaryDirectory() as folder:
        archive = CountingArchive(Path(folder))
        for document in documents:
            archive.replace(segment_key(document), document)
            assert read_segment(archive, segment_key(document)) == []


INFO = ObjectInfo(manifest_key(manifest().package.key), 1234, datetime(2026, 11, 1, 3, tzinfo=timezone.utc))
ROW = row_of(INFO, Copy.of(INFO.key, manifest())).text


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | mutations(ROW))
def test_a_line_of_the_index_is_a_copy_where_it_belongs_or_nothing(line: bytes) -> None:
    found = parse_row(line)
    if found is None:
        return
    assert context_of(found.key) == (found.context.kind, found.context.id)
    assert found.package.key.startswith(f"{found.context.kind}s/{found.context.id}/")
    assert parse_row(row_of(replace(INFO, key=found.key), found).text) == found


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_no_spoilt_segment_hinders_anybody(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    archive = FileStore(tmp_path.as_uri(), tmp_path)
    document = lay(archive, manifest()).to_json()
    (info,) = (info for info in archive.list("courses/") if info.key.endswith(".json"))
    place = f'["{info.key}",{info.size},{microseconds(info.modified)},'.encode()
    for data in (
        spoil(document),
        gzip.compress(spoil(document)),
        gzip.compress(place + spoil(document) + b"]\n"),
    ):
        archive.replace(segment_key(data), data)
    with closing(read_with_index(archive)) as holdings:
        (holding,) = holdings
    assert (len(holding.copies), holding.unreadable) == (1, ())
