"""Plan a retention run: which copies are kept or deleted, and why. A plan changes nothing."""

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

CONCURRENCY = 8  # contexts whose locks are read, or whose copies are deleted, at a time

UNCLEAR = (
    "another manifest of its context cannot be read: it may be that of the newest copy, or need its package"
)


class Decision(str, Enum):
    """Whether a copy is kept or deleted. ``LOCKED``: the rules delete it, and its store forbids that."""

    KEEP = "keep"
    DELETE = "delete"
    LOCKED = "locked"


_NOT_DELETED = (Decision.KEEP, Decision.LOCKED)


@dataclass(frozen=True, slots=True)
class PlannedCopy:
    """One copy in a plan.

    Attributes:
        key: of its manifest.
        package: key of the package that it names.
        type: export type.
        created_at: the time of the copy.
        proven: whether it is proven.
        decision: whether it is kept or deleted.
        reasons: rules and holds that keep it; of a locked copy, the end of the lock.
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
    """The plan of one context.

    Attributes:
        kind, id: of the context.
        fingerprint: of the listing from which the plan was made; see ``fingerprint``.
        copies: the copies to which the policy applies, oldest first.
        protected: packages of copies to which the policy does not apply, and packages beside unreadable manifests.
        sizes: bytes by key of the packages that lose their last copy. They are deleted, too.
        left_behind: records of packages without any copy, which a killed run left behind.
        notes: messages for people.
    """

    kind: str
    id: int
    fingerprint: str
    copies: tuple[PlannedCopy, ...]
    protected: frozenset[str] = frozenset()
    sizes: dict[str, int] = field(default_factory=dict)
    left_behind: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return the context, such as ``course:101``."""
        return f"{self.kind}:{self.id}"

    def of(self, decision: Decision) -> list[PlannedCopy]:
        """Return the copies with this decision."""
        return [copy for copy in self.copies if copy.decision is decision]

    @property
    def is_idle(self) -> bool:
        """Return whether there is nothing to delete."""
        return not self.left_behind and not self.of(Decision.DELETE)


@dataclass(frozen=True)
class Plan:
    """The plan of a retention run.

    Attributes:
        archive: root URI of the archive.
        policy: the policy that decided.
        backup: DAG id of the backup to whose copies it applies; ``None`` for all copies.
        made_at: when it was made.
        contexts: contexts with such copies, or with notes.
        others: number of copies to which it does not apply.
        unmatched: holds of the policy that match no copy.
    """

    archive: str
    policy: Policy
    backup: str | None
    made_at: datetime
    contexts: tuple[ContextPlan, ...]
    others: int = 0
    unmatched: tuple[str, ...] = ()

    def count(self, decision: Decision) -> int:
        """Return the number of copies with this decision."""
        return sum(len(context.of(decision)) for context in self.contexts)

    @property
    def freed_bytes(self) -> int:
        """Return the bytes of the packages that are to be deleted."""
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

    Memory: about half a kilobyte for each copy. Reads the locks of each copy that the policy deletes.

    Args:
        store: the archive.
        policy: which copies are kept.
        now: the time, with its time zone.
        backup: DAG id of a backup: the plan contains its copies only. ``None``: all copies.
        holdings: the copies of each context; closed here. ``None``: as ``catalog.read.every_context`` reads them.

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
            planned = plan_context(holding, policy, held, now, backup)
            others += len(holding.copies) - len(planned.copies)
            if planned.copies or planned.left_behind or planned.notes:
                contexts.append(planned)
    with ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="locks") as pool:
        checked = pool.map(lambda context: _with_locks(store, context), contexts)
        return Plan(store.uri, policy, backup, now, tuple(checked), others, unmatched(policy.holds, seen))


def fingerprint(objects: Iterable[ObjectInfo]) -> str:
    """Return a digest of the keys, sizes and times of a listing; it is equal as long as no object changes."""
    lines = sorted(f"{info.key} {info.size} {info.modified.isoformat()}\n" for info in objects)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def plan_context(
    holding: Holding, policy: Policy, held: dict[str, tuple[str, ...]], now: datetime, backup: str | None
) -> ContextPlan:
    """Plan one context, before its locks are known. If a manifest cannot be read, every copy is kept."""
    ours = [copy for copy in holding.copies if _applies_to(copy, backup)]
    is_unclear = bool(holding.unreadable)
    groups: dict[tuple[str, ...], list[Copy]] = {}
    for copy in ours:
        groups.setdefault(group_of(copy), []).append(copy)
    chosen = [policy.choose(group, now) for group in groups.values()]
    reasons = {key: rules for each in chosen for key, rules in each.items()}
    copies = []
    for copy in ours:
        why = reasons.get(copy.key, ()) + held.get(copy.key, ())
        copies.append(_planned(copy, why or (UNCLEAR,) * is_unclear))
    planned = ContextPlan(
        holding.kind,
        holding.id,
        fingerprint(holding.objects),
        tuple(copies),
        protected=_beside_unreadable(holding)
        | {copy.package.key for copy in holding.copies if not _applies_to(copy, backup)},
        left_behind=() if is_unclear else tuple(sorted(_left_behind(holding))),
        notes=tuple(f"{each.key} is left alone: {each.reason}" for each in holding.unreadable),
    )
    sizes = {info.key: info.size for info in holding.objects}
    return replace(planned, sizes={key: sizes.get(key, 0) for key in _packages_to_delete(planned)})


def _applies_to(copy: Copy, backup: str | None) -> bool:
    return backup is None or copy.run.dag_id == backup


def _planned(copy: Copy, why: tuple[str, ...]) -> PlannedCopy:
    decision = Decision.KEEP if why else Decision.DELETE
    return PlannedCopy(
        copy.key, copy.package.key, copy.export.type, copy.created_at, copy.is_proven, decision, why
    )


def _beside_unreadable(holding: Holding) -> frozenset[str]:
    """Return the packages beside manifests that cannot be read."""
    keys = {info.key for info in holding.objects}
    stems = [document.key.removesuffix(".json") for document in holding.unreadable]
    return frozenset(f"{stem}{suffix}" for stem in stems for suffix in SUFFIXES) & keys


def _left_behind(holding: Holding) -> Iterator[str]:
    """Yield the records of packages that were deleted with their last manifest."""
    keys = {info.key for info in holding.objects}
    named = {manifest_key(copy.package.key) for copy in holding.copies}
    for key in keys:
        record = read_record_name(key)
        if record is not None and record.manifest not in named | keys:
            stem = record.manifest.removesuffix(".json")
            if not any(f"{stem}{suffix}" in keys for suffix in SUFFIXES):
                yield key


def _packages_to_delete(planned: ContextPlan) -> set[str]:
    """Return the packages that no copy names after the deletions."""
    deleted = {copy.package for copy in planned.of(Decision.DELETE)}
    kept = {copy.package for copy in planned.copies if copy.decision in _NOT_DELETED}
    return deleted - planned.protected - kept


def _with_locks(store: Store, context: ContextPlan) -> ContextPlan:
    """Return the plan with a copy ``LOCKED`` if its manifest, or its package that would be deleted, has a lock."""
    if not context.of(Decision.DELETE):
        return context
    packages = {key: store.lock_of(key) for key in context.sizes}
    copies = []
    for copy in context.copies:
        if copy.decision is Decision.DELETE:
            ends = [end for end in (store.lock_of(copy.key), packages.get(copy.package)) if end]
            if ends:
                copies.append(replace(copy, decision=Decision.LOCKED, reasons=(_locked(max(ends)),)))
                continue
        copies.append(copy)
    checked = replace(context, copies=tuple(copies))
    deleted = _packages_to_delete(checked)
    return replace(checked, sizes={key: size for key, size in context.sizes.items() if key in deleted})


def _locked(end: datetime) -> str:
    return "locked until its hold is lifted" if end.year == MAXYEAR else f"locked until {format_time(end)}"
