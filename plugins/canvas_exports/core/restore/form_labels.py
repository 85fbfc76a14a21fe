"""What the form calls what a restore is asked for. Its messages use the same words: who reads them has filled in the form."""

from __future__ import annotations

from collections.abc import Iterable

from canvas_exports.errors import InputError

#: The title of each field by the argument that it fills.
LABELS = {
    "course": "Which course to bring back",
    "copy": "Which copy",
    "into": "Into which course",
    "confirm_same_course": "Really into the course it came from?",
    "allow_content": "The course may hold something already",
    "allow_incomplete": "An incomplete copy will do",
    "fail_on": "When is it red?",
    "export_type": "Kind of copy",
    "proof": "Proof",
    "via": "Way",
}


#: Likewise of the form of drills, where it differs.
DRILLS = {"count": "How many", "into": "Into which courses"}


def label(argument: str) -> str:
    """As it stands before a colon."""
    return LABELS[argument].rstrip("?")


def refused(argument: str, problem: str, *, accepted: Iterable[str] | str | None = None) -> InputError:
    """The error that blames an argument by its label. Its ``field`` is the argument's name."""
    error = InputError(label(argument), problem, accepted=accepted)
    error.field = argument
    return error
