"""The HTML of teachers as lines of text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.packages.changes.html_lines import MAX_HTML, MAX_LINES, html_lines


@pytest.mark.parametrize(
    ("html", "lines"),
    [
        ("<p>One &amp; two</p><p>three</p>", ("One & two", "three")),
        ("a<br>b<br/>c", ("a", "b", "c")),
        ("<ul><li>one<li>two</ul>", ("one", "two")),
        ("<p>bold <b>word</b>s</p>", ("bold words",)),
        ("<tr><td>1</td><td>2</td></tr>", ("1 2",)),
        ('<img src="x" alt="A cat">', ("[A cat]",)),
        ("<img src=x>", ("[image]",)),
        ("<!-- unseen > --><p>seen</p>", ("seen",)),
        ("<style>p{}</style><script>var a = '<p>no</p>'</script>yes", ("yes",)),
        ("1 < 2 and 3 > 2", ("1 < 2 and 3 > 2",)),
        ("<p", ("<p",)),
        ("  \n\t ", ()),
        ("<P CLASS=x>Loud</P>", ("Loud",)),
        ("no\u00a0break", ("no break",)),
        ("&#65;&#x42;", ("AB",)),
        (f"a&#{'1' * 900_000};b", ("a\N{REPLACEMENT CHARACTER};b",)),
        (f"a&#x{'f' * 900_000};b", ("a\N{REPLACEMENT CHARACTER};b",)),
    ],
)
def test_a_paragraph_is_a_line(html: str, lines: tuple[str, ...]) -> None:
    assert html_lines(html).lines == lines


def test_only_the_format_differs_where_a_word_becomes_bold() -> None:
    plain, bold = html_lines("<p>word</p>"), html_lines("<p><b>word</b></p>")
    assert plain.lines == bold.lines
    assert plain.format != bold.format


def test_an_address_is_no_format() -> None:
    one = html_lines('<p id="a"><a class="b" href="$WIKI_REFERENCE$/pages/one" data-api="1">x</a></p>')
    other = html_lines('<p id="c"><a class="b" href="$WIKI_REFERENCE$/pages/two">x</a></p>')
    assert one == other


@given(
    st.lists(
        st.sampled_from(["<", ">", "<p>", "</p>", "<!--", "-->", "<script>", "'", '"', "a", "&lt", "<b "])
    )
)
def test_any_markup_has_lines_without_line_breaks(pieces: list[str]) -> None:
    for line in html_lines("".join(pieces)).lines:
        assert line == " ".join(line.split())
        assert line


@pytest.mark.parametrize("piece", ["<", "<a ", "<!--", "<script>", "<div>", '<img alt="', "&", "&#1", "<p>x"])
def test_a_text_made_to_take_long_is_read_in_one_pass_and_cut(piece: str) -> None:
    found = html_lines(piece * (2 * MAX_HTML // len(piece)))
    assert found.is_cut
    assert len(found.lines) <= MAX_LINES


def test_a_tag_with_a_name_of_ten_thousand_parts_is_read_in_linear_time() -> None:
    tag = f"<a {'data-' * 3_990}>"
    assert html_lines(tag * 50 + "text").lines == ("text",)
