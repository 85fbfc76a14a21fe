"""Parse what people paste in place of an id: the URL of a page, a short global id, several ids on one line."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

SHARD = 10**13
SEPARATORS = ",;\r\n \t\xa0"
"""Characters that may stand between ids, and also within a SIS id."""
LONGEST_TEXT = 20_000  # characters of one line
_LARGEST = 2**63 - 1

_SHORT = re.compile(r"([0-9]{1,6})~([0-9]{1,13})")
_NUMBER = re.compile(r"[0-9]{1,19}(~[0-9]{1,13})?")
_SIMPLE = re.compile(r"((course|group|user):)?([0-9]{1,19}(~[0-9]{1,13})?|self)")
_NAMED = re.compile(r"((course|group|user):)?(sis_[a-z]{1,20}_id|lti_[a-z]{1,20}_id|uuid):")
_PAGE = re.compile(r"/(?:api/v1/)?(course|group|user)s/([^/]+)")
_BLANKS = re.compile(r"[ \t\xa0]+")  # not the other line ends of Unicode
_HOST = re.compile(r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,10}(:[0-9]{1,5})?")


def expand_global_id(value: str) -> str:
    """Return the number of a short global id: ``7236 * 10**13 + 121273`` for ``7236~121273``. Return anything else unchanged."""
    found = _SHORT.fullmatch(value) if "~" in value else None
    if found is None or int(found[1]) == 0:
        return value
    number = int(found[1]) * SHARD + int(found[2])
    return str(number) if number <= _LARGEST else value


def parse_page_url(text: str) -> tuple[str, str, str] | None:
    """Return the host, the kind of context and the id in the URL of a page of Canvas, or ``None``.

    ``https://canvas.example.edu/courses/101/modules#m5``, with or without its scheme, or a path alone, where the host is empty. The host
    is in lower case, with a port only where it is not the default of the scheme.
    """
    bare = text.strip(" <>\"'").rstrip(".,;")
    if not 0 < len(bare) <= LONGEST_TEXT or any(character.isspace() for character in bare):
        return None
    if not bare.startswith("/") and "://" not in bare:
        if not _HOST.fullmatch(bare.partition("/")[0]):
            return None
        bare = f"https://{bare}"
    try:
        parts = urlsplit(bare)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return None
    page = _PAGE.match(parts.path)
    if page is None or parts.scheme not in ("http", "https", "") or bool(parts.scheme) != bool(host):
        return None
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return host if port in (None, usual) else f"{host}:{port}", page[1], unquote(page[2])


def split_ids(text: str, is_id: Callable[[str], bool]) -> list[str]:
    """Split a line of ids at commas, semicolons, blanks and line breaks.

    SIS ids may hold all of these characters, so a text is split only where every piece is an id by itself.

    Args:
        text: at most 20,000 characters; a longer text is not split.
        is_id: returns whether a piece is an id.
    """
    if len(text) > LONGEST_TEXT:
        return [text]
    pieces = [piece for part in re.split(r"[,;\r\n]", text) if (piece := part.strip(" \t<>\"'"))]
    words = [word for piece in pieces for word in _by_blanks(piece)]
    if words and all(map(is_id, words)):
        return words
    return _by_blanks(text.strip())


def _by_blanks(piece: str) -> list[str]:
    """Split a piece at blanks: numbers and URLs first, then names with their prefix, because a name may hold blanks."""
    words = _BLANKS.split(piece)
    if len(words) < 2:  # noqa: PLR2004
        return [piece]
    named = [_NAMED.match(word) is not None for word in words]
    plain = [_SIMPLE.fullmatch(word) is not None or parse_page_url(word) is not None for word in words]
    first = named.index(True) if True in named else len(words)
    return words if all(plain[:first]) and all(named[first:]) else [piece]
