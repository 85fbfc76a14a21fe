"""What a run's page is made of: plain data, gathered before anything is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from canvas_exports.core.archive.records import RecordName
from canvas_exports.core.archive.run_report import OutcomeRecord
from canvas_exports.core.model.runs import RunFacts

_DEGRADED = "degraded"  # an export that made a good copy, but not in every archive


@dataclass(frozen=True)
class CopyFacts:
    """What the archive holds of one context under one export type.

    Attributes:
        title: the context's name in its manifest, or in that of its newest copy; never a person's.
        code: likewise, a course's code.
        canvas: the host that the manifest names.
        good_at: when the newest good copy was made; ``None`` if there is none.
        lack: why there is no good copy, in a sentence; empty if there is one.
        verified: the last verification of a copy of the context.
        drilled: the last restore drill with one.
        findings: of the package of this run, in words, the first of them.
        more_findings: how many are not among them.
        counts: numbers of the proof of this run's package.
    """

    title: str | None = None
    code: str | None = None
    canvas: str | None = None
    good_at: datetime | None = None
    lack: str = ""
    verified: RecordName | None = None
    drilled: RecordName | None = None
    findings: tuple[str, ...] = ()
    more_findings: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Looked:
    """What was learnt of the copies behind the rows of a run.

    Attributes:
        facts: by context and export type.
        left: rows whose copies were not looked at.
        unknown: rows whose context has no number that is known, so that nobody can say where its copies would lie.
        trouble: why, where the archive failed; ``None`` if only the bounds were reached.
    """

    facts: Mapping[tuple[str, str], CopyFacts] = field(default_factory=dict)
    left: int = 0
    unknown: int = 0
    trouble: str | None = None

    def of(self, record: OutcomeRecord) -> CopyFacts | None:
        """What is known of the copies of a row; ``None`` if nobody looked."""
        return self.facts.get((record.context, record.export_type))


@dataclass(frozen=True)
class PastRun:
    """The totals of a run.

    Attributes:
        run_id: as Airflow writes it.
        at: when it ended.
        size: bytes stored.
        exports: how many it made.
        problems: how many of them made no good copy.
    """

    run_id: str
    at: datetime
    size: int
    exports: int
    problems: int


@dataclass(frozen=True)
class RunView:
    """A run as its page, its table and its message tell it.

    Attributes:
        records: every row, problems first.
        run: the run.
        archive: root of the archive.
        folder: key of the run's folder, ending in a slash.
        started_at: of the first batch; ``None`` where there was none.
        finished_at: of the last.
        looked: what the archive holds of these contexts.
        past: the last runs of the same DAG, oldest first, this one among them.
        zone: in which times are told: an IANA name.
        airflow: address of Airflow's UI; empty where it is not known.
        canvas: Canvas's address; ``None`` where it is not known.
    """

    records: Sequence[OutcomeRecord]
    run: RunFacts
    archive: str
    folder: str
    started_at: datetime | None
    finished_at: datetime
    looked: Looked = field(default_factory=Looked)
    past: Sequence[PastRun] = ()
    zone: str = "UTC"
    airflow: str = ""
    canvas: str | None = None

    @property
    def problems(self) -> list[OutcomeRecord]:
        """The rows that made no good copy."""
        return [record for record in self.records if record.problem]

    @property
    def where(self) -> str:
        """What comes after ``without a good copy`` where some of those have one in another archive; else nothing."""
        return " in every archive" if any(record.outcome == _DEGRADED for record in self.problems) else ""

    @property
    def without_good_copy(self) -> list[OutcomeRecord]:
        """The rows of which the archive is known to hold no good copy at all."""
        return [
            record
            for record in self.records
            if (facts := self.looked.of(record)) is not None and facts.good_at is None
        ]

    @property
    def note(self) -> str:
        """The run in a few words: ``34 of 40 good; 6 need attention``."""
        total, bad = len(self.records), len(self.problems)
        if not total:
            return "nothing was exported"
        attention = f"; {bad:,} need{'s' if bad == 1 else ''} attention" if bad else ""
        return f"{total - bad:,} of {total:,} good{attention}"

    @property
    def verdict(self) -> str:
        """The run in one or two sentences."""
        if not self.records:
            return "Nothing was exported."
        total, bad, bare = len(self.records), len(self.problems), len(self.without_good_copy)
        if not bad:
            told = "The only export" if total == 1 else f"Each of the {total:,} exports"
            told += " of this run ended well."
        else:
            told = f"{bad:,} of {total:,} exports ended without a good copy{self.where}."
        if bare:
            told += f" Of {bare:,} there is no good copy at all in the archive."
        elif bad and not self.where and all(self.looked.of(record) for record in self.problems):
            told += " Of each of them an older good copy is in the archive."
        return told
