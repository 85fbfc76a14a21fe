"""Leave out the exports of courses that have not changed: read probes, compare them with the copies, and confirm those."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.archive.publishing.references import confirm_copy
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.export.baseline import CopyBefore, Wanted, copy_before
from canvas_exports.core.export.changes.last_export import last_export
from canvas_exports.core.export.changes.limits import limit_of
from canvas_exports.core.export.changes.probe import Reading
from canvas_exports.core.export.changes.read_probes import ProbeReader
from canvas_exports.core.export.changes.rule import FRESH, NextExport, reason_to_export
from canvas_exports.core.export.engine import events
from canvas_exports.core.export.engine.engine import Engine
from canvas_exports.core.export.engine.items import Item, label_of
from canvas_exports.core.export.options import BatchOptions
from canvas_exports.core.export.replicas import Replicas
from canvas_exports.core.model.contexts import Context, ContextKind
from canvas_exports.core.model.export_types import ExportType
from canvas_exports.core.model.probes import ProbeFacts
from canvas_exports.core.model.runs import RunInfo
from canvas_exports.core.storage.store import Store
from canvas_exports.core.text.wording import format_count
from canvas_exports.errors import CanvasExportsError

_log = logging.getLogger(__name__)

_AT_ONCE = 8  # courses whose copies are read or confirmed at a time
_OTHER_ARCHIVE = "an archive cannot be used, and would lack the copy"
_NOT_CONFIRMED = "an archive could not confirm its copy"


def can_be_probed(kind: ContextKind, options: BatchOptions) -> bool:
    """Return whether exports of a kind of context can be left out under these options: of whole courses only."""
    return kind is ContextKind.COURSE and options.skip_unchanged is not None and options.select is None


def next_export(
    client: CanvasClient, options: BatchOptions, export_type: ExportType, user_id: int
) -> NextExport:
    """Return what the rule has to know of the export that would be asked for."""
    return NextExport(
        canvas_host=urlsplit(client.host).netloc,
        user_id=user_id or None,
        export_type=export_type.value,
        select=options.select,
        version=options.version if export_type is ExportType.COMMON_CARTRIDGE else None,
    )


class UnchangedCourses:
    """Decide which courses of a batch are exported, and confirm the copies of the others.

    A course is left out only if every archive of the batch holds a copy for which the rule allows it, and has confirmed it.
    Whatever is missing, unreadable, refused or odd means that the course is exported; nothing here fails a batch.

    Args:
        client: of the Canvas.
        replicas: the archives.
        options: of the batch.
        run: for the manifests.
        readings: reads ``updated_at`` of the batch's courses as the list of the run had it, by context; see ``ProbeReader``.
    """

    def __init__(
        self,
        client: CanvasClient,
        replicas: Replicas,
        options: BatchOptions,
        run: RunInfo,
        *,
        readings: Callable[[], Mapping[str, Reading]] = dict,
    ) -> None:
        self._client = client
        self._replicas = replicas
        self._options = options
        self._run = run.to_facts()
        self._readings = readings
        self._reader = ProbeReader(client)
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Confirm no further copy: the task is being stopped."""
        self._cancelled.set()

    def settle(
        self,
        engine: Engine,
        names: Iterable[str],
        *,
        save: Callable[[], None],
        user_id: int,
        exports_all: bool,
    ) -> None:
        """Read whether courses have changed, and end those that have not; the others are exported.

        What was read is saved before the first copy is confirmed, so that a killed process confirms no copy twice.

        Args:
            engine: holds the items and takes the events.
            names: of the items to probe.
            save: writes the checkpoint.
            user_id: of the token.
            exports_all: see ``decide``.
        """
        items = [engine.items[name] for name in names]
        unread = [item for item in items if item.probe is None]
        if unread:
            probes = self.read(unread)
            for item in unread:
                engine.apply(events.Probed(item.name, probes.get(item.name)))
            save()
        read = [replace(item) for item in items if item.is_to_probe]
        for event in self.decide(read, user_id=user_id, exports_all=exports_all):
            engine.apply(event)
        save()

    def read(self, items: Iterable[Item]) -> Mapping[str, ProbeFacts]:
        """Ask Canvas about courses that are to be probed; return what was read by the names of the items."""
        by_course: dict[str, list[str]] = {}
        for item in items:
            if item.canvas_id is not None:
                by_course.setdefault(f"course:{item.canvas_id}", []).append(item.name)
        try:
            oldest = self._client.server_now() - FRESH
            fresh = {name: each for name, each in self._readings().items() if each.read_at > oldest}
            probes = self._reader.read([Context.parse(course) for course in by_course], fresh)
        except Exception as error:  # noqa: BLE001 - whatever it is, the courses can be exported
            known = isinstance(error, CanvasExportsError)
            _log.warning(
                "it is unknown whether courses have changed, so they are exported: %s",
                error if known else "unexpected, please report it",
                exc_info=None if known else error,
            )
            return {}
        return {
            name: replace(probe.facts, read_at=probe.facts.read_at.replace(microsecond=0))
            for course, probe in probes.items()
            for name in by_course.get(course, ())
        }

    def decide(self, items: Sequence[Item], *, user_id: int, exports_all: bool = False) -> list[events.Event]:
        """Confirm the copies of the courses that may be left out; return an event for each item, in order.

        May be called again with the same items, also after a kill: a copy is confirmed once for each time of a probe.

        Args:
            items: whose probes were read.
            user_id: of the token.
            exports_all: no course is left out; its probe is stored with its next copy.
        """
        if exports_all:
            return [events.Changed(item.name) for item in items]
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="copies") as pool:
            found = list(pool.map(lambda item: self._decide(item, user_id), items))
        reasons = Counter(event if isinstance(event, str) else "" for event in found)
        skipped = reasons.pop("", 0)
        rest = "".join(f"; {number:,}: {reason}" for reason, number in reasons.most_common())
        _log.info(
            "%s: %d not exported, as nothing has changed%s", format_count(len(items), "probe"), skipped, rest
        )
        return [
            events.Changed(item.name) if isinstance(event, str) else event
            for item, event in zip(items, found, strict=True)
        ]

    def _decide(self, item: Item, user_id: int) -> events.Event | str:
        """Confirm the copies of one course; or return why it is exported, as the end of a sentence."""
        stores, lacking = self._replicas.split()
        if lacking:
            return _OTHER_ARCHIVE
        if item.probe is None or item.canvas_id is None or self._cancelled.is_set():
            return _NOT_CONFIRMED
        export_type = ExportType(item.export_type)
        wanted = next_export(self._client, self._options, export_type, user_id)
        of = Wanted("course", item.canvas_id, export_type.value, wanted.canvas_host, wanted.select)
        now = self._client.server_now()
        copies = [copy_before(store, of, self._options.proof) for store in stores]
        for before in copies:
            reason = reason_to_export(
                last_export(before) if before is not None else None,
                item.probe,
                wanted,
                limit=self._limit(item, before),
                now=now,
            )
            if reason is not None:
                return reason.value
        confirmed = [
            self._confirm(store, before, item.probe)
            for store, before in zip(stores, copies, strict=True)
            if before is not None
        ]
        if not all(confirmed):
            return _NOT_CONFIRMED
        first = confirmed[0]
        assert first is not None
        return _confirmed(item, first)

    def _limit(self, item: Item, before: CopyBefore | None) -> timedelta:
        assert self._options.skip_unchanged is not None
        known = before.manifest.probe if before is not None else None
        misses, checks = (0, 0) if known is None else (known.misses, known.checks)
        return limit_of(
            f"course:{item.canvas_id}", self._options.skip_unchanged, misses=misses, checks=checks
        )

    def _confirm(self, store: Store, before: CopyBefore, probe: ProbeFacts) -> Manifest | None:
        try:
            return confirm_copy(
                store,
                before.manifest,
                confirmed_at=probe.read_at,
                run=self._run,
                template=self._options.key_template,
            )
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one copy, the course can be exported
            _log.warning(
                "the copy of course:%d in %s is not confirmed: %s",
                before.manifest.context.id,
                store.uri,
                error,
            )
            return None


def _confirmed(item: Item, manifest: Manifest) -> events.Confirmed:
    export = manifest.export
    return events.Confirmed(
        item.name,
        confirmed_export=export.id,
        reason=f"nothing has changed since export {export.id} of {export.created_at:%Y-%m-%d}; not exported",
        key=manifest.package.key,
        findings=len(manifest.proof.findings),
        label=label_of(manifest.context.course_code),
    )
