"""Render pages from templates. Everything that is put in is escaped; nothing is loaded from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode

from airflow.api_fastapi.app import API_ROOT_PATH
from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment

from canvas_exports.core.reports.changes.fragment import changes_style
from canvas_exports.core.reports.page.templates import part as report_part
from canvas_exports.core.text.html_templates import environment, read_part
from canvas_exports.core.text.wording import format_duration
from canvas_exports.web.archive_page.sentences import age, problem_sentence
from canvas_exports.web.archive_page.settings.archives import configuration

#: Has the templates of charts, and the style of a run's page.
REPORT_PAGE = "canvas_exports.core.reports.page"

_PRIVATE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "private, no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def part(name: str) -> str:
    """Return a file of ``template/``."""
    return read_part(__package__, name)


@lru_cache
def _style() -> str:
    """Return the style of all pages: that of a run's page, that of changes, and what only these have."""
    return report_part("page.css") + changes_style() + part("archive.css")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@lru_cache
def page_headers() -> dict[str, str]:
    """Return the headers of a page of ours: it runs our script, and loads from its own origin only."""
    return {
        **_PRIVATE,
        "Content-Security-Policy": (
            f"default-src 'none'; style-src '{_hash(_style())}'; script-src '{_hash(part('archive.js'))}'; "
            "img-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
        ),
    }


@lru_cache
def _environment() -> Environment:
    made = environment(__package__, REPORT_PAGE)
    made.filters.update(span=format_duration, age=age, problem=problem_sentence)
    return made


#: Left as it is in an address: Airflow's frame loads a page again whose address it would write differently.
_LEGAL = ":@"


class Addresses:
    """Addresses of the page's own routes, with the path before Airflow's and before the page's.

    Args:
        root: the path of the page, without a slash at its end.
    """

    def __init__(self, root: str) -> None:
        self.root = root

    def __call__(self, *path: object, **query: object) -> str:
        """Return the address of a path; parts are encoded, and queries that are ``None`` or empty are left out."""
        asked = {name: str(value) for name, value in query.items() if value not in (None, "")}
        encoded = "/".join(quote(str(each), safe=_LEGAL) for each in path)
        return f"{self.root}/{encoded}" + (f"?{urlencode(asked, safe=_LEGAL)}" if asked else "")


def page_root(request: Request) -> str:
    """Return the path of the page, with that before Airflow's own, without a slash at its end."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def airflow_address(*path: str) -> str:
    """Return the address of a page of Airflow's own."""
    return Addresses(API_ROOT_PATH.rstrip("/"))(*path)


def render(
    request: Request,
    name: str,
    *,
    title: str,
    archive: str | None = None,
    section: str = "",
    status: int = 200,
    **values: Any,
) -> HTMLResponse:
    """Return a page.

    Args:
        request: for the addresses of its links.
        name: of the template.
        title: of the page, and its heading.
        archive: the name of the archive that it is about.
        section: which entry of the navigation is this page.
        status: of the response.
        values: of the template.
    """
    common: Mapping[str, Any] = {
        "to": Addresses(page_root(request)),
        "style": _style(),
        "script": part("archive.js"),
        "title": title,
        "archive": archive,
        "archives": [each.name for each in configuration().archives],
        "section": section,
        "may_read": getattr(request.state, "may_read_archive", False),
        "reading": None,
    }
    text = _environment().get_template(name).render({**common, **values})
    return HTMLResponse(text, status_code=status, headers=page_headers())
