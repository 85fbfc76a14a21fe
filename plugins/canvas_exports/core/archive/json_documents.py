"""Read and write the JSON documents of an archive.

A document may be foreign, hostile or damaged. So all are read through ``read_bytes`` and ``parse``, which bound their bytes, depth
and numbers. A document that breaks a bound or its schema raises ``UnreadableDocumentError`` and nothing else; readers of many
documents skip that one.

Times are UTC, in whole seconds, and end in ``Z``.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import fields
from datetime import datetime
from enum import Enum
from functools import lru_cache
from threading import Lock
from typing import Any, TypeVar

from canvas_exports.core.archive.schemas import problem
from canvas_exports.core.storage.buffers import MiB
from canvas_exports.core.storage.store import Store
from canvas_exports.core.text.wording import format_time, parse_time
from canvas_exports.errors import UnreadableDocumentError

Flat = TypeVar("Flat")

#: The most bytes that a document of each kind may have.
MAX_MANIFEST_BYTES = 4 * MiB
MAX_BATCH_BYTES = 16 * MiB
MAX_PLAN_BYTES = 64 * MiB
MAX_REPORT_BYTES = 512 * MiB
#: Of a report that is not laid out with a row in each line, and so has to be parsed as a whole.
MAX_WHOLE_BYTES = 64 * MiB

MAX_DEPTH = 64  # lists and objects in each other
MAX_NUMBER = 2**256  # no number is as large: arithmetic holds, of whole numbers with others too

_LARGE = MiB // 4
_one_large_at_a_time = Lock()
_SCHEMA = re.compile(r"urn:canvas-exports:([a-z-]+):([0-9]{1,9})")
_LONE = re.compile("[\ud800-\udfff]")


def plain(instance: Any) -> dict[str, Any]:
    """Return the fields of a flat dataclass as JSON data."""
    return {field.name: _plain(getattr(instance, field.name)) for field in fields(instance)}


def rebuild(kind: type[Flat], data: Mapping[str, Any]) -> Flat:
    """Build a dataclass from JSON data. Unknown fields are left out; missing ones get their default."""
    known = {
        name: parse_time(data[name]) if is_time and data[name] is not None else data[name]
        for name, is_time in _fields(kind)  # type: ignore[arg-type] # a class is hashable
        if name in data
    }
    return kind(**known)


@lru_cache
def _fields(kind: Any) -> tuple[tuple[str, bool], ...]:
    """Return the fields of a dataclass, and whether each is a time: annotations are strings, so by the name of the type."""
    return tuple((field.name, "datetime" in str(field.type)) for field in fields(kind))


def encoded(document: Any, *, indent: int | None = None) -> bytes:
    """Return JSON data as a document. Half a surrogate pair, which cannot be encoded, becomes a question mark."""
    return json.dumps(document, indent=indent, ensure_ascii=False).encode(errors="replace")


def read_bytes(store: Store, key: str, most: int, *, size: int | None = None) -> bytes:
    """Read the bytes of a document, within a limit.

    Args:
        store: the archive.
        key: of the document.
        most: bytes; a larger document is not read.
        size: as a listing states it; without it, one more request is needed.

    Raises:
        ObjectNotFoundError: it is absent (permanent).
        UnreadableDocumentError: it is too large (permanent).
        ArchiveDeniedError: no right to read it (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    data = b"" if size is not None and size > most else None
    if data is None:
        data = store.read(key, 0, most + 1) if size is None else store.read(key)
        if len(data) <= most:
            return data
    raise UnreadableDocumentError(f"it has more than {most:,} bytes", key=key)


def parse(document: bytes, noun: str, *, key: str | None = None) -> Any:
    """Parse a document: UTF-8, at most ``MAX_DEPTH`` deep, every number finite and below ``MAX_NUMBER``, every name once.

    Half a surrogate pair, which an escape can contain, becomes a replacement character.

    Args:
        document: its bytes.
        noun: the kind of document, for the error: ``manifest``.
        key: of the document, for the error.

    Raises:
        UnreadableDocumentError: it is not such a document (permanent).
    """
    # A hostile document may take twenty times its size in memory.
    is_large = len(document) > _LARGE
    alone: AbstractContextManager[Any] = _one_large_at_a_time if is_large else nullcontext()
    try:
        with alone:
            data = json.loads(
                document.decode("utf-8-sig"), object_pairs_hook=_each_once, parse_constant=_no_number
            )
            _check(data)
            return _whole(data) if b"\\ud" in document or b"\\uD" in document else data
    except UnicodeDecodeError:
        reason = "no UTF-8 text"
    except RecursionError:
        reason = _TOO_DEEP
    except _RefusedError as refused:
        reason = str(refused)
    except ValueError:
        reason = "no JSON"
    raise UnreadableDocumentError(f"it is not a {noun}: {reason}", key=key)


def conform(data: Any, kind: str, *, key: str | None = None) -> Mapping[str, Any]:
    """Return the data if it is valid against the published schema of its kind.

    Args:
        data: what ``parse`` returned.
        kind: name of the schema, such as ``manifest-1``.
        key: of the document.

    Raises:
        UnreadableDocumentError: it does not, or it is of a later version of the schema (permanent).
    """
    noun = kind.rpartition("-")[0].replace("-", " ")
    if not isinstance(data, dict):
        raise UnreadableDocumentError(f"it is not a {noun}: no JSON object", key=key)
    named = _SCHEMA.fullmatch(schema) if isinstance(schema := data.get("schema"), str) else None
    name, _, version = kind.rpartition("-")
    if named and named[1] == name and int(named[2]) > int(version):
        raise UnreadableDocumentError(
            f"it is not a {noun} that this version can read, but one of schema {int(named[2])}: update this software",
            key=key,
        )
    if wrong := problem(kind, data):
        raise UnreadableDocumentError(f"it is not a {noun}: {wrong}", key=key)
    return data


class _RefusedError(ValueError):
    """The parser accepts it, and we do not."""


_TOO_DEEP = f"it is nested more than {MAX_DEPTH} deep"


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _RefusedError("it says the same thing twice")
    return found


def _no_number(_: str) -> Any:
    raise _RefusedError("it holds a number that JSON does not have")


def _check(data: Any) -> None:
    """Check depth and numbers, level by level: recursion would limit the depth."""
    level = [data]
    for depth in range(MAX_DEPTH + 1):
        inner: list[Any] = []
        for each in level:
            kind = type(each)
            if kind is dict or kind is list:
                if depth == MAX_DEPTH:
                    raise _RefusedError(_TOO_DEEP)
                inner.extend(each.values() if kind is dict else each)
            elif (kind is int or kind is float) and not (
                -MAX_NUMBER < each < MAX_NUMBER and math.isfinite(each)
            ):
                raise _RefusedError("it holds a number out of range")
        if not inner:
            return
        level = inner


def _whole(data: Any) -> Any:
    """Return the same data without half surrogate pairs."""
    if isinstance(data, str):
        return _LONE.sub("\N{REPLACEMENT CHARACTER}", data)
    if isinstance(data, list):
        return [_whole(each) for each in data]
    if isinstance(data, dict):
        return {_whole(name): _whole(each) for name, each in data.items()}
    return data


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, Enum):
        return value.value
    return dict(value) if isinstance(value, Mapping) else value
