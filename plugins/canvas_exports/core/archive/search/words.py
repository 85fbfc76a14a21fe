"""The words of a query, as a full-text query that is never a syntax error."""

from __future__ import annotations

import re

from canvas_exports.errors import InputError

MOST_CHARACTERS = 500
MOST_TERMS = 20

_SEPARATOR = "\N{ZERO WIDTH SPACE}"

# Scripts without blanks between words. Each character is a word, and a run of them a phrase.
_UNSPACED = (
    "\N{HIRAGANA LETTER SMALL A}-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
    "\N{THAI CHARACTER KO KAI}-\u0e3a\u0e40-\u0e4e\u0e80-\u0eff\u1780-\u17d3\u1000-\u109f"
)
_APART = re.compile(f"(?<=[{_UNSPACED}])(?=\\S)|(?<=\\S)(?=[{_UNSPACED}])")
_TERM = re.compile(r'"([^"]*)"?|(\S+)')
_ACCEPTED = 'words, which must all occur; "several words" for a phrase; the beginning of a word as begin*'


def spaced(text: str) -> str:
    """Return text with an invisible separator around each character of scripts that have no blanks between words."""
    return text if text.isascii() else _APART.sub(_SEPARATOR, text)


def unspaced(text: str) -> str:
    """Undo ``spaced``."""
    return text.replace(_SEPARATOR, "")


def match_expression(text: str, *, field: str = "TEXT") -> str:
    """Return the FTS5 expression of a query: every word and every phrase in quotation marks must occur; ``begin*`` is a prefix.

    Nothing that a person writes is an operator of FTS5.

    Raises:
        InputError: the query is too long, or has no word (permanent).
    """
    if len(text) > MOST_CHARACTERS:
        raise InputError(field, f"has more than {MOST_CHARACTERS} characters", accepted=_ACCEPTED)
    terms = [term for found in _TERM.finditer(text) if (term := _term(found[1], found[2]))]
    if not terms:
        raise InputError(field, "has no word", accepted=_ACCEPTED)
    if len(terms) > MOST_TERMS:
        raise InputError(field, f"has more than {MOST_TERMS} words", accepted=_ACCEPTED)
    return " AND ".join(terms)


def _term(phrase: str | None, word: str | None) -> str:
    written = word if phrase is None else phrase
    is_prefix = phrase is None and written is not None and written.endswith("*")
    words = "".join(each if each.isalnum() or _joins(each) else " " for each in spaced(written or "")).split()
    if not any(each.isalnum() for each in "".join(words)):
        return ""
    return f'"{" ".join(words)}"' + (" *" if is_prefix else "")


def _joins(character: str) -> bool:
    """Return whether a character belongs to the word it stands in: an accent, or another mark on a letter."""
    return (
        character.isprintable() and not character.isascii() and not character.isspace() and character != '"'
    )
