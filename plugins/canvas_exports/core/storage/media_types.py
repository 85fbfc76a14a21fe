"""Media types of objects by the ending of their keys."""

from __future__ import annotations

from mimetypes import MimeTypes

PACKAGE = "application/zip"

_OURS = {".json": "application/json", ".imscc": PACKAGE, ".zip": PACKAGE}
#: Of everything else, for whoever shows a bucket as a web site; the table of the language, not that of the machine.
_OTHERS = MimeTypes(filenames=())


def media_type(key: str) -> str | None:
    """Return the media type of an object; ``None`` if its ending tells none. Text is UTF-8."""
    for suffix, ours in _OURS.items():
        if key.endswith(suffix):
            return ours
    other = _OTHERS.guess_type(key)[0]
    return f"{other}; charset=utf-8" if other is not None and other.startswith("text/") else other
