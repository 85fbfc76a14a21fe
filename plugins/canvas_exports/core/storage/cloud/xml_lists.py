"""The XML of a cloud's lists: a row for each object or upload, and the few elements beside them."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from urllib.parse import unquote
from xml.parsers import expat

from canvas_exports.errors import ArchiveUnavailableError

Row = dict[str, str]

# What XML cannot hold, as some stores write it all the same: in the name of an object, which may hold anything.
_ILLEGAL = re.compile(
    r"&#(?:x[0-9A-Fa-f]{1,8}|[0-9]{1,10});|[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]"
)
_UNKNOWN = "\N{REPLACEMENT CHARACTER}"


def read_list(document: bytes, element: str) -> tuple[list[Row], Row]:
    """The rows of a page, and the elements beside them, by their names; names of objects are decoded.

    A character that XML cannot hold becomes the replacement character: such a name is not one of ours.

    Args:
        document: the page.
        element: the name of a row.

    Raises:
        ArchiveUnavailableError: it is not such a page (retryable).
    """
    try:
        rows, beside = _parsed(document, element)
    except expat.ExpatError:
        text = document.decode(errors="replace")
        try:
            rows, beside = _parsed(_ILLEGAL.sub(_legal, text).encode(), element)
        except expat.ExpatError:
            raise ArchiveUnavailableError("the store did not list what it holds") from None
    if beside.get("EncodingType") == "url":
        for row in rows:
            if "Key" in row:
                row["Key"] = unquote(row["Key"], errors="replace")
        for name in ("NextKeyMarker",):
            if name in beside:
                beside[name] = unquote(beside[name], errors="replace")
    return rows, beside


def _legal(found: re.Match[str]) -> str:
    """A reference to a character that XML can hold as it is; anything else is none that a key of ours can hold."""
    text = found[0]
    number = -1
    if text.startswith("&#"):
        number = int(text[3:-1], 16) if text[2] == "x" else int(text[2:-1])
    legal = 0 <= number <= sys.maxunicode and (chr(number).isprintable() or chr(number) in "\t\n\r")
    return text if legal else _UNKNOWN


def _parsed(document: bytes, element: str) -> tuple[list[Row], Row]:
    rows: list[Row] = []
    beside: Row = {}
    path: list[str] = []

    def start(name: str, attributes: Mapping[str, str]) -> None:
        path.append(name)
        if name == element:
            rows.append({})
        elif attributes.get("Encoded") == "true" and element in path:
            rows[-1][f"{name} is encoded"] = "true"

    def text(data: str) -> None:
        place = rows[-1] if element in path else beside
        place[path[-1]] = place.get(path[-1], "") + data

    def refuse(*_: object) -> None:
        raise ArchiveUnavailableError("the store did not list what it holds")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: path.pop()
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(document, True)
    return rows, beside
