"""Titles of the fields in the forms of restores and drills. Error messages name a field by its title.

In a terminal they name the option of ``canvas-archive`` instead, within ``with option_labels():``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from canvas_exports.errors import InputError

#: Title of each field, by the argument that it fills.
LABELS = {
    "course": "Course to restore",
    "copy": "Copy",
    "into": "Target course",
    "confirm_same_course": "Confirm the original course",
    "allow_content": "Allow a course that is not empty",
    "allow_incomplete": "Allow an incomplete copy",
    "fail_on": "When the task fails",
    "export_type": "Export type",
    "proof": "Proof level",
    "via": "Transfer",
}


#: The options of ``canvas-archive restore``, by the argument that each fills.
OPTIONS = {
    "course": "COURSE",
    "copy": "--copy",
    "into": "--into",
    "confirm_same_course": "--confirm-same-course",
    "allow_content": "--allow-content",
    "allow_incomplete": "--allow-incomplete",
    "fail_on": "--fail-on",
    "export_type": "--type",
    "proof": "--proof",
    "via": "--via",
}

_in_terminal: ContextVar[bool] = ContextVar("in_terminal", default=False)

#: Titles in the form of drills, where they differ.
DRILL_LABELS = {"count": "Number of drills", "into": "Target courses"}


@contextmanager
def option_labels() -> Iterator[None]:
    """Let error messages name the options of the command, not the fields of the form."""
    before = _in_terminal.set(True)
    try:
        yield
    finally:
        _in_terminal.reset(before)


def label(argument: str) -> str:
    """Return the name of an argument where the error is shown: the title of its field, or its option."""
    return (OPTIONS if _in_terminal.get() else LABELS)[argument]


def box(argument: str) -> str:
    """Return how a person sets a switch: ``the box 'Allow ...'``, or ``the option --allow-...``."""
    return f"the option {label(argument)}" if _in_terminal.get() else f"the box {label(argument)!r}"


def under(argument: str) -> str:
    """Return where a person enters a value: ``under 'Copy'``, or ``with --copy``."""
    return f"with {label(argument)}" if _in_terminal.get() else f"under {label(argument)!r}"


def form_error(argument: str, problem: str, *, accepted: Iterable[str] | str | None = None) -> InputError:
    """Return an error whose message names the field by its title. ``field`` of the error is the argument's name."""
    error = InputError(label(argument), problem, accepted=accepted)
    error.field = argument
    return error
