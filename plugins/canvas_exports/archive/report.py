"""The run report: what became of every context, as a document and as a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from canvas_exports.archive.manifest import RunFacts


@dataclass(frozen=True)
class OutcomeRecord:
    """What became of one context and export type.

    Attributes:
        context: such as ``course:101``.
        export_type: ``common_cartridge``, ``qti`` or ``zip``.
        outcome: one word; the engine defines them.
        reason: one sentence: why.
        next_step: one sentence: what to do about it; ``None`` where nothing is.
        problem: whether a person should look; problems come first.
        name: the context's name, for people; never a person's.
        export_id: Canvas's id of the export, where one was created.
        key: where the package lies, where one was stored.
        size: of the package, in bytes.
        findings: of the proof, in short, such as ``2 files missing``.
        seconds: from the first request to the outcome.
        finished_at: when the outcome was known (UTC).
    """

    context: str
    export_type: str
    outcome: str
    reason: str
    next_step: str | None = None
    problem: bool = False
    name: str | None = None
    export_id: int | None = None
    key: str | None = None
    size: int | None = None
    findings: str | None = None
    seconds: float | None = None
    finished_at: datetime | None = None


def batch_document(
    records: Iterable[OutcomeRecord], *, run: RunFacts, started_at: datetime, finished_at: datetime
) -> dict[str, Any]:
    """The outcomes of one task, as JSON data."""
    raise NotImplementedError


def merge(documents: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The run report from the documents of its batches; where two speak of one context, the later outcome counts."""
    raise NotImplementedError


def table(records: Sequence[OutcomeRecord], *, width: int = 120) -> str:
    """The outcomes as a plain text table for the task log, problems first, no line longer than ``width``."""
    raise NotImplementedError
