"""Log how each export of a batch ended, and why another one is created."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from canvas_exports.core.export.engine.engine import Transition
from canvas_exports.core.export.engine.items import Item, State
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.text.wording import format_count, format_size
from canvas_exports.foreign_text import harmless

_log = logging.getLogger(__name__)


class BatchLog:
    """Log the transitions of a batch. Course codes may appear in a log; people's names are not known here.

    Args:
        creations: exports that are created of one context at most.
    """

    def __init__(self, *, creations: int) -> None:
        self._creations = creations

    def report(self, transitions: Iterable[Transition]) -> None:
        """Log transitions."""
        ended: dict[tuple[Outcome, str | None], list[Item]] = {}
        for transition in transitions:
            before, item = transition.before.state, transition.item
            if item.outcome is Outcome.INTERRUPTED:  # one line for all that are interrupted by the same cause
                ended.setdefault((item.outcome, item.reason), []).append(item)
            elif item.outcome is not None:
                ended[item.outcome, item.name] = [item]
            elif item.state is State.PLANNED and item.creations and before in (State.REQUESTED, State.READY):
                _log.warning(
                    "%s: %s; export %d of at most %d is asked for",
                    _name(item),
                    harmless(item.reason or "the export is of no use"),
                    item.creations + 1,
                    self._creations,
                )
        for (outcome, _), found in ended.items():
            level = logging.INFO if outcome.is_good else logging.WARNING
            _log.log(level, "%s", _ending(found[0], len(found) - 1))


def _ending(item: Item, more: int) -> str:
    assert item.outcome is not None
    parts = [item.outcome.value]
    if item.size:
        parts.append(format_size(item.size))
    if item.findings:
        parts.append(format_count(item.findings, "finding"))
    if item.outcome.has_package and item.key:
        parts.append(item.key)
    others = f" and {more:,} more" if more else ""
    reason = f": {harmless(item.reason)}" if item.reason else ""
    return f"{_name(item)}{others}: {', '.join(parts)}{reason}"


def _name(item: Item) -> str:
    return f"{item.name} ({harmless(item.label)})" if item.label else item.name
