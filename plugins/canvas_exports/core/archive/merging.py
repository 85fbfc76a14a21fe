"""From the outcomes of batches to those of a run."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from canvas_exports.core.archive.json_documents import conform
from canvas_exports.core.archive.run_report import OutcomeRecord, in_order, records_of
from canvas_exports.core.text.wording import parse_time
from canvas_exports.errors import UnreadableDocumentError


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

    def add(self, document: Mapping[str, Any], *, key: str | None = None) -> None:
        """Take in a document of ``report.batch_document``.

        Raises:
            UnreadableDocumentError: it is none; nothing of it was taken in (permanent).
        """
        conform({**document, "outcomes": []}, "run-report-1", key=key)
        records = records_of(document, key=key)  # checks the rows
        try:
            begun, ended = parse_time(document["started_at"]), parse_time(document["finished_at"])
        except (TypeError, ValueError):
            raise UnreadableDocumentError(
                "it is not a run report: it does not say when it began and ended", key=key
            ) from None
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
