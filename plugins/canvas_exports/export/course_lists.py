"""Read a course list from text, a file or object storage: one course per line, CSV, JSON or YAML."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

import yaml

from canvas_exports.canvas.contexts import Context
from canvas_exports.errors import ArchiveUnavailableError, InputError

COLUMNS = ("course_id", "canvas_course_id", "id", "sis_course_id", "context", "course")
FORMATS = ("csv", "json", "txt", "yaml", "yml")
MAX_BYTES = 64 * 1024 * 1024  # of a course list: some 3 million ids


def read_list(uri: str, *, field: str = "course_list") -> list[Context]:
    """Read the course list at a path or at any URI that smart_open can read.

    A list that cannot be read is an error, never an empty list.

    Raises:
        InputError: of an unknown format, or a line that is not a course; names the line.
        ArchiveUnavailableError: it cannot be read just now.
    """
    suffix = urlsplit(uri).path.rpartition(".")[2].lower()
    if suffix not in FORMATS:
        raise InputError(field, f"{uri!r} has no known ending", accepted=[f".{each}" for each in FORMATS])
    text = _fetch(uri, field)
    return list(parse_list(text, suffix, field=f"{field} ({uri.partition('?')[0]})"))


def parse_list(text: str, form: str, *, field: str = "course_list") -> Iterator[Context]:
    """Parse a course list.

    Args:
        text: its content.
        form: ``csv`` (one column of ``COLUMNS``, or a single column with or without a header), ``txt`` (one course per
            line, ``#`` begins a comment), ``json`` or ``yaml`` (a list of ids, or of objects with one of ``COLUMNS``).
        field: what to blame in an error.

    Raises:
        InputError: names the line or the entry.
    """
    if form == "csv":
        return _from_csv(text, field)
    if form == "txt":
        return _from_lines(text.splitlines(), field)
    try:
        document = json.loads(text) if form == "json" else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as error:
        place = getattr(error, "problem_mark", None)
        line = place.line + 1 if place else getattr(error, "lineno", "?")
        raise InputError(field, f"line {line} is not valid {form.upper()}") from None
    return _from_document(document, field)


def _from_lines(lines: Iterable[str], field: str) -> Iterator[Context]:
    for number, line in enumerate(lines, start=1):
        text = line.partition("#")[0].strip()
        if text:
            yield Context.parse(text, field=f"{field}, line {number}")


def _from_csv(text: str, field: str) -> Iterator[Context]:
    rows = csv.reader(io.StringIO(text.lstrip("\ufeff")))
    column: int | None = None
    name = ""
    for row in rows:
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        if column is None:
            header = [cell.lower().replace(" ", "_") for cell in cells]
            name = next((each for each in COLUMNS if each in header), "")
            column = header.index(name) if name else 0
            if name:
                continue
            if len(cells) > 1:
                raise InputError(
                    f"{field}, line 1", "no column holds courses", accepted=f"a column named {_columns()}"
                )
        if column < len(cells) and cells[column]:
            yield Context.parse(_spelled(name, cells[column]), field=f"{field}, line {rows.line_num}")


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
            name = next((each for each in COLUMNS if entry.get(each) not in (None, "")), None)
            if name is None:
                raise InputError(where, "it names no course", accepted=f"an object with {_columns()}")
            yield Context.parse(_spelled(name, str(entry[name])), field=where)
        elif isinstance(entry, (str, int)) and not isinstance(entry, bool):
            yield Context.parse(entry, field=where)
        else:
            raise InputError(where, f"{entry!r} is not a course", accepted="an id as a number or a string")


def _columns() -> str:
    return ", ".join(COLUMNS)


def _spelled(column: str, value: str) -> str:
    """A bare value of a SIS column is a SIS id."""
    return (
        f"sis_course_id:{value}"
        if column == "sis_course_id" and not value.startswith("sis_course_id:")
        else value
    )


def _fetch(uri: str, field: str) -> str:
    from smart_open import open as smart_open  # noqa: PLC0415 - costs seconds; only the task pays

    try:
        with smart_open(uri, "rb") as stream:
            data: bytes = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise InputError(
            field, f"{uri.partition('?')[0]!r} does not exist", accepted="a readable path or URI"
        ) from None
    except (NotImplementedError, ImportError) as error:
        raise InputError(field, f"{uri.partition('?')[0]!r} cannot be read: {type(error).__name__}") from None
    except Exception as error:
        raise ArchiveUnavailableError(
            f"the course list {uri.partition('?')[0]} cannot be read ({type(error).__name__}); nothing was exported"
        ) from error
    if len(data) > MAX_BYTES:
        raise InputError(field, f"it is larger than {MAX_BYTES} bytes", accepted="split it")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(field, f"byte {error.start} is not UTF-8", accepted="a UTF-8 file") from None
