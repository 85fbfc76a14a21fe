"""The search box: words and links to hosts in all courses, for users who may read contents. Every search is audited."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from canvas_exports.core.archive.search.results import SearchQuery
from canvas_exports.core.archive.search.search import search_archive
from canvas_exports.core.archive.search.snippets import MarkedText
from canvas_exports.core.packages.content.model import ItemKind
from canvas_exports.errors import InputError
from canvas_exports.web.archive_page.access.audit import SEARCHED, write_audit
from canvas_exports.web.archive_page.access.rights import CurrentUser
from canvas_exports.web.archive_page.pages import render
from canvas_exports.web.archive_page.routes.content import content_right
from canvas_exports.web.archive_page.routes.overview import copy_name, find_archive

router = APIRouter(prefix="/{archive}", dependencies=[Depends(content_right)])

_KINDS = frozenset(kind.value for kind in ItemKind)
_UPDATE_SECONDS = 10.0  # for which a search reads what the index has got since
Name = Annotated[str, Query(max_length=300)]


@lru_cache
def _search_folder() -> Path:
    """Return a folder of this process for the local databases of the search."""
    folder = tempfile.mkdtemp(prefix="canvas-exports-search-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _pieces(marked: MarkedText) -> list[tuple[str, bool]]:
    """Return a text in pieces, each with whether it is a word of the query."""
    pieces, at = [], 0
    for begin, end in marked.spans:
        pieces += [(marked.text[at:begin], False), (marked.text[begin:end], True)]
        at = end
    return [*pieces, (marked.text[at:], False)]


@router.get("/search")
async def show_search(
    request: Request,
    user: CurrentUser,
    archive: str,
    *,
    text: Name = "",
    host: Name = "",
    everything: Annotated[str, Query(alias="all", max_length=5)] = "",
) -> Response:
    """Search the text of the newest copies, or of all."""
    place = find_archive(archive)
    results, problem = None, ""
    if text.strip() or host.strip():
        query = SearchQuery(text=text.strip(), host=host.strip(), all_copies=bool(everything))
        await write_audit(user, SEARCHED, archive=archive, text=query.text, host=query.host)
        try:
            results = await place.run(
                lambda store: search_archive(
                    store, query, folder=_search_folder(), update_seconds=_UPDATE_SECONDS
                ),
                is_long=True,
            )
        except InputError as error:
            problem = error.problem
    return render(
        request,
        "search.html",
        title="Search",
        archive=archive,
        section="search",
        asked={"text": text, "host": host, "all": everything},
        results=results,
        problem=problem,
        pieces=_pieces,
        kinds=_KINDS,
        copy_name=copy_name,
    )
