"""Find which item of one package is which of another."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator

from canvas_exports.core.packages.changes.html_lines import html_lines
from canvas_exports.core.packages.changes.matching import MAX_COMPARED, Matched, shingles, title_key
from canvas_exports.core.packages.changes.questions import MAX_QUESTIONS
from canvas_exports.core.packages.changes.version import (
    Key,
    Version,
    affordable,
    documents_of,
    is_file,
    key_of,
)
from canvas_exports.core.packages.content.model import Document, Item, ItemKind

# Documents of one side that are read to find them by their content, and their bytes.
_MAX_READ, _MAX_READ_BYTES = 1_000, 25_000_000
_LEAST_TEXT = 40  # characters: a shorter text may be that of anything
_SINGLE = frozenset({ItemKind.SYLLABUS, ItemKind.SETTINGS})


def match_items(before: Version, after: Version) -> Matched[Item]:
    """Match the items of two packages: by kind and identifier; what is left by kind and title, then by content."""
    found = Matched(list(_distinct(before.content.items)), list(_distinct(after.content.items)))
    sides = {id(item): side for side in (before, after) for item in side.content.items}
    found.match(key_of)
    found.match(lambda item: (item.folder, item.title) if is_file(item) else None)
    found.match(lambda item: _content_key(item, sides[id(item)], with_title=True))
    found.match(lambda item: _content_key(item, sides[id(item)], with_title=False))
    found.match(lambda item: _title_key(item) if is_file(item) else None, only_unique=True)
    found.match(lambda item: None if is_file(item) else _title_key(item))
    found.match(lambda item: item.kind if item.kind in _SINGLE else None)
    _match_content(found, before, after)
    return found


def _match_content(found: Matched[Item], before: Version, after: Version) -> None:
    """Match what is left by the texts in the documents."""
    counts = [
        Counter(item.kind for item in items if not is_file(item)) for items in (found.before, found.after)
    ]
    both = counts[0].keys() & counts[1].keys()
    few = {kind for kind in both if max(counts[0][kind], counts[1][kind]) <= MAX_COMPARED}
    digests: dict[int, bytes] = {}
    words: dict[int, frozenset[int]] = {}
    for side, items in zip((before, after), (found.before, found.after), strict=True):
        wanted = affordable([item for item in items if item.kind in both][:_MAX_READ], _MAX_READ_BYTES)
        for item, document in documents_of(side.content, wanted):
            text = "\n".join(_text_of(document))
            if len(text) >= _LEAST_TEXT:
                digests[id(item)] = hashlib.sha256(text.encode(errors="replace")).digest()
                words[id(item)] = shingles(text) if item.kind in few else frozenset()
    found.match(lambda item: (item.kind, digests[id(item)]) if id(item) in digests else None)
    found.match_alike(lambda item: words.get(id(item), frozenset()), lambda item: item.kind)


def _title_key(item: Item) -> Hashable | None:
    title = title_key(item.title)
    return (item.kind, title) if title else None


def _content_key(item: Item, side: Version, *, with_title: bool) -> Hashable | None:
    """Return the content of a file, by its checksum; of an empty file there is none."""
    if not is_file(item) or not item.size or (found := side.checksum(item)) is None:
        return None
    return (found, item.title) if with_title else found


def _text_of(document: Document) -> tuple[str, ...]:
    texts = (document.html, *(question.html for question in document.questions[:MAX_QUESTIONS]))
    return (
        *(line for html in texts for line in html_lines(html).lines),
        *(f"{each.name} {each.value}" for each in document.fields if each.name in ("url", "start_at")),
    )


def _distinct(items: Iterable[Item]) -> Iterator[Item]:
    """Yield items; of several of one kind and identifier, the first."""
    seen: set[Key] = set()
    for item in items:
        if key_of(item) not in seen:
            seen.add(key_of(item))
            yield item
