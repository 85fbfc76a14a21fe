"""Replay of an event log: every event happens again, in order, each at its own time.

The log has only what came from outside: requests for exports, faults that were used up, changes. The state of every
job and every package follows from that and the clock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from canvas_sandbox.changes import apply
from canvas_sandbox.content.selection import Selection
from canvas_sandbox.event_log import EventLog, StateError
from canvas_sandbox.faults import Fault
from canvas_sandbox.records import ExportRequest, RequestRecord
from canvas_sandbox.world import World

_VERSION = 1


def replay(event_log: EventLog, world: World, requests: Callable[[RequestRecord], object]) -> None:
    """Replay a log in a new world, and log the events that follow.

    Args:
        event_log: just opened.
        world: just created, with its addresses set: packages contain the name of the host.
        requests: called with each logged request, oldest first.

    Raises:
        StateError: the log belongs to another sandbox.
    """
    about = {
        "version": _VERSION,
        "seed": world.kernel.seed,
        "time_scale": world.kernel.time_scale,
        "campus": _campus(world),
    }
    if event_log.entries:
        begun, *entries = event_log.entries
        for name, value in about.items():
            if begun.get(name) != value:
                raise StateError(
                    f"the state is of another sandbox: its {name} was {begun.get(name)}, not {value}"
                )
        world.kernel.resume(begun["at"])
        _Replay(world, requests).run(entries)
    else:
        event_log.write("begun", at=world.kernel.started, **about)
    world.kernel.log_event = event_log.write


def _campus(world: World) -> str:
    """Return a digest of the campus at the start."""
    labels = sorted(context.label for context in world.contexts())
    return hashlib.sha256("\n".join(labels).encode()).hexdigest()[:12]


class _Replay:
    """Repeats the events of a log, by kind."""

    def __init__(self, world: World, requests: Callable[[RequestRecord], object]) -> None:
        self._world = world
        self._contexts = {context.label: context for context in world.contexts()}
        self._add_request = requests
        self._requests: list[RequestRecord] = []

    def run(self, entries: list[dict[str, Any]]) -> None:
        for entry in entries:
            act = getattr(self, "_" + entry.pop("kind"))
            act(**entry)
        for record in self._requests:
            self._add_request(record)

    def _export(self, *, at: float, context: str, user: int, faults: list[str], **asked: Any) -> None:
        world = self._world
        selection = asked.pop("selection")
        request = ExportRequest(
            context=self._contexts[context],
            user=world.users[user],
            selection=Selection(
                frozenset(selection["flags"]),
                {name: frozenset(keys) for name, keys in selection["keys"].items()},
                selection["hashed"],
            ),
            **asked,
        )
        world.kernel.run_due_jobs(at)
        world.exports.start(request, at, frozenset(map(Fault, faults)))

    def _used(self, *, context: str, fault: str) -> None:
        self._contexts[context].active_faults.use(Fault(fault))

    def _changed(self, *, at: float, what: str, arguments: list[Any]) -> None:
        self._world.kernel.run_due_jobs(at)
        apply(self._world, what, *arguments)
        self._contexts = {context.label: context for context in self._world.contexts()}

    def _advanced(self, *, seconds: float) -> None:
        self._world.kernel.clock.advance(seconds)

    def _request(self, **fields: Any) -> None:
        self._requests.append(RequestRecord(**fields))

    def _sent(self, *, request: int, bytes: int) -> None:  # noqa: A002  the name in the record
        self._requests[request].bytes = bytes
