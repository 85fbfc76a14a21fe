"""The places in a text where the words of a query are, found as the index finds them."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass

from canvas_exports.core.archive.search.words import spaced, unspaced

_BEGIN, _END = "\x02", "\x03"  # no text of a document holds control characters
_WORDS = 24
_MOST = 600  # characters: a word may be as long as the text
_MARK = re.compile(f"[{_BEGIN}{_END}]")
_TABLE = 'CREATE VIRTUAL TABLE found USING fts5(title, text, tokenize="unicode61 remove_diacritics 2")'
_FIND = """
SELECT rowid, highlight(found, 0, ?1, ?2), snippet(found, 1, ?1, ?2, '…', ?3) FROM found WHERE found MATCH ?4
"""


@dataclass(frozen=True)
class MarkedText:
    """A text, and where in it the words of a query are.

    Attributes:
        text: one line; of a teacher, and not escaped for anything.
        spans: begin and end of each place, in characters, in order.
    """

    text: str
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Snippet:
    """The title of a document, and a part of its text."""

    title: MarkedText
    text: MarkedText


def snippets(texts: Iterable[tuple[int, str, str]], expression: str | None) -> dict[int, Snippet]:
    """Return a snippet for each document: around the words of a query, else the beginning.

    Args:
        texts: number, title and text of each.
        expression: of the query, see ``match_expression``; ``None`` if it has no words.
    """
    found: dict[int, Snippet] = {}
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(_TABLE)
        for number, title, text in texts:
            found[number] = Snippet(MarkedText(title), _cut(MarkedText(text)))
            if expression is not None:
                connection.execute(
                    "INSERT INTO found (rowid, title, text) VALUES (?, ?, ?)",
                    (number, spaced(title), spaced(text)),
                )
        if expression is not None:
            for number, title, text in connection.execute(_FIND, (_BEGIN, _END, _WORDS, expression)):
                found[number] = Snippet(_marked(unspaced(title)), _cut(_marked(unspaced(text))))
    return found


def _marked(text: str) -> MarkedText:
    spans, plain, start, length = [], [], 0, 0
    at = 0
    for mark in _MARK.finditer(text):
        plain.append(text[at : mark.start()])
        length += mark.start() - at
        at = mark.end()
        if mark[0] == _BEGIN:
            start = length
        else:
            spans.append((start, length))
    plain.append(text[at:])
    return MarkedText("".join(plain), tuple(spans))


def _cut(marked: MarkedText) -> MarkedText:
    """Cut a snippet of very long words, around the first place."""
    if len(marked.text) <= _MOST:
        return marked
    begin = max(0, marked.spans[0][0] - _MOST // 4) if marked.spans else 0
    end = begin + _MOST
    spans = ((max(start, begin) - begin, min(stop, end) - begin) for start, stop in marked.spans)
    return MarkedText(marked.text[begin:end], tuple(span for span in spans if span[0] < span[1]))
