"""Titles of the fields in the forms of restores and drills. Error messages name a field by its title."""

from __future__ import annotations

from collections.abc import Iterable

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


#: Titles in the form of drills, where they differ.
DRILL_LABELS = {"count": "Number of drills", "into": "Target courses"}


def form_error(argument: str, problem: str, *, accepted: Iterable[str] | str | None = None) -> InputError:
    """Return an error whose message names the field by its title. ``field`` of the error is the argument's name."""
    error = InputError(LABELS[argument], problem, accepted=accepted)
    error.field = argument
    return error
