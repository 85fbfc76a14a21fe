"""The plan of a retention run: every copy, whether it stays, and why. Making one changes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import MAXYEAR, datetime
from enum import Enum

from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.archive.catalog.future_dates import without_future_dates
from canvas_exports.core.archive.catalog.read import Holding, every_context
from canvas_exports.core.archive.layout import SUFFIXES, manifest_key
from canvas_exports.core.archive.records import read_record_name
from canvas_exports.core.archive.retention.holds import unmatched
from canvas_exports.core.archive.retention.policy import Policy, group_of
from canvas_exports.core.storage.store import ObjectInfo, Store
from canvas_exports.core.text.wording import format_time

ASKED_AT_ONCE = 8  # contexts whose locks are looked up, or whose copies are deleted, at a time

UNCLEAR = (
    "another manifest of its context cannot be read: it may be that of the newest copy, or need its package"
)


class Decision(str, Enum):
    """What becomes of a copy. ``LOCKED``: its rules let it go, and its store does not."""

    KEEP = "keep"
    DELETE = "delete"
    LOCKED = "locked"


_STAYING = (Decision.KEEP, Decision.LOCKED)


@dataclass(frozen=True, slots=True)
class Line:
    """One copy in the plan.

    Attributes:
        key: of its manifest.
        package: of the package that it names.
        type: of the export.
        created_at: the time of the copy.
        proven: whether it counts as proven.
        decision: what becomes of it.
        reasons: rules and holds that keep it; of a locked one, until when.
    """

    key: str
    package: str
    type: str
    created_at: datetime
    proven: bool
    decision: Decision
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class ContextPlan:
    """What becomes of the copies of one context.

    Attributes:
        kind, id: of the context.
        fingerprint: of the listing that the plan was made from; see ``fingerprint``.
        lines: its copies that the policy is about, oldest first.
        named: packages that copies name which the policy is not about, and those beside manifests that cannot be read.
        sizes: bytes of the packages that lose their last copy, by key. They go, too.
        left_behind: records whose package has no copy any more; a run that was killed left them.
        notes: what a person should know.
    """

    kind: str
    id: int
    fingerprint: str
    lines: tuple[Line, ...]
    named: frozenset[str] = frozenset()
    sizes: dict[str, int] = field(default_factory=dict)
    left_behind: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The context as reports write it: ``course:101``."""
        return f"{self.kind}:{self.id}"

    def of(self, decision: Decision) -> list[Line]:
        """The lines with this decision."""
        return [line for line in self.lines if line.decision is decision]

    @property
    def is_idle(self) -> bool:
        """Nothing is to be deleted."""
        return not self.left_behind and not self.of(Decision.DELETE)


@dataclass(frozen=True)
class Plan:
    """What a retention run is going to do.

    Attributes:
        archive: the archive's root.
        policy: what decided.
        backup: DAG id of the backup whose copies it is about; ``None`` for all copies, whoever made them.
        made_at: when it was made.
        contexts: every context that holds such copies, or something to tell.
        others: copies that it is not about.
        unmatched: holds of the policy that lie on no copy.
    """

    archive: str
    policy: Policy
    backup: str | None
    made_at: datetime
    contexts: tuple[ContextPlan, ...]
    others: int = 0
    unmatched: tuple[str, ...] = ()

    def count(self, decision: Decision) -> int:
        """How many copies have this decision."""
        return sum(len(context.of(decision)) for context in self.contexts)

    @property
    def frees(self) -> int:
        """Bytes of the packages that go."""
        return sum(size for context in self.contexts for size in context.sizes.values())


def make_plan(
    store: Store,
    policy: Policy,
    *,
    now: datetime,
    backup: str | None = None,
    holdings: Generator[Holding, None, None] | None = None,
) -> Plan:
    """Read the archive and decide on every copy. Deletes nothing.

    Takes memory of about half a kilobyte for each copy. Of each copy that may go it looks up the locks.

    Args:
        store: the archive.
        policy: which copies stay.
        now: the time, aware of its zone.
        backup: DAG id of a backup: only copies that it made are in the plan. ``None``: all.
        holdings: what the archive holds of each context, if not as ``catalog.reading.every_context`` reads it; closed here.

    Raises:
        ArchiveDeniedError: no right to list or to read (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    contexts, others = [], 0
    seen: set[str] = set()
    with closing(holdings or every_context(store)) as found:
        for holding in (without_future_dates(each, now=now) for each in found):
            held = policy.holds.on(holding.copies)
            seen.update(hold for holds in held.values() for hold in holds)
            planned = decided(holding, policy, held, now, backup)
            others += len(holding.copies) - len(planned.lines)
            if planned.lines or planned.left_behind or planned.notes:
                contexts.append(planned)
    with ThreadPoolExecutor(ASKED_AT_ONCE, thread_name_prefix="locks") as pool:
        looked = pool.map(lambda context: _with_locks(store, context), contexts)
        return Plan(store.uri, policy, backup, now, tuple(looked), others, unmatched(policy.holds, seen))


def fingerprint(objects: Iterable[ObjectInfo]) -> str:
    """A digest of one context's listing: keys, sizes and times. Equal as long as nothing there changes."""
    lines = sorted(f"{info.key} {info.size} {info.modified.isoformat()}\n" for info in objects)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def decided(
    holding: Holding, policy: Policy, held: dict[str, tuple[str, ...]], now: datetime, backup: str | None
) -> ContextPlan:
    """The plan of one context, before its locks are known. Where a manifest cannot be read, everything stays."""
    ours = [copy for copy in holding.copies if _is_about(copy, backup)]
    is_unclear = bool(holding.unreadable)
    groups: dict[tuple[str, ...], list[Copy]] = {}
    for copy in ours:
        groups.setdefault(group_of(copy), []).append(copy)
    chosen = [policy.choose(group, now) for group in groups.values()]
    reasons = {key: rules for each in chosen for key, rules in each.items()}
    lines = []
    for copy in ours:
        why = reasons.get(copy.key, ()) + held.get(copy.key, ())
        lines.append(_line(copy, why or (UNCLEAR,) * is_unclear))
    planned = ContextPlan(
        holding.kind,
        holding.id,
        fingerprint(holding.objects),
        tuple(lines),
        named=_beside_unreadable(holding)
        | {copy.package.key for copy in holding.copies if not _is_about(copy, backup)},
        left_behind=() if is_unclear else tuple(sorted(_left_behind(holding))),
        notes=tuple(f"{each.key} is left alone: {each.reason}" for each in holding.unreadable),
    )
    sizes = {info.key: info.size for info in holding.objects}
    return replace(planned, sizes={key: sizes.get(key, 0) for key in _packages_that_go(planned)})


def _is_about(copy: Copy, backup: str | None) -> bool:
    return backup is None or copy.run.dag_id == backup


def _line(copy: Copy, why: tuple[str, ...]) -> Line:
    decision = Decision.KEEP if why else Decision.DELETE
    return Line(copy.key, copy.package.key, copy.export.type, copy.created_at, copy.is_proven, decision, why)


def _beside_unreadable(holding: Holding) -> frozenset[str]:
    """The packages beside manifests that cannot be read."""
    keys = {info.key for info in holding.objects}
    stems = [document.key.removesuffix(".json") for document in holding.unreadable]
    return frozenset(f"{stem}{suffix}" for stem in stems for suffix in SUFFIXES) & keys


def _left_behind(holding: Holding) -> Iterator[str]:
    """Records of packages that are gone with their last manifest."""
    keys = {info.key for info in holding.objects}
    named = {manifest_key(copy.package.key) for copy in holding.copies}
    for key in keys:
        record = read_record_name(key)
        if record is not None and record.manifest not in named | keys:
            stem = record.manifest.removesuffix(".json")
            if not any(f"{stem}{suffix}" in keys for suffix in SUFFIXES):
                yield key


def _packages_that_go(planned: ContextPlan) -> set[str]:
    """The packages that no copy names any more."""
    going = {line.package for line in planned.of(Decision.DELETE)}
    return going - planned.named - {line.package for line in planned.lines if line.decision in _STAYING}


def _with_locks(store: Store, context: ContextPlan) -> ContextPlan:
    """The same with the copies locked whose manifest, or whose package that would go, is under a lock."""
    if not context.of(Decision.DELETE):
        return context
    packages = {key: store.lock_of(key) for key in context.sizes}
    lines = []
    for line in context.lines:
        if line.decision is Decision.DELETE:
            ends = [end for end in (store.lock_of(line.key), packages.get(line.package)) if end]
            if ends:
                lines.append(replace(line, decision=Decision.LOCKED, reasons=(_locked(max(ends)),)))
                continue
        lines.append(line)
    looked = replace(context, lines=tuple(lines))
    going = _packages_that_go(looked)
    return replace(looked, sizes={key: size for key, size in context.sizes.items() if key in going})


def _locked(end: datetime) -> str:
    return (
        "locked until somebody lifts its hold" if end.year == MAXYEAR else f"locked until {format_time(end)}"
    )
