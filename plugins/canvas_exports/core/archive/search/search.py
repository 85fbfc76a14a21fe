"""Search the text of archived courses: words, links to hosts, external tools.

Results are what the index says, checked against the archive: a copy that is deleted does not appear. Whoever may write to the
archive may also forge its index: a result says where to look, and is no proof.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import islice
from pathlib import Path

from canvas_exports.core.archive.catalog.copies import newest
from canvas_exports.core.archive.catalog.find_course import parse_course_name
from canvas_exports.core.archive.catalog.read import copies_of
from canvas_exports.core.archive.layout import context_folder
from canvas_exports.core.archive.search.database import (
    SearchDatabase,
    delete_database,
    unpacked,
    unpacked_identifier,
)
from canvas_exports.core.archive.search.documents import KINDS
from canvas_exports.core.archive.search.hosts import read_host, reversed_name
from canvas_exports.core.archive.search.results import (
    FoundCopy,
    FoundCourse,
    FoundItem,
    SearchQuery,
    SearchResults,
)
from canvas_exports.core.archive.search.snippets import snippets
from canvas_exports.core.archive.search.words import match_expression
from canvas_exports.core.model.contexts import Context
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import InputError

MOST_COURSES = 1_000
MOST_ITEMS = 1_000  # of one course

#: Of the best matches, so many are looked at.
MOST_LOOKED_AT = 10_000

_MOST_ROWS = 20 * MOST_LOOKED_AT  # a document may be in many copies and courses
_CHECKERS = 16
_STEPS = 20_000  # of SQLite, between two looks at the clock
_SECONDS = 30.0
_ACCEPTED = "words to search for, a host, or an external tool"


def search_archive(
    store: Store,
    query: SearchQuery,
    *,
    folder: Path,
    most_courses: int = 20,
    most_items: int = 5,
    update_seconds: float | None = None,
    report: Callable[[int, int], object] = lambda *_: None,
) -> SearchResults:
    """Search an archive with a local database, after adding to it what the archive's index has got since.

    Lists the folder of the index, reads its new segments once, and lists the folders of the courses that it returns. A database
    that is damaged is deleted, and made again.

    Args:
        store: the archive.
        query: what to search for.
        folder: for the database: a cache, larger than the text; made if it is absent, and then only its owner may read it.
        most_courses: to return; 1 to ``MOST_COURSES``.
        most_items: to return of each course; 1 to ``MOST_ITEMS``.
        update_seconds: how long new segments may be read; ``None`` for no limit. See ``SearchResults.segments_left``.
        report: called before each new segment with the number of those that were read, and of all.

    Raises:
        InputError: a bad query, or one that takes longer than 30 s; or the folder has no room (permanent).
        ArchiveDeniedError: no right to list or read (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    began = time.monotonic()

    def is_late() -> bool:
        return update_seconds is not None and time.monotonic() - began >= update_seconds

    def search() -> SearchResults:
        with closing(open_database(folder, store.uri)) as database:
            searching = _Search(database, store, query)
            left = database.update(store, is_late=is_late, patience=update_seconds, report=report)
            return searching.results(
                _within(most_courses, MOST_COURSES), _within(most_items, MOST_ITEMS), left
            )

    try:
        return search()
    except sqlite3.DatabaseError as error:
        if type(error) is not sqlite3.DatabaseError:  # those of a kind are no damage
            raise
        delete_database(database_path(folder, store.uri))
        return search()


def database_path(folder: Path, uri: str) -> Path:
    """Return the file of the database of an archive in a folder."""
    return folder / f"{hashlib.sha256(uri.encode()).hexdigest()[:32]}.sqlite3"


def open_database(folder: Path, uri: str, *, largest: int | None = None) -> SearchDatabase:
    """Open the database of an archive in a folder, which is made if it is absent. Close it.

    Args:
        folder: if it is made here, only its owner may read it; in any folder, only the owner may read the files.
        uri: of the archive.
        largest: bytes of the file.

    Raises:
        InputError: the folder cannot be made or written; or SQLite has no FTS5 here (permanent).
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = database_path(folder, uri)
        path.touch(mode=0o600)  # SQLite gives its other files the same rights
        return SearchDatabase(path) if largest is None else SearchDatabase(path, largest=largest)
    except (OSError, sqlite3.Error) as error:
        raise InputError(
            "--cache",
            f"the search database in {folder} cannot be opened: {error}",
            accepted="a folder of one's own",
        ) from None


@dataclass
class _Item:
    """An item that was found, before its copies are checked: by package, the document that it is there."""

    documents: dict[FoundCopy, int] = field(default_factory=dict)


@dataclass
class _Course:
    """A course that was found, before its copies are checked."""

    facts: tuple[str | None, str | None, str | None, str | None]
    facts_at: int
    sizes: dict[str, int] = field(default_factory=dict)
    items: dict[tuple[str, str], _Item] = field(default_factory=dict)


class _Search:
    """One query to one database."""

    def __init__(self, database: SearchDatabase, store: Store, query: SearchQuery) -> None:
        self._connection = database.connection
        self._store = store
        self._query = query
        self._expression = match_expression(query.text) if query.text.strip() else None
        if self._expression is None and not query.host and not query.tool:
            raise InputError("TEXT", "is empty", accepted=_ACCEPTED)
        for kind in query.kinds:
            if kind not in KINDS:
                raise InputError("--kind", f"{kind!r} is no kind", accepted=KINDS)

    def results(self, most_courses: int, most_items: int, segments_left: int) -> SearchResults:
        with self._within_time():
            courses, is_complete = self._matches()
        checked = self._checked(courses)
        found = list(islice(checked, most_courses))
        has_more = next(checked, None) is not None
        packages, indexed, created = self._connection.execute(
            "SELECT count(*), count(DISTINCT course), max(created) FROM packages"
        ).fetchone()
        return SearchResults(
            courses=tuple(self._found(each, courses[each], most_items) for each in found),
            has_more=has_more,
            is_complete=is_complete,
            packages=packages,
            indexed_courses=indexed,
            newest=None if created is None else _moment(created),
            segments_left=segments_left,
        )

    def _matches(self) -> tuple[dict[int, _Course], bool]:
        """Return the matches by course, those with the best matches first, and whether these are all."""
        courses: dict[int, _Course] = {}
        documents: set[int] = set()
        statement, values = self._statement()
        for number, row in enumerate(self._connection.execute(statement, values)):
            document, kind, identifier, package, size, manifest, course, export_type, created, *facts = row
            documents.add(document)
            if len(documents) > MOST_LOOKED_AT or number >= _MOST_ROWS:
                return courses, False
            found = courses.setdefault(course, _Course(tuple(facts), created))
            if created > found.facts_at:
                found.facts, found.facts_at = tuple(facts), created
            found.sizes[package] = size
            item = found.items.setdefault((kind, unpacked_identifier(identifier)), _Item())
            item.documents.setdefault(FoundCopy(manifest, package, export_type, _moment(created)), document)
        return courses, True

    def _statement(self) -> tuple[str, list[object]]:
        """Return the SQL of the query, and its values."""
        query, wheres, values = self._query, ["d.kind IS NOT NULL"], list[object]()
        # CROSS JOIN fixes the order of the tables: from the matches to their courses.
        if self._expression is not None:
            tables, order = "words CROSS JOIN documents d ON d.id = words.rowid", "ORDER BY words.rank"
            wheres += ["words MATCH ?", "words.rank MATCH 'bm25(8.0, 1.0)'"]
            values.append(self._expression)
        else:
            tables, order = "documents d", "ORDER BY p.created DESC, d.id"
        if query.host:
            wheres.append(f"d.id IN ({_OF_HOST})")
            values += _host_values(read_host(query.host, field="--host"))
        if query.tool:
            wheres.append(f"d.id IN ({_OF_TOOL} UNION {_OF_TOOL_NAME})")
            values += [*_host_values(_tool_host(query.tool)), match_expression(query.tool, field="--tool")]
        if query.kinds:
            wheres.append(f"d.kind IN ({_places(query.kinds)})")
            values += query.kinds
        if not query.all_copies:
            wheres.append("p.is_newest")
        for column, chosen in self._chosen():
            wheres.append(f"{column} IN ({_places(chosen)})")
            values += chosen
        statement = (
            f"SELECT {_COLUMNS} FROM {tables} CROSS JOIN items i ON i.document = d.id CROSS JOIN packages p ON p.id = i.package "  # noqa: S608 - nothing of a person's
            f"WHERE {' AND '.join(wheres)} {order}"
        )
        return statement, values

    def _chosen(self) -> Iterator[tuple[str, Sequence[object]]]:
        """Yield the terms and the courses that the query names, without regard to case."""
        if self._query.term:
            wanted = self._query.term.strip().casefold()
            terms = self._connection.execute("SELECT DISTINCT term FROM packages WHERE term IS NOT NULL")
            yield "p.term", [term for (term,) in terms if term.casefold() == wanted]
        if self._query.course:
            yield "p.course", self._courses(parse_course_name(self._query.course, field="--course"))

    def _courses(self, name: Context | str) -> list[int]:
        if isinstance(name, Context) and name.canvas_id is not None:
            return [name.canvas_id]
        wanted = (name.id.partition(":")[2] if isinstance(name, Context) else name).casefold()
        known = self._connection.execute("SELECT DISTINCT course, sis_id, course_code, name FROM packages")
        return sorted(
            {course for course, *names in known if wanted in (each.casefold() for each in names if each)}
        )

    def _checked(self, courses: dict[int, _Course]) -> Iterator[int]:
        """Yield the courses that still have a copy with a match, after removing from them the copies that are gone."""
        waiting = iter(courses)
        with ThreadPoolExecutor(_CHECKERS, thread_name_prefix="search") as pool:
            while batch := list(islice(waiting, _CHECKERS)):
                listed = pool.map(lambda course: _copies_left(self._store, course, courses[course]), batch)
                for course, copies in zip(batch, listed, strict=True):
                    found = courses[course]
                    for name, item in list(found.items.items()):
                        item.documents = {
                            copies[copy.package, copy.manifest]: document
                            for copy, document in item.documents.items()
                            if (copy.package, copy.manifest) in copies
                        }
                        if not item.documents:
                            del found.items[name]
                    if found.items:
                        yield course

    def _found(self, course: int, found: _Course, most: int) -> FoundCourse:
        chosen = list(islice(found.items.items(), most))
        newest_documents: dict[tuple[str, str], int] = {}
        copies: dict[tuple[str, str], tuple[FoundCopy, ...]] = {}
        for name, item in chosen:
            copies[name] = tuple(sorted(item.documents, key=lambda copy: copy.created_at, reverse=True))
            newest_documents[name] = item.documents[copies[name][0]]
        shown = snippets(self._texts(newest_documents.values()), self._expression)
        items = [
            FoundItem(*name, shown[newest_documents[name]], copies[name])
            for name, _ in chosen
            if newest_documents[name] in shown
        ]
        return FoundCourse(course, *found.facts, tuple(items), more=len(found.items) - len(chosen))

    def _texts(self, documents: Iterable[int]) -> Iterator[tuple[int, str, str]]:
        for number in set(documents):
            found = self._connection.execute(
                "SELECT title, text FROM documents WHERE id = ?", (number,)
            ).fetchone()
            if found is not None:
                yield number, found[0], unpacked(found[1])

    @contextmanager
    def _within_time(self) -> Iterator[None]:
        ends = time.monotonic() + _SECONDS
        self._connection.set_progress_handler(lambda: time.monotonic() > ends, _STEPS)
        try:
            yield
        except sqlite3.OperationalError as error:
            if "interrupt" not in str(error):
                raise
            raise InputError(
                "TEXT",
                f"is so frequent that the search took more than {_SECONDS:.0f} s",
                accepted="more words, or a filter",
            ) from None
        finally:
            self._connection.set_progress_handler(None, 0)


_COLUMNS = "d.id, d.kind, i.identifier, p.key, p.size, p.manifest, p.course, p.type, p.created, p.name, p.course_code, p.sis_id, p.term"
# The names of hosts begin with the domain; "/" is the character after ".".
_OF_HOST = "SELECT document FROM hosts WHERE name = ? OR (name > ? || '.' AND name < ? || '/')"
_OF_TOOL = "SELECT document FROM hosts WHERE is_tool AND (name = ? OR (name > ? || '.' AND name < ? || '/'))"
_OF_TOOL_NAME = "SELECT t.id FROM words JOIN documents t ON t.id = words.rowid WHERE words MATCH ? AND t.kind = 'external_tool'"


def _copies_left(store: Store, course: int, found: _Course) -> dict[tuple[str, str], FoundCopy]:
    """Return the copies that the archive still has, by package and manifest as the index names them."""
    listed = {info.key: info.size for info in store.list(context_folder("course", course))}
    copies = {copy for item in found.items.values() for copy in item.documents}
    present = [copy for copy in copies if listed.get(copy.package) == found.sizes[copy.package]]
    left = {(copy.package, copy.manifest): copy for copy in present if copy.manifest in listed}
    if len(left) < len(
        present
    ):  # the first manifest is deleted; that of a later, unchanged night may name the package
        holding = copies_of(store, "course", course)
        for copy in present:
            of_package = newest(each for each in holding.copies if each.package.key == copy.package)
            if copy.manifest not in listed and of_package is not None:
                left[copy.package, copy.manifest] = FoundCopy(
                    of_package.key, copy.package, copy.export_type, of_package.created_at
                )
    return left


def _within(number: int, most: int) -> int:
    return max(1, min(number, most))


def _host_values(host: str) -> list[str]:
    return [reversed_name(host)] * 3


def _tool_host(text: str) -> str:
    try:
        return read_host(text, field="--tool")
    except InputError:
        return "-"  # no host is called so: the words of a name


def _places(values: Iterable[object]) -> str:
    return ", ".join("?" for _ in values)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)
