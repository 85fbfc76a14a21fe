"""Read the copies of every context into the tables: of an archive that was read before, those that changed."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import astuple, dataclass
from datetime import datetime

from canvas_exports.core.archive.alarms.open_alarms import open_alarms_of
from canvas_exports.core.archive.catalog.assessment import assess, assess_types
from canvas_exports.core.archive.catalog.copies import PASSED, Copy
from canvas_exports.core.archive.catalog.future_dates import without_future_dates
from canvas_exports.core.archive.catalog.index import YOUNG, Index
from canvas_exports.core.archive.catalog.index_segments import microseconds, parse_row
from canvas_exports.core.archive.catalog.read import NO_RIGHT, Holding, every_context
from canvas_exports.core.archive.layout import context_of
from canvas_exports.core.archive.manifest import ContextFacts
from canvas_exports.core.archive.retention.holds import tags_on
from canvas_exports.core.archive.retention.plan import fingerprint
from canvas_exports.core.reports.overview.reading.holding_document import (
    StoredRow,
    is_settled,
    pack_holding,
    rows_by_key,
)
from canvas_exports.core.reports.overview.tables import fitting, to_seconds, week_of
from canvas_exports.core.storage.store import ObjectInfo, Store

_OF_CONTEXTS = ("contexts", "holdings", "assessed", "alarms", "growth", "unreadable")


class StoppedError(Exception):
    """The reading was told to stop."""


def read_contexts(
    writer: sqlite3.Connection,
    store: Store,
    *,
    now: datetime,
    with_index: bool,
    is_stopped: Callable[[], bool],
) -> bool:
    """Bring the tables of contexts up to date, within a transaction of the caller. Returns whether anything has changed.

    Lists the folders of all contexts. Reads the manifests of contexts whose listing has changed, as far as they are new.
    Writes nothing to the archive, nor to its index.

    Args:
        writer: the tables.
        store: the archive.
        now: the time; copies that are dated later count as unreadable.
        with_index: read the archive's index first, because many manifests are new.
        is_stopped: asked between contexts.

    Raises:
        StoppedError: ``is_stopped`` has returned true.
        ArchiveDeniedError: no right to list (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    writer.execute("CREATE TEMP TABLE IF NOT EXISTS seen (context TEXT PRIMARY KEY) WITHOUT ROWID")
    writer.execute("DELETE FROM seen")
    changed = False

    def is_unchanged(kind: str, number: int, objects: Sequence[ObjectInfo]) -> bool:
        if is_stopped():
            raise StoppedError
        context = f"{kind}:{number}"
        writer.execute("INSERT OR IGNORE INTO seen VALUES (?)", (context,))
        known = writer.execute("SELECT fingerprint FROM contexts WHERE context = ?", (context,)).fetchone()
        return known is not None and known[0] == fingerprint(objects)

    with ExitStack() as stack:
        index = None
        if with_index:
            index = stack.enter_context(closing(Index(store, now=now)))
            index.load()
        cache = _KnownManifests(writer, index)
        for holding in stack.enter_context(closing(every_context(store, cache, skip=is_unchanged))):
            changed = _forget(writer, holding.name) or changed
            if holding.copies or holding.unreadable:
                changed = True
                _insert(writer, store, holding, now)
    for (context,) in writer.execute(
        "SELECT context FROM contexts WHERE context NOT IN (SELECT context FROM seen)"
    ).fetchall():
        changed = _forget(writer, context)
    return changed


class _KnownManifests:
    """The manifests that were read before, and those in the archive's index."""

    def __init__(self, writer: sqlite3.Connection, index: Index | None) -> None:
        self._writer = writer
        self._index = index
        self._context: tuple[str, int] | None = None
        self._rows: dict[str, StoredRow] = {}
        self._young_from = 0

    def get(self, info: ObjectInfo) -> Copy | None:
        """Return the copy that a manifest of this key, size and time describes; ``None`` if it is unknown."""
        context = context_of(info.key)
        if context != self._context:
            self._context = context
            self._load()
        row = self._rows.get(info.key)
        modified = microseconds(info.modified)
        if (
            row is not None
            and (row.size, row.modified) == (info.size, modified)
            and modified < self._young_from
        ):
            return parse_row(row.text)
        return None if self._index is None else self._index.get(info)

    def add(self, info: ObjectInfo, copy: Copy) -> None:
        """Add nothing: the whole context is stored once it is read."""

    def _load(self) -> None:
        self._rows = {}
        if self._context is None:
            return
        kind, number = self._context
        found = self._writer.execute(
            "SELECT read, document FROM holdings WHERE context = ?", (f"{kind}:{number}",)
        ).fetchone()
        if found is not None:
            self._young_from = found[0]
            self._rows = rows_by_key(found[1])


def _forget(writer: sqlite3.Connection, context: str) -> bool:
    """Delete what the tables have of a context; return whether that was anything."""
    deleted = [
        writer.execute(f"DELETE FROM {table} WHERE context = ?", (context,)).rowcount  # noqa: S608 - names of ours
        for table in _OF_CONTEXTS
    ]
    return any(deleted)


def _insert(writer: sqlite3.Connection, store: Store, listed: Holding, now: datetime) -> None:
    holding = without_future_dates(listed, now=now)
    young_from = microseconds(now - YOUNG)
    is_final = (
        holding is listed
        and is_settled(listed.objects, young_from=young_from)
        and not any(each.reason == NO_RIGHT for each in listed.unreadable)
    )
    row = _ContextRow.of(
        holding,
        fingerprint=fingerprint(listed.objects) if is_final else "",
    )
    values = astuple(row)
    writer.execute(f"INSERT INTO contexts VALUES ({', '.join('?' * len(values))})", values)  # noqa: S608 - as above
    writer.execute("INSERT INTO holdings VALUES (?, ?, ?)", (holding.name, young_from, pack_holding(holding)))
    assessed = assess_types(holding.copies, holding.unreadable)
    if not holding.copies:
        assessed = {"": assess((), holding.unreadable)}
    for export_type, assessment in assessed.items():
        last = assessment.newest
        writer.execute(
            "INSERT INTO assessed VALUES (?, ?, ?, ?, ?, ?)",
            (
                holding.name,
                export_type,
                None if last is None else to_seconds(last.created_at),
                None if assessment.proven is None else to_seconds(assessment.proven.created_at),
                assessment.why,
                None if last is None else last.context.course_code or last.context.name,
            ),
        )
    _insert_alarms(writer, store, holding)
    _insert_growth(writer, holding)
    writer.executemany(
        "INSERT OR IGNORE INTO unreadable VALUES (?, ?, ?)",
        [(holding.name, each.key, each.reason) for each in holding.unreadable],
    )


def _insert_alarms(writer: sqlite3.Connection, store: Store, holding: Holding) -> None:
    """Read the open alarms of a context; one without any costs no request."""
    records = {record.key: record for copy in holding.copies for record in copy.records}
    writer.executemany(
        "INSERT INTO alarms VALUES (?, ?, ?, ?)",
        [
            (holding.name, number, to_seconds(each.at), json.dumps(each.alarm.to_json()))
            for number, each in enumerate(open_alarms_of(store, holding.name, records.values()))
        ],
    )


def _insert_growth(writer: sqlite3.Connection, holding: Holding) -> None:
    """Count copies and packages by export type and the week in which they were stored."""
    copies: Counter[tuple[str, int]] = Counter()
    packages: Counter[tuple[str, int]] = Counter()
    sizes: Counter[tuple[str, int]] = Counter()
    seen: set[str] = set()
    for copy in holding.copies:
        place = (copy.export.type, week_of(copy.stored_at))
        copies[place] += 1
        if copy.is_present and copy.package.key not in seen:
            seen.add(copy.package.key)
            packages[place] += 1
            sizes[place] += copy.package.size
    writer.executemany(
        "INSERT INTO growth VALUES (?, ?, ?, ?, ?, ?)",
        [(holding.name, *place, copies[place], packages[place], sizes[place]) for place in copies],
    )


@dataclass(frozen=True)
class _ContextRow:
    """The columns of ``contexts``, in their order."""

    context: str
    kind: str
    id: int | None
    name: str | None
    course_code: str | None
    sis_id: str | None
    account: int | None
    term: str | None
    newest: int | None
    copies: int
    packages: int
    size: int
    verified: int | None
    drilled: int | None
    drill_passed: bool | None
    held: int
    damaged: int
    unverified: int
    oldest_unverified: int | None
    fingerprint: str

    @classmethod
    def of(cls, holding: Holding, *, fingerprint: str) -> _ContextRow:
        copies = holding.copies
        facts = copies[-1].context if copies else ContextFacts(holding.kind, holding.id)
        stored: dict[str, Copy] = {}
        for copy in copies:
            if copy.is_present:
                stored.setdefault(copy.package.key, copy)
        unverified = [copy.stored_at for copy in stored.values() if copy.newest_verification is None]
        verified = [found.at for copy in copies if (found := copy.newest_verification) is not None]
        drills = [found for copy in copies if (found := copy.newest_drill) is not None]
        drill = max(drills, key=lambda record: (record.at, record.result != PASSED), default=None)
        return cls(
            context=holding.name,
            kind=holding.kind,
            id=fitting(holding.id),
            name=facts.name,
            course_code=facts.course_code,
            sis_id=facts.sis_id,
            account=fitting(facts.account_id),
            term=facts.term,
            newest=to_seconds(copies[-1].created_at) if copies else None,
            copies=len(copies),
            packages=len(stored),
            size=sum(copy.package.size for copy in stored.values()),
            verified=to_seconds(max(verified, default=None)),
            drilled=None if drill is None else to_seconds(drill.at),
            drill_passed=None if drill is None else drill.result == PASSED,
            held=sum(bool(tags_on(copy.records)) for copy in copies),
            damaged=len({copy.package.key for copy in copies if copy.is_damaged}),
            unverified=len(unverified),
            oldest_unverified=to_seconds(min(unverified, default=None)),
            fingerprint=fingerprint,
        )
