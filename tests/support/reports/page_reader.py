"""Read a report page, and make runs with hostile texts."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

from hypothesis import strategies as st
from tests.support.reports.run_views import facts, past, row, view

from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.reports.page.view import RunView

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "<!--",
    "]]>",
    "{{ 7 * 7 }}",
    "</title><base href=//evil>",
    "\u2028\u2029\x00\ud800",
    "&lt;b&gt;",
]


texts = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(), max_size=80))


class Reader(HTMLParser):
    """The elements of a page with their attributes' names, its text, and what its scripts hold."""

    def __init__(self, document: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.skeleton: list[tuple[str, tuple[str, ...]]] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.inline: dict[str, list[str]] = {"script": [], "style": []}
        self.text = ""
        self.comments: list[str] = []
        self._inside: str | None = None
        self.feed(document.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.skeleton.append((tag, tuple(name for name, _ in attrs)))
        self.text += " " if tag in ("td", "th") else ""
        self.attributes += [(tag, name, value) for name, value in attrs]
        self._inside = tag if tag in self.inline else self._inside

    def handle_endtag(self, tag: str) -> None:
        self.skeleton.append((f"/{tag}", ()))
        self._inside = None if tag == self._inside else self._inside

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.inline[self._inside].append(data)
        else:
            self.text += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    @property
    def words(self) -> str:
        return " ".join(self.text.split())

    @property
    def data(self) -> Any:
        return json.loads(self.inline["script"][0])


def run_with(text: str) -> RunView:
    """A run in which every free text is this one."""
    lost = row(1, Outcome.INCOMPLETE, name=text, reason=text, next_step=text, findings=text)
    known = {1: facts(title=text, good_at=None, gap=text, findings=(text,)), 2: facts(title=text)}
    return view([lost, row(2, name=text)], known, runs=past())
