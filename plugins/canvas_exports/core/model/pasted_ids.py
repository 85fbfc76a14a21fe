"""What people paste in place of an id: the address of a page, a short global id, several ids on one line."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

SHARD = 10**13
BETWEEN = ",;\r\n \t\xa0"
"""What may stand between ids, and in a SIS id too."""
MOST = 20_000  # characters that somebody may paste into one line
_LARGEST = 2**63 - 1

_SHORT = re.compile(r"([0-9]{1,6})~([0-9]{1,13})")
_NUMBER = re.compile(r"[0-9]{1,19}(~[0-9]{1,13})?")
_SIMPLE = re.compile(r"((course|group|user):)?([0-9]{1,19}(~[0-9]{1,13})?|self)")
_NAMED = re.compile(r"((course|group|user):)?(sis_[a-z]{1,20}_id|lti_[a-z]{1,20}_id|uuid):")
_PAGE = re.compile(r"/(?:api/v1/)?(course|group|user)s/([^/]+)")
_BLANKS = re.compile(r"[ \t\xa0]+")  # and not what else Unicode takes for a line's end
_HOST = re.compile(r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,10}(:[0-9]{1,5})?")


def expanded(value: str) -> str:
    """A short global id ``7236~121273`` as the number that it is, ``7236 * 10**13 + 121273``; anything else as it is."""
    found = _SHORT.fullmatch(value) if "~" in value else None
    if found is None or int(found[1]) == 0:
        return value
    number = int(found[1]) * SHARD + int(found[2])
    return str(number) if number <= _LARGEST else value


def address(text: str) -> tuple[str, str, str] | None:
    """What the address of a page of Canvas names: host, kind of context, id. ``None`` if it is no such address.

    ``https://canvas.example.edu/courses/101/modules#m5``, without its scheme too, or a path alone, where the host is empty.
    The host is in lower case, with a port only where one is written that is not the scheme's own.
    """
    bare = text.strip(" <>\"'").rstrip(".,;")
    if not 0 < len(bare) <= MOST or any(character.isspace() for character in bare):
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


def divided(text: str, is_id: Callable[[str], bool]) -> list[str]:
    """The ids that stand on one line, with commas, semicolons, blanks or line breaks between them.

    SIS ids may hold all of these, so a text is divided only where everything that comes of it is an id by itself; otherwise
    it is one.

    Args:
        text: what somebody wrote, of at most 20,000 characters; a longer one is not divided.
        is_id: whether a piece names something.
    """
    if len(text) > MOST:
        return [text]
    pieces = [piece for part in re.split(r"[,;\r\n]", text) if (piece := part.strip(" \t<>\"'"))]
    words = [word for piece in pieces for word in _by_blanks(piece)]
    if words and all(map(is_id, words)):
        return words
    return _by_blanks(text.strip())


def _by_blanks(piece: str) -> list[str]:
    """Numbers and addresses first, then names with their prefix: what follows a name may be a part of it."""
    words = _BLANKS.split(piece)
    if len(words) < 2:  # noqa: PLR2004
        return [piece]
    named = [_NAMED.match(word) is not None for word in words]
    plain = [_SIMPLE.fullmatch(word) is not None or address(word) is not None for word in words]
    first = named.index(True) if True in named else len(words)
    return words if all(plain[:first]) and all(named[first:]) else [piece]
