"""Read the run reports below ``runs/``."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from canvas_exports.core.archive.json_documents import (
    MAX_REPORT_BYTES,
    MAX_WHOLE_BYTES,
    conform,
    parse,
    read_bytes,
)
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
_LONGEST = 1024 * 1024  # bytes of a row
_MOST = 2_000_000  # rows; ten times those of the largest list

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ReportKey:
    """The key of a run report, with what the listing shows of it.

    Attributes:
        key: of the report.
        day: date of the run.
        dag: folder of the DAG: the DAG id, if that is valid in a key.
        modified: when the report was written.
        size: in bytes.
    """

    key: str
    day: date
    dag: str
    modified: datetime
    size: int

    @property
    def folder(self) -> str:
        """Return the run's folder."""
        return self.key.removesuffix("report.json")


@dataclass(frozen=True)
class RunSummary:
    """The totals of one run.

    Attributes:
        key: of its report.
        dag_id: of the DAG.
        run_id: of the DAG run.
        started_at: start of its first batch; ``None`` if it had none.
        finished_at: end of its last batch; ``None`` if it had none.
        contexts: number of planned exports.
        problems: number of exports that need attention.
        bytes: bytes that were stored.
        outcomes: number of exports by outcome.
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
    """An outcome, and the report that holds it."""

    record: OutcomeRecord
    report: ReportKey

    @property
    def at(self) -> datetime:
        """Return the time of the outcome; the time of the report, if the outcome has none."""
        return self.record.finished_at or self.report.modified


def reports(store: Store) -> list[ReportKey]:
    """Return the key of every run report, newest first. Lists ``runs/`` once.

    Raises:
        ArchiveError: the archive cannot be listed.
    """
    found = []
    for info in store.list("runs/"):
        if match := _KEY.fullmatch(info.key):
            try:
                day = date.fromisoformat(match["day"])
            except ValueError:  # such as the 30th of February
                continue
            found.append(ReportKey(info.key, day, match["dag"], info.modified, info.size))
    return sorted(found, key=lambda report: (report.day, report.modified, report.key), reverse=True)


def recent(listed: Iterable[ReportKey], *, within: timedelta = RECENT) -> list[ReportKey]:
    """Return the reports of each DAG's last days, counted from its newest report, in the same order."""
    found: list[ReportKey] = []
    newest: dict[str, date] = {}
    for report in listed:
        last = max(newest.get(report.dag, report.day), report.day)
        newest[report.dag] = last
        if last - report.day < within:
            found.append(report)
    return found


def summary_of(store: Store, key: str) -> RunSummary:
    """Return the totals of a run. Reads the beginning of its report only.

    Raises:
        ObjectNotFoundError: there is no report (permanent).
        UnreadableDocumentError: it is not a valid report (permanent).
        ArchiveDeniedError: no right to read it (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    opening = store.read(key, 0, _HEAD)
    if _OPENING in opening:
        try:
            head = parse(opening.partition(_OPENING)[0].rstrip(b" ,") + b"}", _NOUN, key=key)
        except UnreadableDocumentError:  # the report was reformatted
            pass
        else:
            return _summary(key, head)
    return _summary(key, parse(read_bytes(store, key, MAX_WHOLE_BYTES), _NOUN, key=key))


def outcomes_of(store: Store, key: str) -> Iterator[OutcomeRecord]:
    """Yield the outcomes in a report, in its order. One outcome is in memory at a time.

    Raises:
        ObjectNotFoundError: there is no report (permanent).
        UnreadableDocumentError: it is not a valid report; raised where the error is found (permanent).
        ArchiveDeniedError: no right to read it (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    for number, row in enumerate(_rows(_lines(_bounded(store.blocks(key), key), key), key)):
        if number == _MOST:
            raise UnreadableDocumentError(f"it has more than {_MOST:,} rows", key=key)
        yield record_of(row, key=key)


def reported_outcomes(store: Store, listed: Iterable[ReportKey]) -> Iterator[ReportedOutcome]:
    """Yield the outcomes in several reports, in their order. A report that cannot be read is logged and skipped.

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
    except ValueError:  # a schema cannot check dates
        raise UnreadableDocumentError("it contains an invalid time", key=key) from None


def _rows(lines: Iterator[bytes], key: str) -> Iterator[Any]:
    """Yield the rows of a report, which has one in each line; also of a report that was reformatted."""
    first = next(lines, b"")
    if not first.endswith(_OPENING):
        gathered = [first]
        size = 0
        for line in lines:
            gathered.append(line)
            size += len(line) + 1
            if size > MAX_WHOLE_BYTES:
                raise _too_large(MAX_WHOLE_BYTES, key)
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
        if size > MAX_REPORT_BYTES:
            raise _too_large(MAX_REPORT_BYTES, key)
        yield bytes(block)


def _lines(blocks: Iterable[bytes], key: str) -> Iterator[bytes]:
    """Yield the lines of a report; raise if a line is too long, unless the whole report is one line."""
    rest = b""
    first = True
    for block in blocks:
        *whole, rest = (rest + block).split(b"\n")
        first = first and not whole
        if len(rest) > (MAX_WHOLE_BYTES if first else _LONGEST):
            raise _too_large(MAX_WHOLE_BYTES if first else _LONGEST, key)
        yield from whole
    if rest:
        yield rest


def _too_large(most: int, key: str) -> UnreadableDocumentError:
    return UnreadableDocumentError(f"it, or a line of it, has more than {most:,} bytes", key=key)
