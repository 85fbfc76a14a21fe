"""Text from outside (Canvas, stores, packages, documents, forms), made fit to show to a person."""

from __future__ import annotations

MOST = 500


def harmless(text: str, *, most: int = MOST, instead: str = "\N{REPLACEMENT CHARACTER}") -> str:
    """One printable line of a foreign text, for a log, a terminal, a message or a table.

    White space of every kind, line breaks and U+2028 included, becomes one blank. What is not printable (control
    characters C0 and C1, so ESC too; bidi overrides and other format characters; lone surrogates) becomes ``instead``:
    it is seen that something stood there. The result has at most ``most`` characters, and work does not grow with what is
    cut off. It escapes nothing: HTML and CSV are escaped where they are written.
    """
    begin = text[: 4 * most]
    line = "".join(each if each.isprintable() else instead for each in " ".join(begin.split()))
    if len(line) > most or len(begin) < len(text):
        return line[: most - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return line
