"""A course, a group or a user of Canvas: the things that can be exported."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum

from canvas_exports.core.model.pasted_ids import SEPARATORS, expand_global_id, parse_page_url, split_ids
from canvas_exports.errors import InputError
from canvas_exports.foreign_text import harmless

ACCEPTED = (
    "101, the address of its page, sis_course_id:BIO-101, course:101, course:sis_course_id:BIO-101, group:7, user:3 or "
    "user:self"
)

_FIELDS = {
    "course": frozenset({"sis_course_id", "sis_integration_id", "lti_context_id", "uuid"}),
    "group": frozenset({"sis_group_id", "lti_context_id"}),
    "user": frozenset({"sis_user_id", "sis_login_id", "sis_integration_id", "lti_user_id", "uuid"}),
}
_MAX_DIGITS = 19  # of a 64-bit id, the longest Canvas reads as one
_MAX_VALUE = 255

#: The SIS ids of courses, groups and users, as Canvas names them and manifests contain them.
SIS_FIELDS = ("sis_course_id", "sis_group_id", "sis_user_id")


class ContextKind(str, Enum):
    """The three kinds of context that have a Content Exports API."""

    COURSE = "course"
    GROUP = "group"
    USER = "user"

    @property
    def collection(self) -> str:
        """Return the plural in REST paths: ``courses``, ``groups``, ``users``."""
        return f"{self.value}s"


@dataclass(frozen=True, order=True)
class Context:
    """One course, group or user, as a person names it.

    ``id`` is a decimal Canvas id, ``self`` (users only) or ``<sis field>:<value>``, never percent-encoded.

    Attributes:
        host: of the page address that it was read from, if it was one; see ``check_host``. Not compared.
    """

    kind: ContextKind
    id: str
    host: str = field(default="", compare=False, repr=False)

    @classmethod
    def parse(
        cls, text: str | int, *, field: str = "courses", kind: ContextKind = ContextKind.COURSE
    ) -> Context:
        """Read ``101``, ``sis_course_id:BIO-101/A``, ``course:101``, ``group:7``, ``user:self``, or a page's address.

        A short global id (``7236~121273``) becomes the number that it is.

        Args:
            text: what the person wrote; surrounding white space is ignored.
            field: the name of the field to blame in an error.
            kind: the kind if the text names none.

        Raises:
            InputError: malformed; names the field and the accepted forms.
        """
        raw = str(text).strip()
        found = _read(raw, kind) or _read(raw.strip("<>\"' ").rstrip(",;"), kind)
        if found is None:
            shown = harmless(raw, most=80)
            raise InputError(field, f"{shown!r} is not a Canvas {kind.value} id", accepted=ACCEPTED)
        return found

    @classmethod
    def parse_all(
        cls, text: str | int, *, field: str = "courses", kind: ContextKind = ContextKind.COURSE
    ) -> list[Context]:
        """Read a line of one or several, separated by commas, semicolons or blanks.

        A SIS id that contains such a character stays whole, unless all its pieces are ids.

        Raises:
            InputError: one of them is malformed; names the field and the accepted forms.
        """
        raw = str(text).strip()
        if (alone := _read(raw, kind)) is not None and not any(each in raw for each in SEPARATORS):
            return [alone]
        pieces = split_ids(str(text), lambda piece: _read(piece, kind) is not None)
        return [cls.parse(piece, field=field, kind=kind) for piece in pieces]

    def check_host(self, host: str, *, field: str = "courses") -> None:
        """Check that a pasted address is one of the connection's Canvas.

        Args:
            host: of that Canvas, as an origin: ``https://canvas.example.edu``.
            field: the name of the field to blame in an error.

        Raises:
            InputError: it is one of another Canvas, where the number means another course.
        """
        asked = host.rpartition("//")[2].lower()
        if self.host and self.host != asked:
            raise InputError(
                field,
                f"the address of {self} leads to {harmless(self.host, most=80)}, and the connection to {asked}",
                accepted=f"an address of {asked}; or {self.id} alone, if both are the same Canvas",
            )

    @property
    def canvas_id(self) -> int | None:
        """Return the numeric id, or ``None`` if Canvas has to resolve the name first."""
        return int(self.id) if self.id.isdigit() else None

    def resolved(self, canvas_id: int) -> Context:
        """Return the same context with its numeric id."""
        return Context(self.kind, str(canvas_id))

    def __str__(self) -> str:
        return f"{self.kind.value}:{self.id}"


def _read(raw: str, kind: ContextKind) -> Context | None:
    """Return the context that a text names, if it names exactly one."""
    host = ""
    named, colon, rest = raw.partition(":")
    if colon and named in ContextKind._value2member_map_:
        kind, raw = ContextKind(named), rest.strip()
    elif "/" in raw and (page := parse_page_url(raw)) is not None:
        host, kind, raw = page[0], ContextKind(page[1]), page[2]
    value = expand_global_id(raw)
    if not _is_id(kind, value):
        return None
    return Context(kind, str(int(value)) if value.isdigit() else value, host)


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
