"""What the archive holds of the contexts of a run: a bounded look at their folders, those with problems first."""

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
from canvas_exports.core.reports.page.view import CopyFacts, Looked
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import ArchiveError, ObjectNotFoundError, UnreadableDocumentError

MOST_CONTEXTS = 2000
SECONDS = 60.0
MOST_FINDINGS = 20  # of one package, in words
_AT_ONCE = 8
_TRIED = 3  # manifests
_CONTEXT = re.compile(r"(course|group|user)(?::|s/)([1-9][0-9]{0,18})(?:/.*)?")

Place = tuple[str, int]


def look(
    store: Store,
    records: Sequence[OutcomeRecord],
    *,
    now: datetime,
    clock: Callable[[], float] = time.monotonic,
) -> Looked:
    """Look at the copies behind the rows of a run, in their order: at most ``MOST_CONTEXTS``, for about ``SECONDS``.

    A listing for each context and the manifest of what the run stored; every manifest of a context only where the run
    made no good copy of it. A context whose number is not known, such as one by a SIS id that Canvas did not find, has
    no folder to look into. Trouble with the archive ends the look; it is told, never raised.

    Args:
        store: the archive.
        records: the rows, problems first.
        now: when the run ended: the time of the good copies it made.
        clock: seconds.
    """
    until = clock() + SECONDS
    places: dict[Place, list[OutcomeRecord]] = {}
    for record in records:
        if (place := _place(record)) is not None:
            places.setdefault(place, []).append(record)
    troubles: list[str] = []

    def each(place: Place) -> list[tuple[OutcomeRecord, CopyFacts]]:
        if troubles or clock() > until:
            return []
        try:
            return list(_facts(store, place, places[place], now))
        except ArchiveError as error:
            troubles.append(error.message)
            return []

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="look") as pool:
        found = [pair for pairs in pool.map(each, list(places)[:MOST_CONTEXTS]) for pair in pairs]
    facts = {(record.context, record.export_type): about for record, about in found}
    placed = sum(map(len, places.values()))
    return Looked(
        facts=facts,
        left=placed - len(facts),
        unknown=len(records) - placed,
        trouble=troubles[0] if troubles else None,
    )


def _place(record: OutcomeRecord) -> Place | None:
    """Kind and number of a context: from its name, or from the key of what was stored."""
    for text in (record.context, record.key or ""):
        if (match := _CONTEXT.fullmatch(text)) is not None:
            return match[1], int(match[2])
    return None


def _facts(
    store: Store, place: Place, records: Iterable[OutcomeRecord], now: datetime
) -> Iterable[tuple[OutcomeRecord, CopyFacts]]:
    kind, number = place
    keys = {info.key: info.size for info in store.list(context_folder(kind, number))}
    told = [name for name in map(read_record_name, keys) if name is not None]
    holding: Holding | None = None
    for record in records:
        good_at: datetime | None = record.finished_at or now
        lack = ""
        if record.problem or record.outcome == Verdict.EMPTY.value or _is_suspect(record, told):
            holding = copies_of(store, kind, number) if holding is None else holding
            of_type = [copy for copy in holding.copies if copy.export.type == record.export_type]
            assessment = assess(of_type, holding.unreadable)
            good_at = None if assessment.proven is None else assessment.proven.created_at
            lack = assessment.why
        last = holding.copies[-1].context if holding is not None and holding.copies else None
        yield record, _about(_manifest(store, record.key, keys), good_at, lack, told, last)


def _is_suspect(record: OutcomeRecord, told: Sequence[RecordName]) -> bool:
    """Whether a verification, once, did not find the package as it was stored: a report may be written anew, much later."""
    return any(
        name.kind is RecordKind.VERIFY
        and name.result != INTACT
        and name.manifest.removesuffix(".json") == (record.key or "").rpartition(".")[0]
        for name in told
    )


def _manifest(store: Store, package: str | None, keys: Mapping[str, int]) -> Manifest | None:
    """A manifest of what a row stored or referred to; ``None`` where there is none, or none that can be read.

    As a rule that is the one beside the package. Where retention has taken it, the last ones by name are tried: of an
    unchanged course they name the package, too.
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
    lack: str,
    told: Sequence[RecordName],
    last: ContextFacts | None,
) -> CopyFacts:
    verified, drilled = _last(told, RecordKind.VERIFY), _last(told, RecordKind.DRILL)
    if manifest is None:
        return CopyFacts(
            title=None if last is None else last.name,
            code=None if last is None else last.course_code,
            good_at=good_at,
            lack=lack,
            verified=verified,
            drilled=drilled,
        )
    findings = [
        f"{finding.member}: {finding.message}" if finding.member else finding.message
        for finding in manifest.proof.findings
        if finding.severity is not Severity.INFO
    ]
    return CopyFacts(
        title=manifest.context.name,
        code=manifest.context.course_code,
        canvas=manifest.export.canvas_host,
        good_at=good_at,
        lack=lack,
        verified=verified,
        drilled=drilled,
        findings=tuple(findings[:MOST_FINDINGS]),
        more_findings=len(findings[MOST_FINDINGS:]),
        counts=manifest.proof.counts,
    )


def _last(told: Sequence[RecordName], kind: RecordKind) -> RecordName | None:
    return max((name for name in told if name.kind is kind), key=lambda name: name.at, default=None)
