"""Find the files that a cartridge's manifest refers to and that are missing from the zip.

Canvas may store a file under another name than its manifest says: made unique if two files of a folder share a name,
shortened if the name is long, in another Unicode form, or unescaped. A file is not missing if one unreferenced member of
the same folder explains the difference; one member explains one reference.

Paths are resolved as in Canvas's importer: a backslash is a slash, and ``.`` and ``..`` are resolved.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from posixpath import split, splitext
from urllib.parse import unquote

from canvas_exports.core.packages.zip.mac_sidecars import is_sidecar

_KEPT_WHEN_SHORTENED = 40  # characters; a shorter name was never shortened
# Longer names are only compared as they are: Canvas does not write them, and the search for similar ones would be slow.
_LONGEST_LIKENESS = 1_000
_MOST_MARKS = 30  # as in Unicode's stream-safe text (UAX 15)
_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")

Likeness = Callable[[str], "tuple[str, ...] | None"]


@dataclass(frozen=True)
class MatchedReferences:
    """``missing``: references without a member. ``renamed``: a reference, and the name of its member."""

    missing: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]


def match_references(references: Iterable[str], members: AbstractSet[str]) -> MatchedReferences:
    """Look up every reference among the names of the zip's files.

    References to web addresses (``https://...``) are left out. Other systems may add a query or a fragment to a reference.
    """
    wanted = {_wanted(href, members) for href in references if not _ELSEWHERE.match(href)}
    wanted.discard("")  # the package itself
    missing = sorted(wanted - members)
    if not missing:
        return MatchedReferences((), ())
    spare = {name for name in members if name not in wanted and not is_sidecar(name)}
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
        spare -= set(explained.values())
    return MatchedReferences(tuple(missing), tuple(sorted(renamed)))


def _wanted(href: str, members: AbstractSet[str]) -> str:
    if href in members:
        return href
    path = resolve_path(href)
    plain = resolve_path(href.partition("#")[0].partition("?")[0])
    return plain if path not in members and plain in members else path


def resolve_path(href: str) -> str:
    """Return the path in the package that a reference leads to. A path out of the package keeps its first ``..``."""
    path = href.replace("\\", "/")
    if "//" not in path and "./" not in path and not path.startswith("/") and not path.endswith((".", "/")):
        return path
    parts: list[str] = []
    for part in path.split("/"):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _pair(
    references: list[str], members: AbstractSet[str], of_reference: Likeness, of_member: Likeness
) -> dict[str, str]:
    # Keyed by the hash of the likeness, which takes a third of the memory; a match is compared in full.
    alike: dict[int, str | list[str]] = {}
    for name in sorted(members, reverse=True):
        likeness = of_member(name)
        if likeness is not None:
            known = alike.setdefault(hash(likeness), name)
            if isinstance(known, list):
                known.append(name)
            elif known is not name:
                alike[hash(likeness)] = [known, name]
    pairs = {}
    for href in references:
        likeness = of_reference(href)
        found = alike.get(hash(likeness)) if likeness is not None else None
        if found is None:
            continue
        candidates = found if isinstance(found, list) else [found]
        if candidates and of_member(candidates[-1]) == likeness:
            pairs[href] = candidates.pop()
            alike[hash(likeness)] = candidates
    return pairs


def _parts(path: str) -> tuple[str, str, str]:
    folder, name = split(normalize_text(unquote(resolve_path(path))))
    stem, suffix = splitext(name)
    return folder, stem, suffix


def normalize_text(text: str) -> str:
    """Return the text in Unicode form NFC; unchanged if a letter has more marks than in any language, which would be slow."""
    if unicodedata.is_normalized("NFC", text):
        return text
    marks = 0
    for letter in text:
        marks = marks + 1 if unicodedata.combining(letter) else 0
        if marks > _MOST_MARKS:
            return text
    return unicodedata.normalize("NFC", text)


def _spelling(path: str) -> tuple[str, ...] | None:
    return _parts(path) if len(path) <= _LONGEST_LIKENESS else None


def _made_unique(member: str) -> tuple[str, ...] | None:
    if len(member) > _LONGEST_LIKENESS:
        return None
    folder, stem, suffix = _parts(member)
    plain = _without_number(stem)
    return (folder, plain, suffix) if plain != stem else None


def _without_number(stem: str) -> str:
    """Return ``notes`` for ``notes-1``, ``notes (2)`` and the like."""
    before = stem.removesuffix(")")
    name = before.rstrip("0123456789")
    return stem if name == before else name.removesuffix("(").rstrip("-_ ")


def _shortened(path: str) -> tuple[str, ...] | None:
    if len(path) > _LONGEST_LIKENESS:
        return None
    folder, stem, suffix = _parts(path)
    return (folder, stem[:_KEPT_WHEN_SHORTENED], suffix) if len(stem) >= _KEPT_WHEN_SHORTENED else None
