"""Apply a plan: delete the copies that it names, and nothing else."""

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
    CONCURRENCY,
    ContextPlan,
    Decision,
    Plan,
    fingerprint,
    plan_context,
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

_NOT_CONFIRMED = (
    "its manifests differ from what the plan was made from; if that was the index, delete the objects below catalog/, and "
    "it is written again"
)


@dataclass(frozen=True)
class Applied:
    """Counts of deleted objects.

    Attributes:
        copies: number of manifests.
        packages: number of packages that no copy named any more.
        bytes: size of those packages.
        records: number of records of those packages, and of those that a killed run had left.
        notes: what was not deleted although the plan names it, and why. A later run deletes it.
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
    """Delete the copies that the plan names. A context that changed after the plan was made is not touched.

    The plan may come from the index, which may be stale, and which a user with write access to the archive can forge. So
    all manifests of each context with deletions are read from the store first, and the policy decides again. If the
    decisions differ, nothing of the context is deleted. This takes one read for each copy of those contexts.

    In each context the manifests are deleted first, then the packages that no copy names any more, then their records. So
    if the process is killed, every remaining manifest has its package. A package without a manifest is swept later (see
    ``archive.sweep``), and a later plan deletes the records. Locked objects are not deleted, and noted. A second call with
    the same plan deletes nothing more in a context in which something was deleted: it has changed.

    Raises:
        InputError: the plan would delete every copy of a context; nothing was deleted (permanent).
        ArchiveDeniedError: no right to delete (permanent).
        ArchiveUnavailableError: the store failed; the plan was applied in part (retryable, with a new plan).
    """
    for context in plan.contexts:
        if context.copies and len(context.of(Decision.DELETE)) == len(context.copies):
            raise InputError("plan", f"it would delete every copy of {context.name}")
    affected = [context for context in plan.contexts if not context.is_idle]
    applied = Applied()
    with ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="retention") as pool:
        for each in pool.map(lambda context: _Deleting(store, plan, context).run(), affected):
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
            return Applied(notes=(f"{context.name} is left alone: {_NOT_CONFIRMED}",))
        manifests = {copy.key for copy in context.of(Decision.DELETE) if self._delete(copy.key)}
        deleted = {
            key: size
            for key, size in context.sizes.items()
            if all(copy.package != key or copy.key in manifests for copy in context.copies)
        }
        if deleted:
            # A copy that was stored just now may name a package that is to be deleted.
            needed = self._named_by(self._list(), {info.key for info in before} - manifests)
            deleted = {key: size for key, size in deleted.items() if key not in needed}
        packages = [key for key in deleted if self._delete(key)]
        stems = {manifest_key(key) for key in packages}
        beside = [info.key for info in before if _is_record_of(info.key, stems)]
        records = [key for key in (*beside, *context.left_behind) if self._delete(key)]
        return Applied(
            len(manifests),
            len(packages),
            sum(deleted[key] for key in packages),
            len(records),
            tuple(self._notes),
        )

    def _is_confirmed(self, holding: Holding) -> bool:
        """Read whether the policy deletes the same copies by the manifests as in the plan."""
        plan, context = self._plan, self._context
        holds = plan.policy.holds.on(holding.copies)
        fresh = plan_context(holding, plan.policy, holds, plan.made_at, plan.backup)
        deleted = {copy.key for copy in fresh.of(Decision.DELETE)}
        planned = {copy.key for copy in (*context.of(Decision.DELETE), *context.of(Decision.LOCKED))}
        return (
            deleted == planned
            and {copy.key: copy.package for copy in fresh.copies}
            == {copy.key: copy.package for copy in context.copies}
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
        """Return the packages named by new manifests; all packages of the plan, if one cannot be read."""
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


def _is_record_of(key: str, manifests: set[str]) -> bool:
    record = read_record_name(key)
    return record is not None and record.manifest in manifests
