"""HTML is parsed in time that grows with its length, and no text of it is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.text.html_parser import MAX_DEPTH, parse_html


class Noted:
    """Notes what the parser finds."""

    def __init__(self, most: int = 10**9) -> None:
        self.open = self.deepest = self.seen = 0
        self.tags: list[str] = []
        self.text = ""
        self._most = most

    @property
    def is_full(self) -> bool:
        return self.seen >= self._most

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.open += 1
        self.deepest = max(self.deepest, self.open)
        self.tags.append(" ".join([tag, *attributes.values()]))

    def end(self, _: str) -> None:
        self.open -= 1

    def data(self, text: str) -> None:
        self.seen += 1
        self.text += text


def parsed(html: str, target: Noted | None = None) -> Noted:
    target = target or Noted()
    parse_html(html, target)
    return target


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 400_000 + "</p>" * 400_000,
        "<b>" * 400_000 + "</i>" * 400_000,
        "<ul><li>" * 200_000 + "</ol>" * 400_000,
        "<div " + " ".join(f"a{number}=1" for number in range(200_000)) + ">",
    ],
    ids=["ends of others", "formats", "lists", "attributes"],
)
def test_nests_that_are_made_to_take_long_do_not(html: str) -> None:
    assert parsed(html).deepest < MAX_DEPTH + 10_000


def test_text_and_links_within_and_after_a_deep_nest_are_found() -> None:
    found = parsed(
        "<div>" * 5_000
        + "one <a href=x>two</a>"
        + "</div>" * 5_000
        + "<p>three " * 5_000
        + "<a href=y>four</a>"
    )
    assert found.text.startswith("one two")
    assert found.text.count("three") == 5_000
    assert found.text.endswith("four")
    assert {"a x", "a y"} <= set(found.tags)


def test_a_tag_and_a_text_of_any_length_are_one() -> None:
    found = parsed(f"<p title='{'x ' * 50_000}'>{'y ' * 50_000}</p>")
    assert "p " + "x " * 50_000 in found.tags
    assert found.text == "y " * 50_000


def test_nothing_is_read_once_the_target_is_full() -> None:
    assert parsed("<p>a</p>" * 100_000, Noted(most=10)).seen < 5_000


@given(st.text(alphabet="<>/=&;#!-'\" abdipx\0\ud800", max_size=300) | st.text())
def test_no_text_is_an_error_and_every_element_ends(html: str) -> None:
    assert parsed(html).open == 0
