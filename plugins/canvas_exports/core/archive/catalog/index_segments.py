"""Index segments: small documents below ``catalog/``, each named after the digest of its content.

A row of a segment holds what one manifest says, with the key, size and time of change of that manifest in the listing. A
segment is never changed. A document whose name is not its digest is ignored.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta, timezone
from io import BytesIO
from typing import Any

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.json_documents import parse, plain, read_bytes
from canvas_exports.core.archive.manifest import (
    SCHEMA_1,
    SCHEMA_2,
    ContextFacts,
    ExportFacts,
    Manifest,
    PackageFacts,
)
from canvas_exports.core.model.probes import ProbeFacts
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.storage.buffers import MiB
from canvas_exports.core.storage.object_keys import is_key
from canvas_exports.core.storage.store import ObjectInfo, Store
from canvas_exports.core.text.wording import format_time
from canvas_exports.errors import ArchiveError

FOLDER = "catalog/"
SUFFIX = ".jsonl.gz"
ROWS = 2000  # rows of a full segment, some 300 KB

_LARGEST = 8 * MiB  # of a stored segment
_LARGEST_INFLATED = 32 * MiB
_LONGEST = 64 * 1024  # of a row
_NAME = re.compile(rf"{FOLDER}[0-9a-f]{{8}}-[0-9a-f]{{32}}{re.escape(SUFFIX)}")
_UNUSED_AFTER = timedelta(days=90)
_ROW_START = re.compile(rb'\["([A-Za-z0-9._=/-]{1,900})",([0-9]{1,18}),(-?[0-9]{1,18}),\{')
_GZIP = 31  # zlib's wbits for gzip
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_PARTS = (ContextFacts, ExportFacts, PackageFacts, RunFacts, ProbeFacts)

#: Digest of the fields of a row. A version of this package with other fields has segments of its own.
FORMAT = hashlib.sha256(
    "\n".join(f"{part.__name__} {field.name}" for part in (Copy, *_PARTS) for field in fields(part)).encode()
).hexdigest()[:8]
#: Of the release before, which wrote no manifest that these rows do not describe: they are read, too.
PREVIOUS_FORMAT = "caf86f24"


@dataclass(frozen=True)
class Row:
    """A row of a segment.

    Attributes:
        key: of the manifest.
        size: of the manifest, in bytes.
        modified: its time of change, in microseconds since 1970.
        text: the row as it is stored.
    """

    key: str
    size: int
    modified: int
    text: bytes


def row_of(info: ObjectInfo, copy: Copy) -> Row:
    """Return the row of a manifest. What each listing shows, such as records, is left out."""
    content = {
        "context": _without_unknown(plain(copy.context)),
        "export": _without_unknown(plain(copy.export)),
        "package": _without_unknown(plain(copy.package)),
        "run": _without_unknown(plain(copy.run)),
        "level": copy.level,
        "verdict": copy.verdict.value,
        "counts": dict(copy.counts),
        "stored_at": format_time(copy.stored_at),
    }
    if copy.probe is not None:
        content["probe"] = _without_unknown(plain(copy.probe))
    if copy.confirmed_at is not None:
        content["confirmed_at"] = format_time(copy.confirmed_at)
    manifest = (info.key, info.size, microseconds(info.modified))
    return Row(
        *manifest,
        json.dumps([*manifest, content], ensure_ascii=False, separators=(",", ":")).encode(errors="replace"),
    )


def parse_row(text: bytes) -> Copy | None:
    """Return the copy that a row describes; ``None`` if no valid manifest under its key could say the same."""
    try:
        key, _, _, content = parse(text, "row of the index")
        # A row is checked by the same rules as the manifest that it stands for.
        proof = {name: content[name] for name in ("level", "verdict", "counts")}
        facts = {name: content[name] for name in ("context", "export", "package", "run", "stored_at")}
        facts.update((name, content[name]) for name in ("probe", "confirmed_at") if name in content)
        schema = SCHEMA_2 if "digests" in facts["package"] else SCHEMA_1
        manifest = Manifest.from_data(
            {"schema": schema, **facts, "proof": {**proof, "findings": [], "never_held": []}}
        )
        if manifest.placement_problem(key):
            return None
    except (ArchiveError, KeyError, TypeError, ValueError):
        return None
    return replace(Copy.of(key, manifest), counts=content["counts"])


def microseconds(moment: datetime) -> int:
    """Return the microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def segment_key(data: bytes, *, form: str = FORMAT) -> str:
    """Return the key of a segment with this content."""
    return f"{FOLDER}{form}-{hashlib.sha256(data).hexdigest()[:32]}{SUFFIX}"


def encode_segment(rows: Iterable[Row]) -> bytes:
    """Return the content of a segment; equal rows make an equal segment."""
    packer = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
    return b"".join([*(packer.compress(row.text + b"\n") for row in rows), packer.flush()])


def list_segments(store: Store, *, now: datetime) -> tuple[list[str], list[str]]:
    """List the segments that can be read, and those of other formats to which nothing was added for 90 days."""
    found = [info for info in store.list(FOLDER) if _NAME.fullmatch(info.key) and info.size <= _LARGEST]
    ours = [info.key for info in found if _is_ours(info.key)]
    return ours, [
        info.key for info in found if not _is_ours(info.key) and info.modified < now - _UNUSED_AFTER
    ]


def _is_ours(key: str) -> bool:
    return _format_of(key) in (FORMAT, PREVIOUS_FORMAT)


def _format_of(key: str) -> str:
    return key.removeprefix(FOLDER).partition("-")[0]


def read_segment(store: Store, key: str) -> list[Row]:
    """Return the rows of a segment; none if it is invalid or cannot be read."""
    try:
        data = read_bytes(store, key, _LARGEST)
    except ArchiveError:
        return []
    if segment_key(data, form=_format_of(key)) != key:
        return []
    unpacker = zlib.decompressobj(_GZIP)
    try:
        text = unpacker.decompress(data, _LARGEST_INFLATED)
    except zlib.error:
        return []
    return [row for row in map(_split_row, BytesIO(text)) if row is not None]


def _split_row(line: bytes) -> Row | None:
    text = line.rstrip(b"\n")
    start = _ROW_START.match(text)
    if start is None or len(text) > _LONGEST or not is_key(key := start[1].decode()):
        return None
    return Row(key, int(start[2]), int(start[3]), text)


def _without_unknown(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts that are known."""
    return {name: value for name, value in facts.items() if value is not None}
