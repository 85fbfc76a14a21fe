"""Read the copies behind the rows of a run from the archive, within limits, problems first."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from canvas_exports.core.archive.catalog.assessment import assess
from canvas_exports.core.archive.catalog.copies import INTACT
from canvas_exports.core.archive.catalog.read import Holding, copies_of
from canvas_exports.core.archive.layout import context_folder
from canvas_exports.core.archive.manifest import ContextFacts, Manifest, read_manifest
from canvas_exports.core.archive.records import RecordKind, RecordName, is_manifest_key, read_record_name
from canvas_exports.core.archive.run_report import OutcomeRecord
from canvas_exports.core.packages.proof import Severity, Verdict
from canvas_exports.core.reports.page.view import CopyStatus, CopyStatuses
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import ArchiveError, ObjectNotFoundError, UnreadableDocumentError

MOST_CONTEXTS = 2000
SECONDS = 60.0
MOST_FINDINGS = 20  # of one package, in words
_AT_ONCE = 8
_TRIED = 3  # manifests
_CONTEXT = re.compile(r"(course|group|user)(?::|s/)([1-9][0-9]{0,18})(?:/.*)?")

_Context = tuple[str, int]


def read_copy_statuses(
    store: Store,
    records: Sequence[OutcomeRecord],
    *,
    now: datetime,
    clock: Callable[[], float] = time.monotonic,
) -> CopyStatuses:
    """Read the copies behind the rows of a run, in their order: at most ``MOST_CONTEXTS``, for about ``SECONDS``.

    Lists the folder of each course, group or user and reads the manifest of the package of this run; reads every manifest
    of the folder only if the run made no good copy. Skips a row without a known id, such as a SIS id that Canvas did not
    find. An error of the archive ends the check; it is returned, never raised.

    Args:
        store: the archive.
        records: the rows, problems first.
        now: when the run ended: the time of the good copies it made.
        clock: seconds.
    """
    until = clock() + SECONDS
    rows_of: dict[_Context, list[OutcomeRecord]] = {}
    for record in records:
        if (context := _context(record)) is not None:
            rows_of.setdefault(context, []).append(record)
    problems: list[str] = []

    def each(context: _Context) -> list[tuple[OutcomeRecord, CopyStatus]]:
        if problems or clock() > until:
            return []
        try:
            return list(_facts(store, context, rows_of[context], now))
        except ArchiveError as error:
            problems.append(error.message)
            return []

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="copies") as pool:
        found = [pair for pairs in pool.map(each, list(rows_of)[:MOST_CONTEXTS]) for pair in pairs]
    facts = {(record.context, record.export_type): about for record, about in found}
    placed = sum(map(len, rows_of.values()))
    return CopyStatuses(
        facts=facts,
        skipped=placed - len(facts),
        unknown=len(records) - placed,
        problem=problems[0] if problems else None,
    )


def _context(record: OutcomeRecord) -> _Context | None:
    """Return kind and id of a context, from its name or from the key of its package."""
    for text in (record.context, record.key or ""):
        if (match := _CONTEXT.fullmatch(text)) is not None:
            return match[1], int(match[2])
    return None


def _facts(
    store: Store, context: _Context, records: Iterable[OutcomeRecord], now: datetime
) -> Iterable[tuple[OutcomeRecord, CopyStatus]]:
    kind, number = context
    keys = {info.key: info.size for info in store.list(context_folder(kind, number))}
    history = [name for name in map(read_record_name, keys) if name is not None]
    holding: Holding | None = None
    for record in records:
        good_at: datetime | None = record.finished_at or now
        gap = ""
        if record.problem or record.outcome == Verdict.EMPTY.value or _is_suspect(record, history):
            holding = copies_of(store, kind, number) if holding is None else holding
            of_type = [copy for copy in holding.copies if copy.export.type == record.export_type]
            assessment = assess(of_type, holding.unreadable)
            good_at = None if assessment.proven is None else assessment.proven.created_at
            gap = assessment.why
        last = holding.copies[-1].context if holding is not None and holding.copies else None
        yield record, _about(_manifest(store, record.key, keys), good_at, gap, history, last)


def _is_suspect(record: OutcomeRecord, history: Sequence[RecordName]) -> bool:
    """Return whether any verification found the package damaged: a report may be written again much later."""
    return any(
        name.kind is RecordKind.VERIFY
        and name.result != INTACT
        and name.manifest.removesuffix(".json") == (record.key or "").rpartition(".")[0]
        for name in history
    )


def _manifest(store: Store, package: str | None, keys: Mapping[str, int]) -> Manifest | None:
    """Return a readable manifest of the package of a row, or ``None``.

    Normally it is beside the package. If retention has deleted it, the last manifests by name are tried: manifests of an
    unchanged course name the same package.
    """
    if package is None:
        return None
    beside = f"{package.rpartition('.')[0]}.json"
    others = sorted(filter(is_manifest_key, keys), reverse=True)[:_TRIED]
    for key in [beside] if beside in keys else others:
        try:
            manifest = read_manifest(store, key, size=keys[key])
        except (ObjectNotFoundError, UnreadableDocumentError):
            continue
        if manifest.package.key == package:
            return manifest
    return None


def _about(
    manifest: Manifest | None,
    good_at: datetime | None,
    gap: str,
    history: Sequence[RecordName],
    last: ContextFacts | None,
) -> CopyStatus:
    verified, drilled = _last(history, RecordKind.VERIFY), _last(history, RecordKind.DRILL)
    if manifest is None:
        return CopyStatus(
            title=None if last is None else last.name,
            code=None if last is None else last.course_code,
            good_at=good_at,
            gap=gap,
            verified=verified,
            drilled=drilled,
        )
    findings = [
        f"{finding.member}: {finding.message}" if finding.member else finding.message
        for finding in manifest.proof.findings
        if finding.severity is not Severity.INFO
    ]
    return CopyStatus(
        title=manifest.context.name,
        code=manifest.context.course_code,
        canvas=manifest.export.canvas_host,
        good_at=good_at,
        gap=gap,
        verified=verified,
        drilled=drilled,
        findings=tuple(findings[:MOST_FINDINGS]),
        more_findings=len(findings[MOST_FINDINGS:]),
        counts=manifest.proof.counts,
    )


def _last(history: Sequence[RecordName], kind: RecordKind) -> RecordName | None:
    return max((name for name in history if name.kind is kind), key=lambda name: name.at, default=None)
