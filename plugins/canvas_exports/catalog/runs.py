"""What runs did, from the reports they left below ``runs/``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from canvas_exports.archive.documents import parse_time, rebuild
from canvas_exports.archive.report import OutcomeRecord
from canvas_exports.archive.store import Block, Store
from canvas_exports.errors import ArchiveError, ObjectNotFoundError

RECENT = timedelta(days=7)

_KEY = re.compile(r"runs/(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})/(?P<dag>[^/]+)/(?P<run>[^/]+)/report\.json")
_OPENING = b'"outcomes": ['
_HEAD = 64 * 1024


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
class Told:
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
        ArchiveError: there is no report, or it cannot be read.
    """
    try:
        opening = store.read(key, 0, _HEAD)
        head = _load(opening.partition(_OPENING)[0].rstrip(b" ,") + b"}") if _OPENING in opening else None
        document = head or _load(store.read(key))
    except ObjectNotFoundError:
        raise ArchiveError("there is no such report", key=key) from None
    if document is None:
        raise ArchiveError("not a run report", key=key)
    try:
        return _summary(key, document)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ArchiveError("not a run report", key=key) from None


def outcomes_of(store: Store, key: str) -> Iterator[OutcomeRecord]:
    """The outcomes that a report tells, in its order, in memory for one of them.

    Raises:
        ArchiveError: there is no report, or it cannot be read, from there on.
    """
    try:
        yield from map(_record, _rows(_lines(store.blocks(key))))
    except ObjectNotFoundError:
        raise ArchiveError("there is no such report", key=key) from None
    except (TypeError, ValueError):
        raise ArchiveError("not a run report", key=key) from None


def told(store: Store, listed: Iterable[ReportKey]) -> Iterator[Told]:
    """Every outcome of some reports, in their order. A report that cannot be read is passed over.

    Raises:
        ArchiveUnavailableError: the store failed (retryable).
    """
    for report in listed:
        yield from _told(store, report)


def _told(store: Store, report: ReportKey) -> Iterator[Told]:
    try:
        for record in outcomes_of(store, report.key):
            yield Told(record, report)
    except ArchiveError as error:
        if error.retryable:
            raise


def _summary(key: str, document: Mapping[str, Any]) -> RunSummary:
    run, totals = document["run"], document["totals"]
    return RunSummary(
        key=key,
        dag_id=run.get("dag_id"),
        run_id=run.get("run_id"),
        started_at=document["started_at"] and parse_time(document["started_at"]),
        finished_at=document["finished_at"] and parse_time(document["finished_at"]),
        contexts=int(totals["contexts"]),
        problems=int(totals["problems"]),
        bytes=int(totals["bytes"]),
        outcomes={str(name): int(number) for name, number in totals["outcomes"].items()},
    )


def _rows(lines: Iterator[bytes]) -> Iterator[Any]:
    """The rows of a report, which stand one in each line; of one that somebody has laid out anew, too."""
    first = next(lines, b"")
    if not first.endswith(_OPENING):
        document = _load(b"\n".join([first, *lines])) or {}
        if not isinstance(document.get("outcomes"), list):
            raise ValueError("no outcomes")
        yield from document["outcomes"]
        return
    for line in lines:
        if line == b"]}":
            return
        yield json.loads(line.removesuffix(b","))
    raise ValueError("the report ends early")


def _record(row: Any) -> OutcomeRecord:
    record = rebuild(OutcomeRecord, row)
    if not all(
        isinstance(text, str) for text in (record.context, record.export_type, record.outcome, record.reason)
    ):
        raise TypeError("not an outcome")
    return record


def _lines(blocks: Iterable[Block]) -> Iterator[bytes]:
    rest = b""
    for block in blocks:
        *whole, rest = (rest + bytes(block)).split(b"\n")
        yield from whole
    if rest:
        yield rest


def _load(document: bytes) -> Any:
    try:
        loaded = json.loads(document)
    except ValueError:
        return None
    return loaded if isinstance(loaded, dict) else None
