"""Read a course list from text, a file or object storage: one course per line, CSV, JSON or YAML.

The file may be a wrong one, such as a file of secrets. So errors name the line and the accepted forms, and neither they
nor their causes quote any of the content.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from canvas_exports.core.export.planning.course_names import CourseName, Names
from canvas_exports.core.model.contexts import ACCEPTED, Context
from canvas_exports.core.text.user_files import (
    BoundedComposer,
    FileFormatError,
    check_line_breaks,
    compose_yaml,
    decode_text,
)
from canvas_exports.errors import ArchiveUnavailableError, InputError
from canvas_exports.foreign_text import harmless

# In this order: where Canvas's own reports have both of the first two, `course_id` is the SIS id.
COLUMNS = ("canvas_course_id", "course_id", "id", "sis_course_id", "context", "course")
# Beside them, for people; Canvas's own reports and its SIS files have the first of each.
NAMES = {
    "name": ("long_name", "name", "course_name", "title"),
    "code": ("short_name", "course_code", "code"),
    "sis_id": ("sis_course_id",),
    "term": ("term_id", "sis_term_id", "term"),
}
FORMATS = ("csv", "json", "txt", "yaml", "yml")
MAX_BYTES = 64 * 1024 * 1024  # of a course list
MAX_DOCUMENT = {
    "json": 16 * 1024**2,
    "yaml": 1024**2,
    "yml": 1024**2,
}  # characters; YAML is read in pure Python
MOST_COURSES = 1_000_000
LONGEST_LINE = 65_536  # characters


def read_list(uri: str, *, field: str = "course_list", names: Names | None = None) -> list[Context]:
    """Read the course list at a path or at any URI that smart_open can read.

    A list that cannot be read is an error, never an empty list.

    Args:
        uri: where it is.
        field: what to blame in an error.
        names: notes what a CSV list calls its courses, in the columns of ``NAMES``.

    Raises:
        InputError: of an unknown format, too large, or a line that is not a course; names the line (permanent).
        ArchiveUnavailableError: it cannot be read just now (retryable).
    """
    shown = shown_uri(uri)
    suffix = urlsplit(shown).path.rpartition(".")[2].lower()
    if suffix not in FORMATS:
        raise InputError(field, f"{shown!r} has no known ending", accepted=[f".{each}" for each in FORMATS])
    text = _read_text(uri, shown, field)
    return list(parse_list(text, suffix, field=f"{field} ({shown})", names=names))


def parse_list(
    text: str, form: str, *, field: str = "course_list", names: Names | None = None
) -> Iterator[Context]:
    """Parse a course list.

    Args:
        text: its content.
        form: ``csv`` (columns named as in ``COLUMNS``, or a single column with or without a header), ``txt`` (one
            course per line; ``#`` begins a comment at the start of a line or after a space), ``json`` or ``yaml`` (a list
            of ids, or of objects with one of ``COLUMNS``). Where a row has several of ``COLUMNS``, the first that is
            filled in counts.
        field: what to blame in an error.
        names: notes what a CSV list calls its courses.

    Raises:
        InputError: names the line or the entry, and never what stands there.
    """
    text = text.removeprefix("\ufeff")
    if form == "csv":
        found = _from_csv(text, field, names)
    elif form == "txt":
        found = _from_lines(text, field)
    else:
        found = _from_document(_load(text, form, field), field)
    return _bounded(found, field)


def _bounded(contexts: Iterator[Context], field: str) -> Iterator[Context]:
    for number, context in enumerate(contexts):
        if number == MOST_COURSES:
            raise InputError(field, f"it has more than {MOST_COURSES:,} entries", accepted="a shorter list")
        yield context


def _load(text: str, form: str, field: str) -> Any:
    most = MAX_DOCUMENT[form]
    if len(text) > most:
        accepted = "a list as .csv or .txt, which may be larger"
        raise InputError(field, f"it is larger than {most // 1024**2} MiB", accepted=accepted)
    try:
        if form == "json":
            return json.loads(text)
        # Every scalar stays as it is written: YAML would read 0101 as 65, and 12:30 as 750.
        check_line_breaks(text)
        return _plain(compose_yaml(text, _Loader))
    except (ValueError, RecursionError, FileFormatError) as error:
        line = getattr(error, "line", None) or getattr(error, "lineno", None)
    # Outside the handler: what the parsers say may repeat what stands there, and must not hang on ours.
    raise InputError(field if line is None else f"{field}, line {line}", f"it is not valid {form.upper()}")


class _Loader(BoundedComposer, yaml.BaseLoader):
    """Read YAML of texts, lists and mappings only."""


def _plain(node: Node | None) -> Any:
    if isinstance(node, SequenceNode):
        return [_plain(item) for item in node.value]
    if isinstance(node, MappingNode):
        return {key.value: _plain(value) for key, value in node.value if isinstance(key, ScalarNode)}
    return None if node is None else node.value


def _lines(text: str, field: str) -> Iterator[str]:
    """Return the lines as editors count them, without the other line ends that Unicode has."""
    for number, line in enumerate(io.StringIO(text, newline=""), start=1):
        if len(line) > LONGEST_LINE:
            raise InputError(f"{field}, line {number}", f"it is longer than {LONGEST_LINE:,} characters")
        yield line


def _from_lines(text: str, field: str) -> Iterator[Context]:
    for number, line in enumerate(_lines(text, field), start=1):
        course = re.split(r"(?:^|\s)#", line, maxsplit=1)[0].strip()
        if course:
            yield from _contexts(course, field, "line", number)


def _from_csv(text: str, field: str, names: Names | None) -> Iterator[Context]:
    # Strict: of a quotation mark that is opened and not closed, the rest of the list would be one cell, and lost.
    rows = csv.reader(_lines(text, field), strict=True)
    named: list[tuple[str, int]] = []
    called: dict[str, list[tuple[str, int]]] = {}
    first = 0  # line of a row that may have several
    try:
        for row in rows:
            line, first = first + 1, rows.line_num
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            if not named:
                named = _header(cells, COLUMNS)
                if named:
                    called = {column: _header(cells, headings) for column, headings in NAMES.items()}
                    continue
                if len(cells) > 1:
                    accepted = f"a column named {', '.join(COLUMNS)}"
                    raise InputError(f"{field}, line {line}", "no column holds courses", accepted=accepted)
                named = [("", 0)]
            context = _course(
                ((name, cells[at]) for name, at in named if at < len(cells)), field, "line", line
            )
            if names is not None:
                names.add_listed(
                    context, CourseName(**{name: _first(cells, places) for name, places in called.items()})
                )
            yield context
    except csv.Error as error:
        said = f"it is not valid CSV: {error}; look at the quotation marks"
    else:
        return
    raise InputError(f"{field}, line {first + 1}", said)


def _header(cells: list[str], columns: Iterable[str]) -> list[tuple[str, int]]:
    """Return where some columns of a header are; nothing if this is no header."""
    header = [cell.lower().replace(" ", "_") for cell in cells]
    return [(name, header.index(name)) for name in columns if name in header]


def _first(cells: list[str], places: list[tuple[str, int]]) -> str | None:
    """Return the first of some columns that is filled in."""
    return next((cells[at] for _, at in places if at < len(cells) and cells[at]), None)


def _from_document(document: Any, field: str) -> Iterator[Context]:
    if isinstance(document, dict) and isinstance(document.get("courses"), list):
        document = document["courses"]
    if not isinstance(document, list):
        raise InputError(
            field, "it is not a list", accepted="a list of courses, or an object with a list 'courses'"
        )
    for number, entry in enumerate(document, start=1):
        if isinstance(entry, dict):
            named = ((name, entry[name]) for name in COLUMNS if name in entry)
            yield _course(named, field, "entry", number)
        else:
            yield from _contexts(entry, field, "entry", number)


def _course(entry: Iterable[tuple[str, Any]], field: str, place: str, number: int) -> Context:
    """Return the course that a row or an object names. A bare value of a SIS column is a SIS id."""
    for name, value in entry:
        if value not in (None, ""):
            if name == "sis_course_id" and isinstance(value, (str, int)):
                text = str(value).strip()
                value = text if text.startswith("sis_course_id:") else f"sis_course_id:{text}"  # noqa: PLW2901
            return _context(value, field, place, number)
    raise InputError(
        f"{field}, {place} {number}",
        "it names no course",
        accepted=f"a value for one of {', '.join(COLUMNS)}",
    )


def _context(value: Any, field: str, place: str, number: int) -> Context:
    """Return the course that a value names. An error shows only its place: it may be a line of a file of secrets."""
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        with suppress(InputError):
            return Context.parse(value)
    raise InputError(f"{field}, {place} {number}", "what stands there is not a course", accepted=ACCEPTED)


def _contexts(value: Any, field: str, place: str, number: int) -> list[Context]:
    """Return the courses of a value that may name several."""
    if isinstance(value, str):
        with suppress(InputError):
            return Context.parse_all(value)
    return [_context(value, field, place, number)]


def shown_uri(uri: str) -> str:
    """Return a URI without possible credentials: its query, and the part before its host."""
    scheme, separator, rest = uri.partition("?")[0].rpartition("://")
    place, slash, path = rest.partition("/")
    return harmless(f"{scheme}{separator}{place.rpartition('@')[2] if separator else place}{slash}{path}")


def _read_text(uri: str, shown: str, field: str) -> str:
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
        return decode_text(data)
    except FileFormatError as error:
        line, problem = error.line, error.problem
    raise InputError(f"{field}, line {line}", problem)
