"""The text of HTML is what a reader sees, in one line, whatever the HTML is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.archive.search.plain_text import MOST_HTML, one_line, plain_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("plain", "plain"),
        ("<p>The <b>nitro</b>gen cycle</p><p>of soil</p>", "The nitrogen cycle of soil"),
        ("a<br>b<br/>c<hr>d", "a b c d"),
        ("<table><tr><td>1</td><td>2</td></tr></table>", "1 2"),
        ("<ul><li>one<li>two</ul>three", "one two three"),
        ("caf&eacute; &amp; &lt;b&gt;", "café & <b>"),
        ("<script>var secret</script><style>p {}</style>seen", "seen"),
        ("<p>before<svg><text>drawn</text><svg>x</svg></svg>after</p>", "beforeafter"),
        ('<img src="x.png" alt="A plant cell">', "A plant cell"),
        ("<!-- a comment --><p>text</p>", "text"),
        ("a\0b\x1b[31mc\u2028d", "a b [31mc d"),
        ("<p>Half a pair: \ud800</p>", "Half a pair: ?"),
        ("<p unclosed", ""),
    ],
)
def test_the_text_of_html_is_what_a_reader_sees(html: str, text: str) -> None:
    assert plain_text(html) == text


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 300_000 + "x",
        "<b>x" * 300_000,
        "<!--" * 300_000,
        "<table>" * 300_000,
        "<svg>" * 300_000,
        "&" * 300_000,
    ],
)
def test_html_that_nests_without_end_has_a_text_too(html: str) -> None:
    assert len(plain_text(html, most=1000)) <= 1000


def test_no_more_is_read_and_kept_than_the_bounds_allow() -> None:
    assert plain_text("word " * 100_000, most=50) == ("word " * 10).strip()
    assert "late" not in plain_text("<p>" + " " * MOST_HTML + "late")


@given(st.text(alphabet=st.characters(codec=None)), st.integers(1, 40))
def test_a_line_holds_nothing_that_controls_a_terminal(text: str, most: int) -> None:
    line = one_line(text, most=most)
    assert len(line) <= most
    assert line.encode().decode() == line
    assert line == line.strip()
    assert not any(ord(each) < 32 or 127 <= ord(each) < 160 for each in line)
