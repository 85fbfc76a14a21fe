"""What Canvas can export: a course, a group or a user."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from canvas_exports.errors import InputError

ACCEPTED = (
    "101, sis_course_id:BIO-101, course:101, course:sis_course_id:BIO-101, group:7, user:3 or user:self"
)

_FIELDS = {
    "course": frozenset({"sis_course_id", "sis_integration_id", "lti_context_id", "uuid"}),
    "group": frozenset({"sis_group_id", "lti_context_id"}),
    "user": frozenset({"sis_user_id", "sis_login_id", "sis_integration_id", "lti_user_id", "uuid"}),
}
_MAX_DIGITS = 19  # of a 64-bit id, the longest Canvas reads as one
_MAX_VALUE = 255


class ContextKind(str, Enum):
    """The three kinds of context that have a Content Exports API."""

    COURSE = "course"
    GROUP = "group"
    USER = "user"

    @property
    def collection(self) -> str:
        """The plural in REST paths: ``courses``, ``groups``, ``users``."""
        return f"{self.value}s"


@dataclass(frozen=True, order=True)
class Context:
    """One context, as a person names it.

    ``id`` is a decimal Canvas id, ``self`` (users only) or ``<sis field>:<value>``, never percent-encoded.
    """

    kind: ContextKind
    id: str

    @classmethod
    def parse(
        cls, text: str | int, *, field: str = "courses", kind: ContextKind = ContextKind.COURSE
    ) -> Context:
        """Read ``101``, ``sis_course_id:BIO-101/A``, ``course:101``, ``group:7`` or ``user:self``.

        Args:
            text: what the person wrote; surrounding white space is ignored.
            field: the name of the field to blame in an error.
            kind: the kind meant where the text does not name one.

        Raises:
            InputError: malformed; names the field and the accepted forms.
        """
        raw = str(text).strip()
        named, colon, rest = raw.partition(":")
        if colon and named in ContextKind._value2member_map_:
            kind, value = ContextKind(named), rest.strip()
        else:
            value = raw
        if not _is_id(kind, value):
            raise InputError(field, f"{raw!r} is not a Canvas {kind.value} id", accepted=ACCEPTED)
        if value.isdigit():
            value = str(int(value))
        return cls(kind, value)

    @property
    def canvas_id(self) -> int | None:
        """The numeric id, or ``None`` where Canvas has to resolve the name first."""
        return int(self.id) if self.id.isdigit() else None

    def resolved(self, canvas_id: int) -> Context:
        """The same context under its numeric id."""
        return Context(self.kind, str(canvas_id))

    def __str__(self) -> str:
        return f"{self.kind.value}:{self.id}"


def _is_id(kind: ContextKind, value: str) -> bool:
    if re.fullmatch(rf"[0-9]{{1,{_MAX_DIGITS}}}", value):
        return int(value) > 0
    if value == "self":
        return kind is ContextKind.USER
    field, colon, name = value.partition(":")
    return (
        bool(colon)
        and field in _FIELDS[kind.value]
        and 0 < len(name.strip()) <= _MAX_VALUE
        and not any(character < " " or character == "\x7f" for character in name)
    )
