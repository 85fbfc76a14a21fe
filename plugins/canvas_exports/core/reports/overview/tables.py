"""The tables of a snapshot: a SQLite file that one thread writes and any number read.

A reader sees what the last finished reading of the archive wrote, also while the next one writes: the file has a write-ahead log,
and one reading is one transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

_CACHE = 8192  # KiB of memory of the writer; the rest is on disk
_READER_CACHE = 2048
_PATIENCE = 30.0  # seconds for which a reader waits for another process; there is none

_LARGEST = 2**63 - 1
#: The Monday of week 0.
MONDAY = date(1969, 12, 29)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

# snapshot: one row, once the archive was read: when, its URI, and which documents of runs there are.
# contexts, holdings, assessed, alarms, growth, unreadable: what the manifests and records below each context's folder say.
# documents: documents below runs/ that were read, by key, size and time.
# outcomes: the newest outcome of each context and export type in the recent reports of each DAG; failures: each that is a problem.
# problems (also without any: a row for each context and export type), courses, weeks, groups: derived from those above at the end of each reading.
_TABLES = """
CREATE TABLE snapshot (taken INTEGER, archive TEXT, runs TEXT);
CREATE TABLE contexts (
    context TEXT PRIMARY KEY, kind TEXT, id INTEGER, name TEXT, course_code TEXT, sis_id TEXT, account INTEGER, term TEXT,
    newest INTEGER, copies INTEGER, packages INTEGER, bytes INTEGER, verified INTEGER, drilled INTEGER, drill_passed INTEGER,
    held INTEGER, damaged INTEGER, unverified INTEGER, oldest_unverified INTEGER, fingerprint TEXT
) WITHOUT ROWID;
CREATE TABLE holdings (context TEXT PRIMARY KEY, read INTEGER, document BLOB);
CREATE INDEX contexts_sis ON contexts (sis_id, newest) WHERE kind = 'course' AND sis_id IS NOT NULL;
CREATE TABLE assessed (
    context TEXT, type TEXT, newest INTEGER, proven INTEGER, why TEXT, name TEXT, PRIMARY KEY (context, type)
) WITHOUT ROWID;
CREATE TABLE alarms (context TEXT, number INTEGER, at INTEGER, document TEXT, PRIMARY KEY (context, number)) WITHOUT ROWID;
CREATE INDEX alarms_at ON alarms (at);
CREATE TABLE growth (
    context TEXT, type TEXT, week INTEGER, copies INTEGER, packages INTEGER, bytes INTEGER, PRIMARY KEY (context, type, week)
) WITHOUT ROWID;
CREATE TABLE unreadable (context TEXT, key TEXT, reason TEXT, PRIMARY KEY (context, key)) WITHOUT ROWID;
CREATE TABLE documents (
    kind TEXT, key TEXT, size INTEGER, modified INTEGER, content TEXT, PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE TABLE outcomes (
    dag TEXT, context TEXT, type TEXT, mistyped INTEGER, place TEXT, report TEXT, at INTEGER, stored_as TEXT, outcome TEXT,
    reason TEXT, next_step TEXT, name TEXT, title TEXT, sis_id TEXT, term TEXT, max_age INTEGER,
    PRIMARY KEY (dag, context, type, mistyped)
) WITHOUT ROWID;
CREATE TABLE failures (
    report TEXT, about TEXT, type TEXT, at INTEGER, PRIMARY KEY (report, about, type)
) WITHOUT ROWID;
CREATE INDEX failures_about ON failures (about, type);
CREATE TABLE problems (
    context TEXT, type TEXT, newest INTEGER, proven INTEGER, missing INTEGER, why TEXT, name TEXT, max_age INTEGER,
    due INTEGER, since INTEGER, outcome TEXT, reason TEXT, next_step TEXT, report TEXT, PRIMARY KEY (context, type)
) WITHOUT ROWID;
CREATE TABLE courses (
    context TEXT PRIMARY KEY, kind TEXT, id INTEGER, name TEXT, course_code TEXT, sis_id TEXT, account INTEGER, term TEXT,
    why TEXT, newest INTEGER, proven INTEGER, missing INTEGER, promised INTEGER, due INTEGER, max_age INTEGER,
    copies INTEGER, packages INTEGER, bytes INTEGER, verified INTEGER, drilled INTEGER, held INTEGER, words TEXT
) WITHOUT ROWID;
CREATE TABLE weeks (term TEXT, type TEXT, week INTEGER, bytes INTEGER);
CREATE TABLE groups (term TEXT, type TEXT, contexts INTEGER, copies INTEGER, packages INTEGER, bytes INTEGER);
"""


def create_tables(path: Path) -> sqlite3.Connection:
    """Create the file, which must not exist, and return the connection of its one writer, in no transaction."""
    writer = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    writer.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE;")
    writer.execute(f"PRAGMA cache_size = -{_CACHE}")
    writer.executescript(_TABLES)
    return writer


@contextmanager
def transaction(writer: sqlite3.Connection, *, keep_partial: bool) -> Iterator[None]:
    """Let readers see all changes at the end, or none after an exception: then they are undone, unless ``keep_partial``."""
    writer.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        _end(writer, "COMMIT" if keep_partial else "ROLLBACK")
        raise
    writer.execute("COMMIT")
    writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _end(writer: sqlite3.Connection, how: str) -> None:
    """End a transaction that failed; a full disk may have ended it already, or refuse to keep it."""
    for statement in (how, "ROLLBACK"):
        if writer.in_transaction:
            with suppress(sqlite3.Error):
                writer.execute(statement)


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the file for one consistent look at it."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=_PATIENCE)) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute(f"PRAGMA cache_size = -{_READER_CACHE}")
        connection.execute("BEGIN")
        yield connection


def to_seconds(moment: datetime | None) -> int | None:
    """Return a moment as a column has it: whole seconds since 1970."""
    return None if moment is None else (moment - _EPOCH) // timedelta(seconds=1)


def to_moment(seconds: int | None) -> datetime | None:
    """Return the moment in a column."""
    return None if seconds is None else _EPOCH + timedelta(seconds=seconds)


def fitting(number: int | None) -> int | None:
    """Return a number that a column can hold, or ``None``."""
    return number if number is not None and -_LARGEST <= number <= _LARGEST else None


def week_of(moment: datetime) -> int:
    """Return the number of the week of a moment, in UTC: ``MONDAY`` begins week 0."""
    return (moment.astimezone(timezone.utc).date() - MONDAY).days // 7
