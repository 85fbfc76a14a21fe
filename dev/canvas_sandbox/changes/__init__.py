"""Changes to a running Canvas that come from outside: by name and with plain arguments.

The event log records each of them, and a sandbox with the same state folder makes them again; see `canvas_sandbox.replay`.
A name, once released, keeps its meaning and its arguments: state folders of earlier releases hold it.
"""

from __future__ import annotations

from typing import Any

from canvas_sandbox.changes.campus import CAMPUS_CHANGES
from canvas_sandbox.changes.content import CONTENT_CHANGES
from canvas_sandbox.changes.imports import IMPORT_CHANGES
from canvas_sandbox.changes.tokens import TOKEN_CHANGES
from canvas_sandbox.world import World

_CHANGES = CAMPUS_CHANGES | CONTENT_CHANGES | TOKEN_CHANGES | IMPORT_CHANGES


def apply(world: World, name: str, *arguments: Any) -> Any:
    """Make a change at the moment of the last `Kernel.run_due_jobs`, log it, and return its result.

    Raises:
        ValueError: Canvas does not allow the change now. Nothing is changed or logged.
    """
    result = _CHANGES[name](world, *arguments)
    world.kernel.log_event("changed", at=world.kernel.now, what=name, arguments=arguments)
    return result
