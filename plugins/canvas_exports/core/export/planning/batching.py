"""Cut a list of contexts into batches: no context twice, those without a copy first, few enough for Airflow to map."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from canvas_exports.core.archive.records import is_manifest_key
from canvas_exports.core.export.options import MAX_EXPORTS
from canvas_exports.core.model.contexts import Context, ContextKind
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import (
    CanvasError,
    CredentialError,
    InputError,
    NotFoundError,
    PermissionDeniedError,
)
from canvas_exports.foreign_text import harmless

_log = logging.getLogger(__name__)

_SHOWN = 10
_IN_A_ROW = 3  # refusals, after which Canvas is asked whether it answers anything at all
MAX_BATCHES = 1024  # Airflow's default max_map_length


def unique(
    contexts: Iterable[Context], resolve: Callable[[Context], int], whoami: Callable[[], object]
) -> list[Context]:
    """Return each context once, in order, under its numeric id, for any spelling.

    A context that cannot be resolved stays as written, however Canvas answered: its batch tries it again, and reports it.

    Args:
        contexts: as listed.
        resolve: asks Canvas for a numeric id; called only for ids that are not numbers.
        whoami: asks Canvas something that is about no context, where refusals may be about all of them.

    Raises:
        CredentialError: the token is refused whatever is asked (permanent).
        CanvasUnavailableError: nothing is answered at all (retryable).
    """
    found: dict[Context, None] = {}
    spelled: set[Context] = set()
    in_a_row = 0
    for context in contexts:
        if context.canvas_id is not None:
            found.setdefault(context)
        elif context not in spelled:
            spelled.add(context)
            try:
                found.setdefault(context.resolved(resolve(context)))
            except (NotFoundError, PermissionDeniedError):
                found.setdefault(context)
            except CanvasError as error:
                in_a_row += 1
                if isinstance(error, CredentialError) or in_a_row >= _IN_A_ROW:
                    whoami()
                    in_a_row = 0
                _log.warning("it stays in the list under this name: %s", error)
                found.setdefault(context)
                continue
            in_a_row = 0
    return list(found)


class Tally:
    """Count contexts, to say how many of them a list leaves out, and why."""

    def __init__(self) -> None:
        self._came = 0

    def counted(self, contexts: Iterable[Context]) -> Iterator[Context]:
        """Pass contexts on, and count them."""
        for context in contexts:
            self._came += 1
            yield context

    def left_out(self, kept: Collection[Context]) -> Iterator[str]:
        """Return lines for people about a list that was made of the counted contexts."""
        if self._came > len(kept):
            yield f"{self._came - len(kept):,} left out: named more than once"
        unresolved = [str(context) for context in kept if context.canvas_id is None]
        if unresolved:
            named = ", ".join(map(harmless, unresolved[:_SHOWN]))
            more = f" and {len(unresolved) - _SHOWN:,} more" if unresolved[_SHOWN:] else ""
            yield f"{len(unresolved):,} without a number in Canvas, left to their batches to report: {named}{more}"


def last_copies(store: Store, among: Collection[Context] | None = None) -> dict[Context, datetime]:
    """Return when the newest manifest of each context was written, from listings alone.

    Args:
        store: the archive, of any size.
        among: the contexts that matter; memory is taken for these alone. All, if it is not given.
    """
    wanted = None if among is None else set(among)
    newest: dict[Context, datetime] = {}
    for kind in ContextKind:
        for info in store.list(f"{kind.collection}/"):
            _, _, rest = info.key.partition("/")
            canvas_id, _, _ = rest.partition("/")
            if not is_manifest_key(info.key) or not canvas_id.isdigit():
                continue
            context = Context(kind, canvas_id)
            if wanted is not None and context not in wanted:
                continue
            if context not in newest or info.modified > newest[context]:
                newest[context] = info.modified
    return newest


def oldest_copy_first(contexts: Iterable[Context], newest: Mapping[Context, datetime]) -> list[Context]:
    """Sort contexts: those without a copy first, then those with the oldest; otherwise in the given order."""
    return sorted(
        contexts,
        key=lambda context: (context in newest, newest[context].timestamp() if context in newest else 0.0),
    )


def cut(contexts: Sequence[object], size: int, *, exports_each: int = 1, carried: int = 0) -> list[list[str]]:
    """Cut contexts into batches for ``.expand``.

    The size grows as far as needed to stay below Airflow's limit of mapped tasks.

    Args:
        contexts: in order.
        size: contexts in a batch.
        exports_each: export types of each context.
        carried: batches that the run has already.

    Raises:
        InputError: the size is out of range, or there are more contexts than one run can carry.
    """
    most = MAX_EXPORTS // exports_each
    if not 1 <= size <= most:
        raise InputError("batch_size", f"{size} is out of range", accepted=f"1 to {most}")
    room = MAX_BATCHES - carried
    if len(contexts) > most * room:
        more = " more, as the run has some already" if carried else ""
        raise InputError(
            "courses",
            f"{len(contexts):,} are more than one run can carry",
            accepted=f"at most {most * room:,}{more}; divide them among several backups, by account, term or list",
        )
    size = max(size, math.ceil(len(contexts) / room) if room else 0)
    return [
        [str(context) for context in contexts[start : start + size]]
        for start in range(0, len(contexts), size)
    ]
