"""A copy: a manifest, the package it names, and the verifications, drills and holds of that package."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from canvas_exports.core.archive.manifest import ContextFacts, ExportFacts, Manifest, PackageFacts
from canvas_exports.core.archive.records import RecordKind, RecordName
from canvas_exports.core.model.probes import ProbeFacts
from canvas_exports.core.model.proof_levels import PROOF_LEVELS
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.packages.proof import Verdict

INTACT, DAMAGED, VANISHED = "intact", "damaged", "vanished"
PASSED, FAILED = "passed", "failed"


@dataclass(frozen=True)
class Copy:
    """A manifest without its findings, with the state of its package and the records beside it.

    Attributes:
        key: of the manifest. Several manifests may name one package; see ``package.key``.
        context: the course, group or user.
        export: Canvas's content export.
        package: the stored object.
        run: the run that stored it.
        level: level of its proof, one of ``PROOF_LEVELS``.
        verdict: of its proof.
        counts: numbers of its proof by name, with the number of ``findings``.
        stored_at: when the manifest was written.
        probe: what was read of the course before its export was asked for; ``None`` if nothing was.
        confirmed_at: when the probes were found equal, if nothing was exported; ``None`` for an export.
        is_present: whether the package is in the archive, with the size that its manifest states.
        records: verifications, drills and holds of the package, newest first.
    """

    key: str
    context: ContextFacts
    export: ExportFacts
    package: PackageFacts
    run: RunFacts
    level: str
    verdict: Verdict
    counts: Mapping[str, int]
    stored_at: datetime
    probe: ProbeFacts | None = None
    confirmed_at: datetime | None = None
    is_present: bool = True
    records: tuple[RecordName, ...] = field(default=())

    @classmethod
    def of(
        cls, key: str, manifest: Manifest, *, is_present: bool = True, records: Iterable[RecordName] = ()
    ) -> Copy:
        """Return the copy that a manifest describes."""
        return cls(
            key=key,
            context=manifest.context,
            export=manifest.export,
            package=manifest.package,
            run=manifest.run,
            level=manifest.proof.level.value,
            verdict=manifest.proof.verdict,
            counts={**manifest.proof.counts, "findings": len(manifest.proof.findings)},
            stored_at=manifest.stored_at,
            probe=manifest.probe,
            confirmed_at=manifest.confirmed_at,
            is_present=is_present,
            records=newest_first(records),
        )

    @property
    def name(self) -> str:
        """Return the context, such as ``course:101``."""
        return f"{self.context.kind}:{self.context.id}"

    @property
    def created_at(self) -> datetime:
        """Return the time of the copy: when Canvas created its export, or when the copy was confirmed without one."""
        return self.confirmed_at or self.export.created_at

    @property
    def newest_verification(self) -> RecordName | None:
        """Return the newest verification; ``None`` if the package was never verified.

        A verification that found damage is replaced only by one of the same level or a deeper one.
        """
        valid: RecordName | None = None
        for record in reversed(self.records):
            if record.kind is RecordKind.VERIFY and not (
                valid is not None
                and valid.result == DAMAGED
                and record.result == INTACT
                and _depth(record.detail) < _depth(valid.detail)
            ):
                valid = record
        return valid

    @property
    def newest_drill(self) -> RecordName | None:
        """Return the newest restore drill of the package; ``None`` if there was none."""
        return next((record for record in self.records if record.kind is RecordKind.DRILL), None)

    @property
    def is_damaged(self) -> bool:
        """Return whether the package is missing, has another size than was stored, or was found damaged by a verification."""
        verification = self.newest_verification
        return not self.is_present or (verification is not None and verification.result != INTACT)

    @property
    def state(self) -> str:
        """Return what the copy is worth, in a word: what was found wrong with its package, or the verdict of its proof.

        ``proven``, ``incomplete``, ``empty``, ``selection`` (only selected objects), ``damaged`` or ``vanished``.
        """
        verification = self.newest_verification
        if verification is not None and verification.result != INTACT:
            return verification.result
        if not self.is_present:
            return VANISHED
        if self.is_selection:
            return "selection"
        return "proven" if self.is_proven else self.verdict.value

    @property
    def is_selection(self) -> bool:
        """Return whether only selected objects were exported, so that it is not a copy of the whole course."""
        return self.export.select is not None

    @property
    def is_proven(self) -> bool:
        """Return whether it is a copy of the whole course, was whole when it was stored, and is not damaged."""
        return self.verdict is Verdict.WHOLE and not self.is_selection and not self.is_damaged

    @property
    def deepest(self) -> int:
        """Return the deepest level of its proof and of its intact verifications, as an index of ``PROOF_LEVELS``."""
        intact = (r.detail for r in self.records if r.kind is RecordKind.VERIFY and r.result == INTACT)
        return max(map(_depth, (self.level, *intact)))

    def is_proven_to(self, level: str) -> bool:
        """Return whether it is proven, by its proof or a verification of ``level`` or deeper."""
        return self.is_proven and self.deepest >= _depth(level)


def newest_first(records: Iterable[RecordName]) -> tuple[RecordName, ...]:
    """Sort records by time, newest first. Of two in one second, the one with the worse result counts as newer."""
    return tuple(
        sorted(records, key=lambda record: (record.at, record.result not in (INTACT, PASSED)), reverse=True)
    )


def oldest_first(copies: Iterable[Copy]) -> list[Copy]:
    """Sort copies by their time, then by the export's id."""
    return sorted(copies, key=lambda copy: (copy.created_at, copy.export.id, copy.key))


def newest(copies: Iterable[Copy]) -> Copy | None:
    """Return the newest copy, in the order of ``oldest_first``; ``None`` if there is none."""
    return max(copies, key=lambda copy: (copy.created_at, copy.export.id, copy.key), default=None)


def _depth(level: str) -> int:
    """Return the index of a level; an unknown level, of a later version, counts as the shallowest."""
    return PROOF_LEVELS.index(level) if level in PROOF_LEVELS else 0
