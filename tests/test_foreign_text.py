"""Foreign text is one harmless line wherever people read it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.foreign_text import harmless


@given(st.text(), st.integers(min_value=1, max_value=600))
def test_whatever_comes_is_one_printable_line_of_bounded_length(text: str, most: int) -> None:
    shown = harmless(text, most=most)
    assert shown.isprintable()
    assert len(shown) <= most


def test_terminal_sequences_bidi_overrides_and_line_breaks_are_seen_and_do_nothing() -> None:
    assert harmless("a\x1b[2Jb\x9bc") == "a\ufffd[2Jb\ufffdc"
    assert harmless("gpj.\u202eexe") == "gpj.\ufffdexe"
    assert harmless("one\r\ntwo\u2028three\tfour") == "one two three four"
    assert harmless("\ud800") == "\ufffd"


@given(st.text(alphabet=st.characters(categories=("L", "N", "P", "S"))))
def test_ordinary_text_is_shown_as_it_is(text: str) -> None:
    assert harmless(text, most=len(text) + 1) == text
