"""Create an export at Canvas exactly once, even if the response is lost."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from canvas_exports.core.canvas.api.models import ContentExport
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.export.engine import events
from canvas_exports.core.export.engine.items import Item
from canvas_exports.core.export.options import BatchOptions
from canvas_exports.core.model.contexts import Context
from canvas_exports.core.model.export_types import ExportType
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.errors import (
    BadRequestError,
    CanvasExportsError,
    NotFoundError,
    PermissionDeniedError,
    UnexpectedResponseError,
)

_log = logging.getLogger(__name__)

_ABOUT_THE_CONTEXT = (
    NotFoundError,
    PermissionDeniedError,
    BadRequestError,
)  # permanent responses about one context

_CLOCK_PRECISION = 2.0  # seconds; Canvas's times are whole, and its hosts' clocks differ a little


class Creator:
    """Create exports, and find those whose creation was requested but never confirmed.

    Canvas never deduplicates: every POST creates an export. So an intention is saved before each POST, and an intention
    without a response is looked up in the list of content exports before another POST.
    """

    def __init__(
        self, client: CanvasClient, options: BatchOptions, *, now: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._options = options
        self._now = now

    def resolve(self, item: Item) -> events.Event:
        """Resolve a SIS id or ``self`` to the numeric id. One GET, unless the id is a number already."""
        context = Context.parse(item.context)
        if context.canvas_id is not None:
            return events.Resolved(item.name, context.canvas_id)
        try:
            return events.Resolved(item.name, self._client.resolve(context))
        except _ABOUT_THE_CONTEXT as error:
            return _refusal(item, error)

    def create(self, item: Item) -> events.Event:
        """Create an export with one ``POST .../content_exports``.

        Raises:
            ResponseLostError: it may have taken effect; the item stays intended and must be looked up.
            CanvasExportsError: retryable and certainly without effect, or a credential that no longer works.
        """
        context = _context(item)
        request = self._options.request(ExportType(item.export_type), context.kind)
        try:
            export = self._client.create_export(context, request)
        except _ABOUT_THE_CONTEXT as error:
            return _refusal(item, error)
        _log.info("%s: Canvas is building export %d", item.name, export.id)
        return self._created(item, export)

    def look_up(self, item: Item, user_id: int) -> events.Event:
        """Find the export that an unanswered POST may have created, with ``GET .../content_exports``.

        An export is ours if the same user made it, of the same type, after our intention, and it is the only one. A
        request with ``select`` cannot be told from a full one in the list, so it is never adopted.
        """
        if item.intended_at is None or self._options.select is not None:
            return events.NotCreated(item.name)
        try:
            found = self._candidates(item, user_id, since=item.intended_at - _CLOCK_PRECISION)
        except _ABOUT_THE_CONTEXT as error:
            return _refusal(item, error)
        if len(found) != 1:
            return events.NotCreated(item.name)
        _log.info("%s: found export %d, whose response was lost", item.name, found[0].id)
        return self._created(item, found[0])

    def _candidates(self, item: Item, user_id: int, since: float) -> list[ContentExport]:
        found = []
        try:
            for export in self._client.list_exports(_context(item)):
                if export.created_at.timestamp() < since:
                    break  # the list is newest first
                if (
                    export.user_id == user_id
                    and export.export_type == item.export_type
                    and not export.has_failed
                ):
                    found.append(export)
        except UnexpectedResponseError as error:
            if not found:
                raise  # ours may be what could not be read
            _log.warning("%s", error)
        return found

    def _created(self, item: Item, export: ContentExport) -> events.Created:
        return events.Created(
            item.name,
            export_id=export.id,
            progress_id=export.progress_id,
            created_at=export.created_at.timestamp(),
            at=self._now(),
        )


def _context(item: Item) -> Context:
    context = Context.parse(item.context)
    return context if item.canvas_id is None else context.resolved(item.canvas_id)


def _refusal(item: Item, error: CanvasExportsError) -> events.Ended:
    """Return the outcome of a permanent response about one context."""
    if isinstance(error, NotFoundError):
        outcome = Outcome.GONE
    elif isinstance(error, PermissionDeniedError):
        outcome = Outcome.DENIED
    else:
        outcome = Outcome.FAILED
    _log.warning("%s", error)
    return events.Ended(item.name, outcome, error.reason)
