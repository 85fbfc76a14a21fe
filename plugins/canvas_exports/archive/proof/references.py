"""Which of the files a cartridge's manifest refers to are missing from the zip.

Canvas may store a file under another name than its manifest says: made unique where two files of a folder share a
name, shortened where the name is long, in another Unicode form or unescaped. A difference that one unreferenced
member of the same folder explains is not a missing file; one member explains one reference.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from posixpath import split, splitext
from urllib.parse import unquote

_KEPT_WHEN_SHORTENED = 40  # characters; a shorter name was never shortened
_MADE_UNIQUE = re.compile(r"[-_ ]*\(?\d+\)?$")

Likeness = Callable[[str], "tuple[str, ...] | None"]


@dataclass(frozen=True)
class Matched:
    """``missing``: references that nothing explains. ``renamed``: a reference, and the member it is stored as."""

    missing: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]


def match(references: Iterable[str], members: AbstractSet[str]) -> Matched:
    """Look every reference up among the names of the zip's files.

    References to other places (``https://...``) are not files of the package and are left out.
    """
    wanted = {
        href.removeprefix("./") for href in references if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", href)
    }
    missing = sorted(wanted - members)
    spare = members - wanted
    renamed: list[tuple[str, str]] = []
    for of_reference, of_member in (
        (_spelling, _spelling),
        (_spelling, _made_unique),
        (_shortened, _shortened),
    ):
        if not missing or not spare:
            break
        explained = _pair(missing, spare, of_reference, of_member)
        renamed += explained.items()
        missing = [href for href in missing if href not in explained]
        spare = spare - set(explained.values())
    return Matched(tuple(missing), tuple(sorted(renamed)))


def _pair(
    references: list[str], members: AbstractSet[str], of_reference: Likeness, of_member: Likeness
) -> dict[str, str]:
    alike: dict[tuple[str, ...] | None, list[str]] = defaultdict(list)
    for name in sorted(members, reverse=True):
        alike[of_member(name)].append(name)
    alike.pop(None, None)
    pairs = {}
    for href in references:
        candidates = alike.get(of_reference(href))
        if candidates:
            pairs[href] = candidates.pop()
    return pairs


def _parts(path: str) -> tuple[str, str, str]:
    folder, name = split(unicodedata.normalize("NFC", unquote(path)))
    stem, suffix = splitext(name)
    return folder, stem, suffix


def _spelling(path: str) -> tuple[str, ...] | None:
    return _parts(path)


def _made_unique(member: str) -> tuple[str, ...] | None:
    folder, stem, suffix = _parts(member)
    plain = _MADE_UNIQUE.sub("", stem)
    return (folder, plain, suffix) if plain != stem else None


def _shortened(path: str) -> tuple[str, ...] | None:
    folder, stem, suffix = _parts(path)
    return (folder, stem[:_KEPT_WHEN_SHORTENED], suffix) if len(stem) >= _KEPT_WHEN_SHORTENED else None
