from __future__ import annotations

from typing import Any

import pytest

from canvas_exports.canvas.origin import Origin
from canvas_exports.canvas.pages import Walk, next_link
from canvas_exports.canvas.wire import Answer, Request
from canvas_exports.errors import UnexpectedAnswerError

HERE = "https://canvas.example.edu/api/v1/courses/101/content_exports"


def walk() -> Walk[int]:
    request = Request("GET", "/api/v1/courses/101/content_exports", "per_page=2", context="course:101")
    return Walk(request, lambda row: int(row["id"]), lambda row: row, Origin.parse("canvas.example.edu"))


def turn(pages: Walk[int], ids: list[int], link: str | None = None) -> list[int]:
    assert pages.call is not None
    headers = {} if link is None else {"link": link}
    document: list[Any] = [{"id": id_} for id_ in ids]
    return list(pages.rows(pages.call.read(document, Answer(200, headers))))


@pytest.mark.parametrize(
    ("link", "target"),
    [
        (f'<{HERE}?page=2&per_page=2>; rel="next"', "/api/v1/courses/101/content_exports?page=2&per_page=2"),
        (
            f'<{HERE}?page=1>; rel="current",<{HERE}?page=bookmark:WzFd&x%5B%5D=a,b>; rel="next",<{HERE}?page=1>; rel="first"',
            "/api/v1/courses/101/content_exports?page=bookmark:WzFd&x%5B%5D=a,b",
        ),
        ("<?page=2>; rel=next", "/api/v1/courses/101/content_exports?page=2"),
        ('</api/v1/elsewhere?p=%2E>; title=x; REL="prev next"', "/api/v1/elsewhere?p=%2E"),
        ('<http://canvas.example.edu/api/v1/x?page=2>; rel="Next"', "/api/v1/x?page=2"),
    ],
)  # fmt: skip
def test_next_links_are_followed_whatever_their_form(link: str, target: str) -> None:
    pages = walk()
    turn(pages, [1], link)
    assert pages.call is not None
    assert pages.call.request.target == target
    assert (pages.call.request.method, pages.call.request.context) == ("GET", "course:101")


@pytest.mark.parametrize("link", [None, "", f'<{HERE}?page=1>; rel="last"', f"<{HERE}?page=1>", "nonsense"])
def test_without_a_next_link_the_list_ends(link: str | None) -> None:
    pages = walk()
    assert turn(pages, [1, 2], link) == [1, 2]
    assert pages.call is None


@pytest.mark.parametrize(
    "link",
    [
        "<https://evil.example/api?page=2>; rel=next",
        "<//evil.example/api?page=2>; rel=next",
        "<https://canvas.example.edu:8443/api>; rel=next",
        "<https://canvas.example.edu@evil.example/api>; rel=next",
        "<http://[>; rel=next",
        "<ftp://canvas.example.edu/>; rel=next",
    ],
)
def test_a_next_link_never_leads_the_token_away(link: str) -> None:
    with pytest.raises(
        UnexpectedAnswerError, match=r"the token is sent to https://canvas\.example\.edu only"
    ):
        turn(walk(), [1], link)


def test_pages_that_run_in_circles_end_in_an_error() -> None:
    pages = walk()
    turn(pages, [1], "<?page=2>; rel=next")
    turn(pages, [2], "<?page=3>; rel=next")
    with pytest.raises(UnexpectedAnswerError, match="circles"):
        turn(pages, [3], "<?page=2>; rel=next")


def test_a_list_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("canvas_exports.canvas.pages._MOST_PAGES", 2)
    pages = walk()
    turn(pages, [1], "<?page=2>; rel=next")
    with pytest.raises(UnexpectedAnswerError, match="circles"):
        turn(pages, [2], "<?page=3>; rel=next")


def test_rows_that_shift_to_the_next_page_come_once() -> None:
    pages = walk()
    assert turn(pages, [9, 8], "<?page=2>; rel=next") == [9, 8]
    assert turn(pages, [8, 7]) == [7]


def test_an_empty_page_is_a_page() -> None:
    pages = walk()
    assert turn(pages, [], "<?page=2>; rel=next") == []
    assert pages.call is not None


def test_a_hostile_link_header_is_read_in_linear_time() -> None:
    assert next_link({"link": "<" * 50_000}) is None
    assert next_link({"link": "<x>" + "; a=b" * 20_000}) is None
