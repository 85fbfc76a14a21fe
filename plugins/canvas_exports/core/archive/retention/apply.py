"""Carrying out a plan, and nothing but that plan."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from canvas_exports.core.archive.catalog.future_dates import without_future_dates
from canvas_exports.core.archive.catalog.read import Holding, copies_of
from canvas_exports.core.archive.layout import context_folder, manifest_key
from canvas_exports.core.archive.manifest import load_manifest
from canvas_exports.core.archive.records import is_manifest_key, read_record_name
from canvas_exports.core.archive.retention.plan import (
    ASKED_AT_ONCE,
    ContextPlan,
    Decision,
    Plan,
    decided,
    fingerprint,
)
from canvas_exports.core.storage.store import ObjectInfo, Store
from canvas_exports.errors import (
    ArchiveDeniedError,
    InputError,
    LockedError,
    ObjectNotFoundError,
    UnreadableDocumentError,
)

log = logging.getLogger(__name__)

_OTHERWISE = (
    "its manifests do not say what the plan was made from; if that was the index, delete what is below catalog/, and it "
    "will be made anew"
)


@dataclass(frozen=True)
class Applied:
    """What was deleted.

    Attributes:
        copies: manifests.
        packages: that no copy named any more.
        bytes: of those packages.
        records: of those packages, and ones that a killed run had left.
        notes: what was left alone although the plan names it, and why. A later run does the rest.
    """

    copies: int = 0
    packages: int = 0
    bytes: int = 0
    records: int = 0
    notes: tuple[str, ...] = ()

    def __add__(self, other: Applied) -> Applied:
        return Applied(
            self.copies + other.copies,
            self.packages + other.packages,
            self.bytes + other.bytes,
            self.records + other.records,
            self.notes + other.notes,
        )


def apply_plan(store: Store, plan: Plan) -> Applied:
    """Delete what the plan says, of each context only if nothing there has changed since the plan was made.

    A plan may have been made from the index, which anybody who can write to the archive can forge, and which may be stale.
    So of each context that loses something every manifest is read again from the store first, those of the copies that go
    and those of the copies that justify it; what the same policy decides by them has to be the same, or nothing there is
    deleted. It costs one read for each copy of those contexts.

    Of each context the manifests go first (no manifest, no backup), then the packages that no copy names any more, then
    their records. So whenever it is killed, every manifest that is left has its package; a package that is left without a
    manifest is swept later (see ``archive.sweeping``), and a later plan finds the records. What is locked after all is
    left, and told. It may be called again with the same plan: a context of which anything is gone has changed.

    Raises:
        InputError: the plan would delete every copy of a context; nothing was deleted.
        ArchiveDeniedError: no right to delete (permanent).
        ArchiveUnavailableError: the store failed; part of the plan is carried out (retryable, with a new plan).
    """
    for context in plan.contexts:
        if context.lines and len(context.of(Decision.DELETE)) == len(context.lines):
            raise InputError("plan", f"it would delete every copy of {context.name}")
    busy = [context for context in plan.contexts if not context.is_idle]
    applied = Applied()
    with ThreadPoolExecutor(ASKED_AT_ONCE, thread_name_prefix="retention") as pool:
        for each in pool.map(lambda context: _Deleting(store, plan, context).run(), busy):
            applied += each
    for note in applied.notes:
        log.warning("%s", note)
    return applied


class _Deleting:
    """The deletions of one context."""

    def __init__(self, store: Store, plan: Plan, context: ContextPlan) -> None:
        self._store, self._plan, self._context = store, plan, context
        self._notes: list[str] = []

    def run(self) -> Applied:
        context = self._context
        holding = without_future_dates(
            copies_of(self._store, context.kind, context.id), now=self._plan.made_at
        )
        before = holding.objects
        if fingerprint(before) != context.fingerprint:
            return Applied(notes=(f"{context.name} has changed since it was planned, and is left alone",))
        if not self._is_confirmed(holding):
            return Applied(notes=(f"{context.name} is left alone: {_OTHERWISE}",))
        manifests = {line.key for line in context.of(Decision.DELETE) if self._delete(line.key)}
        going = {
            key: size
            for key, size in context.sizes.items()
            if all(line.package != key or line.key in manifests for line in context.lines)
        }
        if going:
            # A copy that came this very moment may name a package that is about to go.
            needed = self._named_by(self._list(), {info.key for info in before} - manifests)
            going = {key: size for key, size in going.items() if key not in needed}
        packages = [key for key in going if self._delete(key)]
        stems = {manifest_key(key) for key in packages}
        beside = [info.key for info in before if _belongs(info.key, stems)]
        records = [key for key in (*beside, *context.left_behind) if self._delete(key)]
        return Applied(
            len(manifests),
            len(packages),
            sum(going[key] for key in packages),
            len(records),
            tuple(self._notes),
        )

    def _is_confirmed(self, holding: Holding) -> bool:
        """Whether the policy lets go by the manifests what it has let go in the plan."""
        plan, context = self._plan, self._context
        held = plan.policy.holds.on(holding.copies)
        fresh = decided(holding, plan.policy, held, plan.made_at, plan.backup)
        going = {line.key for line in fresh.of(Decision.DELETE)}
        planned = {line.key for line in (*context.of(Decision.DELETE), *context.of(Decision.LOCKED))}
        return (
            going == planned
            and {line.key: line.package for line in fresh.lines}
            == {line.key: line.package for line in context.lines}
            and context.sizes.keys() <= fresh.sizes.keys()
            and set(context.left_behind) <= set(fresh.left_behind)
        )

    def _list(self) -> tuple[ObjectInfo, ...]:
        return tuple(self._store.list(context_folder(self._context.kind, self._context.id)))

    def _delete(self, key: str) -> bool:
        try:
            self._store.delete(key)
        except LockedError as error:
            self._notes.append(f"{key} was not deleted: {error.message}")
            return False
        return True

    def _named_by(self, objects: Iterable[ObjectInfo], known: set[str]) -> set[str]:
        """The packages named by manifests that were not there before; all of the plan's if one cannot be read."""
        named: set[str] = set()
        for info in objects:
            if is_manifest_key(info.key) and info.key not in known:
                try:
                    named.add(load_manifest(self._store, info.key, size=info.size).package.key)
                except ObjectNotFoundError:
                    continue
                except (UnreadableDocumentError, ArchiveDeniedError):
                    return set(self._context.sizes)
        return named


def _belongs(key: str, manifests: set[str]) -> bool:
    record = read_record_name(key)
    return record is not None and record.manifest in manifests
