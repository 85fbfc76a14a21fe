"""From the outcomes of batches to those of a run."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from canvas_exports.archive.documents import parse_time
from canvas_exports.archive.report import OutcomeRecord, in_order, records_of
from canvas_exports.archive.schemas import problem
from canvas_exports.errors import ArchiveError


class Merger:
    """Takes one batch document after another, in any order, and keeps half a kilobyte of each outcome.

    Where two of them speak of one context and export type, the later outcome counts; of two without a time, that of the
    document that was finished later.

    Attributes:
        started_at: when the first batch began; ``None`` without any.
        finished_at: when the last one ended.
    """

    def __init__(self) -> None:
        self.started_at: datetime | None = None
        self.finished_at: datetime | None = None
        self._latest: dict[tuple[str, str], OutcomeRecord] = {}
        self._told_at: dict[tuple[str, str], int] = {}

    def add(self, document: Mapping[str, Any]) -> None:
        """Take in a document of ``report.batch_document``.

        Raises:
            ArchiveError: it is none.
        """
        records = _checked(document)
        begun, ended = parse_time(document["started_at"]), parse_time(document["finished_at"])
        self.started_at = min(begun, self.started_at or begun)
        self.finished_at = max(ended, self.finished_at or ended)
        told_at = int(ended.timestamp())
        for record in records:
            self.take(record, told_at)

    def take(self, record: OutcomeRecord, told_at: int) -> None:
        """Take in one outcome, told at a time in seconds since the epoch."""
        key = (record.context, sys.intern(record.export_type))
        known = self._latest.get(key)
        if known is None or (_moment(record), told_at) >= (_moment(known), self._told_at[key]):
            self._latest[key] = _frugal(record)
            self._told_at[key] = told_at

    def __contains__(self, key: tuple[str, str]) -> bool:
        return key in self._latest

    def records(self) -> list[OutcomeRecord]:
        """Every context and export type once, problems first."""
        return in_order(self._latest.values())


def _checked(document: Mapping[str, Any]) -> list[OutcomeRecord]:
    """The rows of a document that follows the schema. Rows are looked at one by one: 200,000 under the schema take minutes."""
    wrong = problem("run-report-1", {**document, "outcomes": []})
    if wrong is None:
        try:
            records = records_of(document)
        except (KeyError, TypeError, ValueError, AttributeError):
            wrong = "$.outcomes: a row is not one"
        else:
            misfits = [
                name
                for record in records
                for name, kinds in _KINDS_OF.items()
                if not isinstance(getattr(record, name), kinds)
            ]
            if not misfits:
                return records
            wrong = f"$.outcomes: {misfits[0]} of a row does not fit"
    raise ArchiveError(f"not a run report: {wrong}")


def _kinds(annotation: str) -> tuple[type, ...]:
    return tuple(kind for name in annotation.split(" | ") for kind in _KINDS[name])


_KINDS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "bool": (bool,),
    "int": (int,),
    "float": (int, float),
    "datetime": (datetime,),
    "None": (type(None),),
}
_KINDS_OF = {each.name: _kinds(str(each.type)) for each in fields(OutcomeRecord)}


def _moment(record: OutcomeRecord) -> float:
    return record.finished_at.timestamp() if record.finished_at else 0.0


def _frugal(record: OutcomeRecord) -> OutcomeRecord:
    """The same record, sharing the sentences that many records hold."""
    return replace(
        record,
        export_type=sys.intern(record.export_type),
        outcome=sys.intern(record.outcome),
        reason=sys.intern(record.reason),
        next_step=record.next_step and sys.intern(record.next_step),
    )
