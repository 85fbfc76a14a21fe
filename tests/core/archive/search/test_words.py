"""A query is words and phrases; whatever a person writes, it is no syntax error."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.archive.search.words import MOST_CHARACTERS, match_expression, spaced, unspaced
from canvas_exports.errors import InputError


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("nitrogen cycle", '"nitrogen" AND "cycle"'),
        ('"nitrogen cycle" soil', '"nitrogen cycle" AND "soil"'),
        ('"not closed', '"not closed"'),
        ("nitro*", '"nitro" *'),
        ("a-b*", '"a b" *'),
        ("C++ NEAR(a, b)", '"C" AND "NEAR a" AND "b"'),
        ("title:x OR NOT y", '"title x" AND "OR" AND "NOT" AND "y"'),
        ("日本語 kanji", '"日 本 語" AND "kanji"'),
        ("— soil !!", '"soil"'),
    ],
)
def test_a_query_is_words_and_phrases(text: str, expression: str) -> None:
    assert match_expression(text) == expression


@pytest.mark.parametrize("text", ["", "   ", "!!! --", '""', "*", "x" * (MOST_CHARACTERS + 1), "a " * 30])
def test_a_query_without_words_or_with_too_many_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="TEXT"):
        match_expression(text)


@given(st.text(max_size=60))
def test_no_text_is_a_syntax_error(text: str) -> None:
    try:
        expression = match_expression(text)
    except InputError:
        return
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE VIRTUAL TABLE t USING fts5(x)")
        connection.execute("SELECT count(*) FROM t WHERE t MATCH ?", (expression,)).fetchone()


@given(st.text(alphabet="ab 日本窒素ไทย.\x02\x03"))
def test_the_separators_between_characters_can_be_taken_out_again(text: str) -> None:
    assert unspaced(spaced(text)) == text
