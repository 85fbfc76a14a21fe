"""Read a course list from text, a file or object storage: one course per line, CSV, JSON or YAML."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import yaml

from canvas_exports.canvas.contexts import Context
from canvas_exports.errors import ArchiveUnavailableError, InputError

# In this order: where Canvas's own reports have both of the first two, `course_id` is the SIS id.
COLUMNS = ("canvas_course_id", "course_id", "id", "sis_course_id", "context", "course")
FORMATS = ("csv", "json", "txt", "yaml", "yml")
MAX_BYTES = 64 * 1024 * 1024  # of a course list: some 3 million ids


def read_list(uri: str, *, field: str = "course_list") -> list[Context]:
    """Read the course list at a path or at any URI that smart_open can read.

    A list that cannot be read is an error, never an empty list.

    Raises:
        InputError: of an unknown format, or a line that is not a course; names the line.
        ArchiveUnavailableError: it cannot be read just now.
    """
    shown = _harmless(uri)
    suffix = urlsplit(shown).path.rpartition(".")[2].lower()
    if suffix not in FORMATS:
        raise InputError(field, f"{shown!r} has no known ending", accepted=[f".{each}" for each in FORMATS])
    text = _fetch(uri, shown, field)
    return list(parse_list(text, suffix, field=f"{field} ({shown})"))


def parse_list(text: str, form: str, *, field: str = "course_list") -> Iterator[Context]:
    """Parse a course list.

    Args:
        text: its content.
        form: ``csv`` (columns named as in ``COLUMNS``, or a single column with or without a header), ``txt`` (one
            course per line; ``#`` begins a comment at the start of a line or after a space), ``json`` or ``yaml`` (a list
            of ids, or of objects with one of ``COLUMNS``). Where a row has several of ``COLUMNS``, the first that is
            filled in counts.
        field: what to blame in an error.

    Raises:
        InputError: names the line or the entry.
    """
    text = text.removeprefix("\ufeff")
    if form == "csv":
        return _from_csv(text, field)
    if form == "txt":
        return _from_lines(text, field)
    return _from_document(_load(text, form, field), field)


def _load(text: str, form: str, field: str) -> Any:
    try:
        if form == "json":
            return json.loads(text)
        # Every scalar stays as it is written: YAML would read 0101 as 65, and 12:30 as 750.
        return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - makes nothing but strings, lists and objects
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else getattr(error, "lineno", None)
        where = field if line is None else f"{field}, line {line}"
        raise InputError(where, f"it is not valid {form.upper()}") from None


def _from_lines(text: str, field: str) -> Iterator[Context]:
    for number, line in enumerate(text.splitlines(), start=1):
        course = re.split(r"(?:^|\s)#", line, maxsplit=1)[0].strip()
        if course:
            yield Context.parse(course, field=f"{field}, line {number}")


def _from_csv(text: str, field: str) -> Iterator[Context]:
    rows = csv.reader(io.StringIO(text, newline=""))
    named: dict[str, int] | None = None
    try:
        for row in rows:
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            where = f"{field}, line {rows.line_num}"
            if named is None:
                named = _header(cells)
                if named:
                    continue
                if len(cells) > 1:
                    raise InputError(
                        where, "no column holds courses", accepted=f"a column named {', '.join(COLUMNS)}"
                    )
            columns = named or {"": 0}
            entry = {name: cells[at] for name, at in columns.items() if at < len(cells)}
            yield _course(entry, where)
    except csv.Error as error:
        raise InputError(f"{field}, line {rows.line_num}", f"it is not valid CSV: {error}") from None


def _header(cells: list[str]) -> dict[str, int]:
    """Where the columns of a header are; empty if this is none."""
    header = [cell.lower().replace(" ", "_") for cell in cells]
    return {name: header.index(name) for name in COLUMNS if name in header}


def _from_document(document: Any, field: str) -> Iterator[Context]:
    if isinstance(document, dict) and isinstance(document.get("courses"), list):
        document = document["courses"]
    if not isinstance(document, list):
        raise InputError(
            field, "it is not a list", accepted="a list of courses, or an object with a list 'courses'"
        )
    for number, entry in enumerate(document, start=1):
        where = f"{field}, entry {number}"
        if isinstance(entry, dict):
            yield _course({name: entry[name] for name in COLUMNS if name in entry}, where)
        elif isinstance(entry, (str, int)) and not isinstance(entry, bool):
            yield Context.parse(entry, field=where)
        else:
            raise InputError(where, f"{entry!r} is not a course", accepted="an id as a number or a string")


def _course(entry: dict[str, Any], where: str) -> Context:
    """The course that a row or an object names. A bare value of a SIS column is a SIS id."""
    for name, value in entry.items():
        if value not in (None, ""):
            text = str(value).strip()
            is_bare = name == "sis_course_id" and not text.startswith("sis_course_id:")
            return Context.parse(f"sis_course_id:{text}" if is_bare else text, field=where)
    raise InputError(where, "it names no course", accepted=f"a value for one of {', '.join(COLUMNS)}")


def _harmless(uri: str) -> str:
    """The URI without what may be a credential: a query, and what stands before the host."""
    scheme, separator, rest = uri.partition("?")[0].rpartition("://")
    place, slash, path = rest.partition("/")
    return f"{scheme}{separator}{place.rpartition('@')[2] if separator else place}{slash}{path}"


def _fetch(uri: str, shown: str, field: str) -> str:
    from smart_open import open as smart_open  # noqa: PLC0415 - costs seconds; only the task pays

    trouble: Exception
    try:
        with smart_open(uri, "rb") as stream:
            data: bytes = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise InputError(field, f"{shown!r} does not exist", accepted="a readable path or URI") from None
    except (NotImplementedError, ImportError) as error:
        raise InputError(field, f"{shown!r} cannot be read: {type(error).__name__}") from None
    except Exception as error:  # noqa: BLE001 - whatever the scheme's library raises
        trouble = error
    else:
        return _decoded(data, field)
    # Outside the handler: the library's error may hold the whole URI and must not hang on ours.
    raise ArchiveUnavailableError(
        f"the course list {shown} cannot be read ({type(trouble).__name__}); nothing was exported"
    )


def _decoded(data: bytes, field: str) -> str:
    if len(data) > MAX_BYTES:
        raise InputError(field, f"it is larger than {MAX_BYTES} bytes", accepted="split it")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(field, f"byte {error.start} is not UTF-8", accepted="a UTF-8 file") from None
