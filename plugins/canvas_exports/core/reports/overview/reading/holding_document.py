"""The copies of one context as a compressed value of a table, in the rows of the archive's index."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from canvas_exports.core.archive.catalog.copies import newest_first, oldest_first
from canvas_exports.core.archive.catalog.index_segments import microseconds, parse_row, row_of
from canvas_exports.core.archive.catalog.read import Holding, UnreadableDocument
from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.records import RecordName, read_record_name
from canvas_exports.core.storage.store import ObjectInfo

_LEVEL = 3  # of compression


@dataclass(frozen=True)
class StoredRow:
    """A manifest's row, and what the listing showed of the manifest: size in bytes, time of change in microseconds."""

    size: int
    modified: int
    text: bytes


def pack_holding(holding: Holding) -> bytes:
    """Return the copies of a context, with their records and the state of their packages."""
    infos = {info.key: info for info in holding.objects}
    rows = [row_of(infos[copy.key], copy) for copy in holding.copies if copy.key in infos]
    document = {
        "rows": [row.text.decode() for row in rows],
        "absent": sorted({copy.package.key for copy in holding.copies if not copy.is_present}),
        "records": sorted({record.key for copy in holding.copies for record in copy.records}),
        "unreadable": [[each.key, each.reason] for each in holding.unreadable],
    }
    return zlib.compress(json.dumps(document, separators=(",", ":")).encode(), _LEVEL)


def unpack_holding(kind: str, number: int, packed: bytes) -> Holding:
    """Return what ``pack_holding`` was given, without the listing."""
    document = json.loads(zlib.decompress(packed))
    records: dict[str, list[RecordName]] = {}
    for record in map(read_record_name, document["records"]):
        if record is not None:
            records.setdefault(record.manifest, []).append(record)
    absent = set(document["absent"])
    copies = [copy for text in document["rows"] if (copy := parse_row(text.encode())) is not None]
    return Holding(
        kind,
        number,
        tuple(
            oldest_first(
                replace(
                    copy,
                    is_present=copy.package.key not in absent,
                    records=newest_first(records.get(manifest_key(copy.package.key), ())),
                )
                for copy in copies
            )
        ),
        tuple(UnreadableDocument(key, reason) for key, reason in document["unreadable"]),
    )


def rows_by_key(packed: bytes) -> dict[str, StoredRow]:
    """Return the rows of the manifests, by key."""
    rows = {}
    for text in json.loads(zlib.decompress(packed))["rows"]:
        key, size, modified, _ = json.loads(text)
        rows[key] = StoredRow(size, modified, text.encode())
    return rows


def is_settled(objects: Iterable[ObjectInfo], *, young_from: int) -> bool:
    """Return whether every object is older than that time in microseconds, so that a change of it would show in a listing."""
    return all(microseconds(info.modified) < young_from for info in objects)
