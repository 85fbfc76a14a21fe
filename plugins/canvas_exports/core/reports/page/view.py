"""The data of a run's page, table and message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from canvas_exports.core.archive.records import RecordName
from canvas_exports.core.archive.run_report import OutcomeRecord
from canvas_exports.core.model.alarm import Alarm, AlarmCode
from canvas_exports.core.model.causes import RunCause
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.model.probes import MISS
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.reports.probe_results import describe_probes
from canvas_exports.core.text.wording import format_count, format_length
from canvas_exports.foreign_text import harmless

#: Outcomes of an export with a proven copy of this night.
_GOOD_COPY = (Outcome.STORED.value, Outcome.UNCHANGED.value)
_DEGRADED = "degraded"  # an export that made a good copy, but not in every archive


@dataclass(frozen=True)
class CopyStatus:
    """The copies of one course, group or user with one export type.

    Attributes:
        title: name of the course or group in its manifest, or in that of its newest copy; never a person's name.
        code: course code, from the same manifest.
        canvas: host in the manifest.
        good_at: time of the newest good copy; ``None`` if there is none.
        gap: why there is no good copy, in a sentence; empty if there is one.
        verified: the last verification of a copy.
        drilled: the last restore drill with a copy.
        findings: the first findings of the package of this run, as texts.
        more_findings: number of further findings.
        counts: of the proof of this run's package.
    """

    title: str | None = None
    code: str | None = None
    canvas: str | None = None
    good_at: datetime | None = None
    gap: str = ""
    verified: RecordName | None = None
    drilled: RecordName | None = None
    findings: tuple[str, ...] = ()
    more_findings: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class CopyStatuses:
    """The copies behind the rows of a run, as far as they were checked.

    Attributes:
        facts: by context and export type.
        skipped: number of rows whose copies were not checked.
        unknown: number of rows without a known id, so that the folder of their copies is not known.
        problem: error of the archive; ``None`` if only the limits were reached.
    """

    facts: Mapping[tuple[str, str], CopyStatus] = field(default_factory=dict)
    skipped: int = 0
    unknown: int = 0
    problem: str | None = None

    def of(self, record: OutcomeRecord) -> CopyStatus | None:
        """Return the copies of a row; ``None`` if they were not checked."""
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
    """A run, as its page, its table and its message show it.

    Attributes:
        records: every row, problems first.
        run: the run.
        archive: root of the archive.
        folder: key of the run's folder, ending in a slash.
        started_at: of the first batch; ``None`` where there was none.
        finished_at: of the last.
        copies: the copies behind the rows.
        past: the last runs of the same DAG, oldest first, this one among them.
        zone: time zone of the times, an IANA name.
        airflow: address of Airflow's UI; empty if unknown.
        canvas: address of Canvas; ``None`` if unknown.
        batches: the name of the batch of each context, as Airflow shows it for a mapped task.
        max_age: what the backup promises: the age of the newest good copy of each export; ``None`` without a promise.
        alarms: of the run, then of its courses.
        not_judged: why there may be more alarms; empty if there are not.
        causes: that ended many exports of the run.
    """

    records: Sequence[OutcomeRecord]
    run: RunFacts
    archive: str
    folder: str
    started_at: datetime | None
    finished_at: datetime
    copies: CopyStatuses = field(default_factory=CopyStatuses)
    past: Sequence[PastRun] = ()
    zone: str = "UTC"
    airflow: str = ""
    canvas: str | None = None
    batches: Mapping[str, str] = field(default_factory=dict)
    max_age: timedelta | None = None
    alarms: Sequence[Alarm] = ()
    not_judged: str = ""
    causes: Sequence[RunCause] = ()

    def keeps_promise(self, record: OutcomeRecord) -> bool | None:
        """Return whether the newest good copy of a row was as young as promised when the run ended.

        A row whose copies were not checked, because that is limited, keeps it if this run made its good copy. ``None``: there
        is no promise, or nothing is known.
        """
        if self.max_age is None:
            return None
        facts = self.copies.of(record)
        if facts is None and record.outcome not in _GOOD_COPY:
            return None
        good_at = (record.finished_at or self.finished_at) if facts is None else facts.good_at
        return good_at is not None and self.finished_at - good_at <= self.max_age

    @property
    def missed(self) -> list[OutcomeRecord]:
        """Return the rows whose newest good copy is older than promised, or that have none."""
        return [record for record in self.records if self.keeps_promise(record) is False]

    @property
    def promise(self) -> str:
        """Return the promise and how it is kept: ``2 days; kept for 38, missed for 2``; empty without a promise."""
        if self.max_age is None:
            return ""
        kept = [self.keeps_promise(record) for record in self.records]
        unknown = f", not checked for {kept.count(None):,}" if None in kept else ""
        return f"{format_length(self.max_age)}; kept for {kept.count(True):,}, missed for {kept.count(False):,}{unknown}"

    @property
    def probes(self) -> str:
        """Return what change probes have led to, in one or two sentences; empty where there were none."""
        return describe_probes(self.records)

    @property
    def misses(self) -> list[OutcomeRecord]:
        """Return the rows of courses whose change Canvas did not show."""
        return [record for record in self.records if record.probe_result == MISS]

    @property
    def problems(self) -> list[OutcomeRecord]:
        """Return the rows without a good copy of this run."""
        return [record for record in self.records if record.problem]

    def batch_of(self, record: OutcomeRecord) -> str:
        """Return the name of a row's batch; empty if it is not known."""
        return self.batches.get(record.context, "")

    @property
    def told_alarms(self) -> Sequence[Alarm]:
        """Return the alarms for a message: where one is about many courses, those of single courses are left out."""
        if any(alarm.code == AlarmCode.MANY_COURSES.value for alarm in self.alarms):
            return [alarm for alarm in self.alarms if alarm.context is None]
        return self.alarms

    @property
    def where(self) -> str:
        """Return the end of the phrase ``without a good copy``: empty, or a note on other archives."""
        return " in every archive" if any(record.outcome == _DEGRADED for record in self.problems) else ""

    @property
    def without_good_copy(self) -> list[OutcomeRecord]:
        """Return the rows without any good copy in the archive."""
        return [
            record
            for record in self.records
            if (facts := self.copies.of(record)) is not None and facts.good_at is None
        ]

    @property
    def note(self) -> str:
        """Return the run in a few words: ``34 of 40 good; 6 need attention``."""
        total, bad = len(self.records), len(self.problems)
        if not total:
            return "nothing was exported"
        attention = f"; {bad:,} need{'s' if bad == 1 else ''} attention" if bad else ""
        alarms = f"; {format_count(len(self.told_alarms), 'alarm')}" if self.alarms else ""
        causes = "".join(f"; {cause.sentence}" for cause in self.causes[:1])
        return f"{total - bad:,} of {total:,} good{attention}{alarms}{causes}"

    @property
    def verdict(self) -> str:
        """Return the run in one or two sentences."""
        if not self.records:
            return "Nothing was exported."
        total, bad, bare = len(self.records), len(self.problems), len(self.without_good_copy)
        if not bad:
            text = "The only export" if total == 1 else f"Each of the {total:,} exports"
            text += " of this run ended well."
        else:
            text = f"{bad:,} of {total:,} exports ended without a good copy{self.where}."
            others = bad - sum(cause.exports for cause in self.causes)
            if others and others < bad:
                text += (
                    f" {others:,} of them {'has another reason' if others == 1 else 'have other reasons'}."
                )
        if bare:
            text += f" The archive holds no good copy of {bare:,}."
        elif bad and not self.where and all(self.copies.of(record) for record in self.problems):
            text += " The archive holds an older good copy of each."
        if self.max_age is not None and (missed := len(self.missed)):
            are = "is older" if missed == 1 else "are older"
            text += f" The newest good {'copy' if missed == 1 else 'copies'} of {missed:,} {are} than the promised {format_length(self.max_age)}, or absent."
        of_run = [alarm for alarm in self.told_alarms if alarm.context is None]
        if of_run:
            text += f" {harmless(of_run[0].sentence)}"
        if more := len(self.told_alarms) - len(of_run[:1]):
            text += f" There {'is' if more == 1 else 'are'} {format_count(more, 'further alarm' if of_run else 'alarm')}."
        return text
