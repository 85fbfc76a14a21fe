"""Make text from outside (Canvas, stores, packages, documents, forms) safe to show."""

from __future__ import annotations

MOST = 500


def harmless(text: str, *, most: int = MOST, instead: str = "\N{REPLACEMENT CHARACTER}") -> str:
    """Return text from outside as one printable line, for a log, a terminal, a message or a table.

    White space of every kind, including line breaks and U+2028, becomes one blank. Each unprintable character (control
    characters, so ESC too; bidi overrides and other format characters; lone surrogates) becomes ``instead``. The result has
    at most ``most`` characters; the time does not grow with the text that is cut off. Nothing is escaped: HTML and CSV are
    escaped where they are written.
    """
    begin = text[: 4 * most]
    line = "".join(each if each.isprintable() else instead for each in " ".join(begin.split()))
    if len(line) > most or len(begin) < len(text):
        return line[: most - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return line
