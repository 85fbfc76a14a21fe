"""A copy: one manifest with the package it names, and what was learnt of that package since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from canvas_exports.core.archive.manifest import ContextFacts, ExportFacts, Manifest, PackageFacts
from canvas_exports.core.archive.records import RecordKind, RecordName
from canvas_exports.core.model.proof_levels import PROOF_LEVELS
from canvas_exports.core.model.runs import RunFacts
from canvas_exports.core.packages.proof import Verdict

INTACT, DAMAGED, VANISHED = "intact", "damaged", "vanished"
PASSED, FAILED = "passed", "failed"


@dataclass(frozen=True)
class Copy:
    """What a manifest says without its findings, what the listing shows, and what the names of records say.

    Attributes:
        key: of the manifest. It may name a package that an earlier manifest already named: go by ``package.key``.
        context: the course, group or user.
        export: Canvas's content export.
        package: the stored object.
        run: who stored it.
        level: how deep its proof looked, one of ``PROOF_LEVELS``.
        verdict: of its proof.
        counts: numbers of its proof by name; ``findings`` among them: how many things it noticed.
        stored_at: when the manifest was written.
        is_present: the package is in the archive, with the size its manifest states.
        records: verifications and drills of the package, newest first.
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
    is_present: bool = True
    records: tuple[RecordName, ...] = field(default=())

    @classmethod
    def of(
        cls, key: str, manifest: Manifest, *, is_present: bool = True, records: Iterable[RecordName] = ()
    ) -> Copy:
        """The copy that a manifest under a key makes."""
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
            is_present=is_present,
            records=newest_first(records),
        )

    @property
    def name(self) -> str:
        """The context as reports write it: ``course:101``."""
        return f"{self.context.kind}:{self.context.id}"

    @property
    def created_at(self) -> datetime:
        """The time of the copy: when Canvas created its export."""
        return self.export.created_at

    @property
    def newest_verification(self) -> RecordName | None:
        """The verification that stands: the newest, but damage is not undone by a look less deep than the one that found it.

        ``None`` if the package was never verified.
        """
        standing: RecordName | None = None
        for record in reversed(self.records):
            if record.kind is RecordKind.VERIFY and not (
                standing is not None
                and standing.result == DAMAGED
                and record.result == INTACT
                and _depth(record.detail) < _depth(standing.detail)
            ):
                standing = record
        return standing

    @property
    def newest_drill(self) -> RecordName | None:
        """The last restore drill with the package; ``None`` if there was none."""
        return next((record for record in self.records if record.kind is RecordKind.DRILL), None)

    @property
    def is_damaged(self) -> bool:
        """The package is not what was stored: it is missing, of another size, or its verification says so."""
        verification = self.newest_verification
        return not self.is_present or (verification is not None and verification.result != INTACT)

    @property
    def is_selection(self) -> bool:
        """Only some objects were exported: as a copy of the course it is not whole, however whole the package is."""
        return self.export.select is not None

    @property
    def is_proven(self) -> bool:
        """Of the whole course, whole when it was stored, and nothing is known against it since."""
        return self.verdict is Verdict.WHOLE and not self.is_selection and not self.is_damaged

    @property
    def deepest(self) -> int:
        """How deep its proof, or any verification that found it intact, looked: an index of ``PROOF_LEVELS``."""
        intact = (r.detail for r in self.records if r.kind is RecordKind.VERIFY and r.result == INTACT)
        return max(map(_depth, (self.level, *intact)))

    def is_proven_to(self, level: str) -> bool:
        """Whether it is proven, and its proof or a verification looked as deep as ``level`` of ``PROOF_LEVELS``."""
        return self.is_proven and self.deepest >= _depth(level)


def newest_first(records: Iterable[RecordName]) -> tuple[RecordName, ...]:
    """In order of time. Of two in one second the better comes last: what is bad counts."""
    return tuple(
        sorted(records, key=lambda record: (record.at, record.result not in (INTACT, PASSED)), reverse=True)
    )


def oldest_first(copies: Iterable[Copy]) -> list[Copy]:
    """Oldest first: by the time Canvas created the export, then by the export's id."""
    return sorted(copies, key=lambda copy: (copy.created_at, copy.export.id, copy.key))


def newest(copies: Iterable[Copy]) -> Copy | None:
    """The last of ``oldest_first``; ``None`` of none."""
    return max(copies, key=lambda copy: (copy.created_at, copy.export.id, copy.key), default=None)


def _depth(level: str) -> int:
    """A level of a later version counts as the shallowest."""
    return PROOF_LEVELS.index(level) if level in PROOF_LEVELS else 0
