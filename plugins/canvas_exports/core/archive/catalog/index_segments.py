"""Segments of the index: small documents below ``catalog/``, each named after the digest of what it holds.

A line of a segment says what one manifest said, and which one: its key, size and time of change in the listing. A segment
is never changed. One whose name is not its digest is no segment, however it came about.
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
from canvas_exports.core.archive.json_documents import MiB, fetch, parse, plain
from canvas_exports.core.archive.manifest import SCHEMA, ContextFacts, ExportFacts, Manifest, PackageFacts
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.storage.object_keys import is_key
from canvas_exports.core.storage.store import ObjectInfo, Store
from canvas_exports.core.text.wording import format_time
from canvas_exports.errors import ArchiveError

FOLDER = "catalog/"
SUFFIX = ".jsonl.gz"
ROWS = 2000  # of a full segment: some 300 KB

_LARGEST = 8 * MiB  # a segment, as it is stored
_LARGEST_INFLATED = 32 * MiB
_LONGEST = 64 * 1024  # a line of it
_NAME = re.compile(rf"{FOLDER}[0-9a-f]{{8}}-[0-9a-f]{{32}}{re.escape(SUFFIX)}")
_ABANDONED = timedelta(days=90)
_PLACE = re.compile(rb'\["([A-Za-z0-9._=/-]{1,900})",([0-9]{1,18}),(-?[0-9]{1,18}),\{')  # of a line
_GZIP = 31  # zlib's number for it
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_PARTS = (ContextFacts, ExportFacts, PackageFacts, RunFacts)

#: What a line can say. Another version of this package that knows more or fewer fields has segments of its own.
DIALECT = hashlib.sha256(
    "\n".join(f"{part.__name__} {field.name}" for part in (Copy, *_PARTS) for field in fields(part)).encode()
).hexdigest()[:8]


@dataclass(frozen=True)
class Row:
    """A line of a segment.

    Attributes:
        key: of the manifest.
        size: of the manifest, in bytes.
        modified: when it was written, in microseconds since 1970.
        text: the line itself.
    """

    key: str
    size: int
    modified: int
    text: bytes


def row_of(info: ObjectInfo, copy: Copy) -> Row:
    """What a manifest says, as a line. What a listing tells anew each time is left out."""
    said = {
        "context": _short(plain(copy.context)),
        "export": _short(plain(copy.export)),
        "package": _short(plain(copy.package)),
        "run": _short(plain(copy.run)),
        "level": copy.level,
        "verdict": copy.verdict.value,
        "counts": dict(copy.counts),
        "stored_at": format_time(copy.stored_at),
    }
    place = (info.key, info.size, microseconds(info.modified))
    return Row(
        *place, json.dumps([*place, said], ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    )


def copy_of(text: bytes) -> Copy | None:
    """The copy that a line is about; ``None`` if what it says could not stand in a manifest under that key."""
    try:
        key, _, _, said = parse(text, "line of the index")
        # A line is as good as the manifest that it stands for, and judged by the same rules.
        proof = {name: said[name] for name in ("level", "verdict", "counts")}
        facts = {name: said[name] for name in ("context", "export", "package", "run", "stored_at")}
        told = Manifest.from_data(
            {"schema": SCHEMA, **facts, "proof": {**proof, "findings": [], "never_held": []}}
        )
        if told.misplaced(key):
            return None
    except (ArchiveError, KeyError, TypeError, ValueError):
        return None
    return replace(Copy.of(key, told), counts=said["counts"])


def microseconds(moment: datetime) -> int:
    """Since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def name_of(data: bytes) -> str:
    """The key of a segment."""
    return f"{FOLDER}{DIALECT}-{hashlib.sha256(data).hexdigest()[:32]}{SUFFIX}"


def pack(rows: Iterable[Row]) -> bytes:
    """A segment of some rows: equal rows make an equal segment."""
    packer = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
    return b"".join([*(packer.compress(row.text + b"\n") for row in rows), packer.flush()])


def listed(store: Store, *, now: datetime) -> tuple[list[str], list[str]]:
    """The segments below ``catalog/``, and those of another dialect that nobody has written for long."""
    found = [info for info in store.list(FOLDER) if _NAME.fullmatch(info.key) and info.size <= _LARGEST]
    ours = [info.key for info in found if _is_ours(info.key)]
    return ours, [info.key for info in found if not _is_ours(info.key) and info.modified < now - _ABANDONED]


def _is_ours(key: str) -> bool:
    return key.startswith(f"{FOLDER}{DIALECT}-")


def rows_of(store: Store, key: str) -> list[Row]:
    """The rows of a segment; none of what is not one, or cannot be read."""
    try:
        data = fetch(store, key, _LARGEST)
    except ArchiveError:
        return []
    if name_of(data) != key:
        return []
    unpacker = zlib.decompressobj(_GZIP)
    try:
        text = unpacker.decompress(data, _LARGEST_INFLATED)
    except zlib.error:
        return []
    return [row for row in map(_row, BytesIO(text)) if row is not None]


def _row(line: bytes) -> Row | None:
    text = line.rstrip(b"\n")
    place = _PLACE.match(text)
    if place is None or len(text) > _LONGEST or not is_key(key := place[1].decode()):
        return None
    return Row(key, int(place[2]), int(place[3]), text)


def _short(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is not known."""
    return {name: value for name, value in facts.items() if value is not None}
