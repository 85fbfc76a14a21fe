"""Asking for many Progresses at once: Canvas's GraphQL where it answers, one request for each where it does not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from weakref import WeakKeyDictionary

from canvas_exports.canvas.budget import RateBudget
from canvas_exports.canvas.models import Progress
from canvas_exports.errors import (
    CanvasError,
    CanvasUnavailableError,
    CredentialError,
    InputError,
    ThrottledError,
)

_log = logging.getLogger(__name__)

REST, GRAPHQL = "rest", "graphql"
MOST = 20  # nodes of one query: Canvas allows as many aliases
_GATHER = 0.25  # seconds that the first waits for company

Ask = Callable[[Sequence[int]], Awaitable[dict[int, Progress]]]

#: Canvases whose GraphQL was of no use to this process; they are not asked again until it ends.
_without: set[str] = set()


def check_progress_api(value: str) -> str:
    """The value, if it is one of the two.

    Raises:
        InputError: it is neither.
    """
    if value not in (REST, GRAPHQL):
        raise InputError("progress_api", f"{value!r} is not known", accepted=(REST, GRAPHQL))
    return value


class Together:
    """Those who ask within a quarter of a second, whichever client they use, ask together.

    The first of them asks for all. Whoever is not told, because Canvas shows no such node or the first was cancelled,
    has to ask alone, which ``None`` says.
    """

    def __init__(self) -> None:
        self._open: _Group | None = None

    async def progress(self, host: str, progress_id: int, ask: Ask) -> Progress | None:
        """One Progress out of a common query, or ``None``: ask for it alone.

        Args:
            host: the Canvas, as people may read it.
            progress_id: whose.
            ask: sends one query for several.

        Raises:
            CanvasError: the token is bad, or Canvas could not be reached: it would not answer a lone request either.
        """
        if host in _without:
            return None
        group = self._open
        if group is not None and len(group.progress_ids) < MOST:
            group.join(progress_id)
            await group.told.wait()
        else:
            group = self._open = _Group(progress_id)
            try:
                await self._lead(group, host, ask)
            finally:
                group.told.set()
        if group.error is not None:
            raise group.error
        return group.found.get(progress_id)

    async def _lead(self, group: _Group, host: str, ask: Ask) -> None:
        try:
            await asyncio.wait_for(group.full.wait(), _GATHER)
        except asyncio.TimeoutError:
            pass
        finally:
            self._open = None if self._open is group else self._open
        if len(group.progress_ids) == 1:
            return
        try:
            group.found = await ask(sorted(group.progress_ids))
        except (CredentialError, ThrottledError) as error:
            group.error = error
        except CanvasUnavailableError as error:
            group.error = error if error.status is None else None
        except CanvasError as error:
            _give_up(host, str(error))
        else:
            if not group.found:
                _give_up(host, "it shows none of them")


class _Group:
    """Those who ask together."""

    def __init__(self, progress_id: int) -> None:
        self.progress_ids = {progress_id}
        self.full = asyncio.Event()
        self.told = asyncio.Event()
        self.found: dict[int, Progress] = {}
        self.error: CanvasError | None = None

    def join(self, progress_id: int) -> None:
        """One more."""
        self.progress_ids.add(progress_id)
        if len(self.progress_ids) == MOST:
            self.full.set()


def _give_up(host: str, why: str) -> None:
    _log.warning("%s: each Progress is asked for alone, as GraphQL is of no use: %s", host, why)
    _without.add(host)


_together: WeakKeyDictionary[asyncio.AbstractEventLoop, WeakKeyDictionary[RateBudget, Together]] = (
    WeakKeyDictionary()
)


def shared_together(budget: RateBudget) -> Together:
    """The one of a budget on the running loop, and so of a Canvas and a token."""
    return _together.setdefault(asyncio.get_running_loop(), WeakKeyDictionary()).setdefault(
        budget, Together()
    )
