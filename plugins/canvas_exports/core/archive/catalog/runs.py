"""What runs did, from the reports they left below ``runs/``."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from canvas_exports.core.archive.json_documents import MOST_AT_ONCE, MOST_OF_REPORT, conform, fetch, parse
from canvas_exports.core.archive.run_report import OutcomeRecord, record_of
from canvas_exports.core.storage.store import Block, Store
from canvas_exports.core.text.wording import parse_time
from canvas_exports.errors import ArchiveError, UnreadableDocumentError

RECENT = timedelta(days=7)

_KEY = re.compile(r"runs/(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})/(?P<dag>[^/]+)/(?P<run>[^/]+)/report\.json")
_OPENING = b'"outcomes": ['
_HEAD = 64 * 1024
_KIND = "run-report-1"
_NOUN = "run report"
_LONGEST = 1024 * 1024  # a row
_MOST = 2_000_000  # rows: ten times what the largest list makes

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ReportKey:
    """Where the report of one run lies.

    Attributes:
        key: of the document.
        day: the run's date.
        dag: the folder of the DAG: its id, if that needed no rewriting.
        modified: when it was written.
        size: bytes.
    """

    key: str
    day: date
    dag: str
    modified: datetime
    size: int

    @property
    def folder(self) -> str:
        """The run's folder."""
        return self.key.removesuffix("report.json")


@dataclass(frozen=True)
class RunSummary:
    """What a run came to.

    Attributes:
        key: of its report.
        dag_id: Airflow's.
        run_id: likewise.
        started_at: when its first batch began; ``None`` if it had none.
        finished_at: when its last one ended; likewise.
        contexts: exports that were planned.
        problems: how many need a person.
        bytes: stored.
        outcomes: how many of each.
    """

    key: str
    dag_id: str | None
    run_id: str | None
    started_at: datetime | None
    finished_at: datetime | None
    contexts: int
    problems: int
    bytes: int
    outcomes: Mapping[str, int]


@dataclass(frozen=True)
class ReportedOutcome:
    """One outcome, and the report that tells it."""

    record: OutcomeRecord
    report: ReportKey

    @property
    def at(self) -> datetime:
        """When the outcome was known; at the latest when the report was written."""
        return self.record.finished_at or self.report.modified


def reports(store: Store) -> list[ReportKey]:
    """The report of every run, newest first: one listing of ``runs/``.

    Raises:
        ArchiveError: the archive cannot be listed.
    """
    found = []
    for info in store.list("runs/"):
        if match := _KEY.fullmatch(info.key):
            try:
                day = date.fromisoformat(match["day"])
            except ValueError:  # the thirtieth of February
                continue
            found.append(ReportKey(info.key, day, match["dag"], info.modified, info.size))
    return sorted(found, key=lambda report: (report.day, report.modified, report.key), reverse=True)


def recent(listed: Iterable[ReportKey], *, within: timedelta = RECENT) -> list[ReportKey]:
    """Those of each DAG's last days, counted back from its newest: what it is about at present. The order stays."""
    kept: list[ReportKey] = []
    newest: dict[str, date] = {}
    for report in listed:
        last = max(newest.get(report.dag, report.day), report.day)
        newest[report.dag] = last
        if last - report.day < within:
            kept.append(report)
    return kept


def summary_of(store: Store, key: str) -> RunSummary:
    """What a run came to: one small read, however long its report.

    Raises:
        ObjectNotFoundError: there is no report (permanent).
        UnreadableDocumentError: it is none (permanent).
        ArchiveDeniedError: no right to read it (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    opening = store.read(key, 0, _HEAD)
    if _OPENING in opening:
        try:
            head = parse(opening.partition(_OPENING)[0].rstrip(b" ,") + b"}", _NOUN, key=key)
        except UnreadableDocumentError:  # laid out anew by somebody
            pass
        else:
            return _summary(key, head)
    return _summary(key, parse(fetch(store, key, MOST_AT_ONCE), _NOUN, key=key))


def outcomes_of(store: Store, key: str) -> Iterator[OutcomeRecord]:
    """The outcomes that a report tells, in its order, in memory for one of them.

    Raises:
        ObjectNotFoundError: there is no report (permanent).
        UnreadableDocumentError: it is none, from there on (permanent).
        ArchiveDeniedError: no right to read it (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    for number, row in enumerate(_rows(_lines(_bounded(store.blocks(key), key), key), key)):
        if number == _MOST:
            raise UnreadableDocumentError(f"it has more than {_MOST:,} rows", key=key)
        yield record_of(row, key=key)


def reported_outcomes(store: Store, listed: Iterable[ReportKey]) -> Iterator[ReportedOutcome]:
    """Every outcome of some reports, in their order. A report that cannot be read is named in the log and passed over.

    Raises:
        ArchiveUnavailableError: the store failed (retryable).
    """
    for report in listed:
        yield from _outcomes_of_report(store, report)


def _outcomes_of_report(store: Store, report: ReportKey) -> Iterator[ReportedOutcome]:
    try:
        for record in outcomes_of(store, report.key):
            yield ReportedOutcome(record, report)
    except ArchiveError as error:
        if error.retryable:
            raise
        log.warning("%s", error)


def _summary(key: str, document: Any) -> RunSummary:
    rowless = {**document, "outcomes": []} if isinstance(document, dict) else document
    run, totals = (conform(rowless, _KIND, key=key)[name] for name in ("run", "totals"))
    started_at, finished_at = document["started_at"], document["finished_at"]
    try:
        return RunSummary(
            key=key,
            dag_id=run.get("dag_id"),
            run_id=run.get("run_id"),
            started_at=started_at and parse_time(started_at),
            finished_at=finished_at and parse_time(finished_at),
            contexts=totals["contexts"],
            problems=totals["problems"],
            bytes=totals["bytes"],
            outcomes=totals["outcomes"],
        )
    except ValueError:  # the schema knows no calendar
        raise UnreadableDocumentError("it names a time that there is not", key=key) from None


def _rows(lines: Iterator[bytes], key: str) -> Iterator[Any]:
    """The rows of a report, which stand one in each line; of one that somebody has laid out anew, too."""
    first = next(lines, b"")
    if not first.endswith(_OPENING):
        gathered = [first]
        size = 0
        for line in lines:
            gathered.append(line)
            size += len(line) + 1
            if size > MOST_AT_ONCE:
                raise _too_large(MOST_AT_ONCE, key)
        document = parse(b"\n".join(gathered), _NOUN, key=key)
        rows = document.get("outcomes") if isinstance(document, dict) else None
        if not isinstance(rows, list):
            raise UnreadableDocumentError(f"it is not a {_NOUN}: it has no outcomes", key=key)
        yield from rows
        return
    for line in lines:
        if line == b"]}":
            return
        yield parse(line.removesuffix(b","), _NOUN, key=key)
    raise UnreadableDocumentError("it ends early", key=key)


def _bounded(blocks: Iterator[Block], key: str) -> Iterator[bytes]:
    size = 0
    for block in blocks:
        size += len(block)
        if size > MOST_OF_REPORT:
            raise _too_large(MOST_OF_REPORT, key)
        yield bytes(block)


def _lines(blocks: Iterable[bytes], key: str) -> Iterator[bytes]:
    """The lines of a report, none of which is long, unless the whole of it is one."""
    rest = b""
    first = True
    for block in blocks:
        *whole, rest = (rest + block).split(b"\n")
        first = first and not whole
        if len(rest) > (MOST_AT_ONCE if first else _LONGEST):
            raise _too_large(MOST_AT_ONCE if first else _LONGEST, key)
        yield from whole
    if rest:
        yield rest


def _too_large(most: int, key: str) -> UnreadableDocumentError:
    return UnreadableDocumentError(f"it, or a line of it, has more than {most:,} bytes", key=key)
