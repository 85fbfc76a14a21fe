"""The application of the page *Canvas archive*. Airflow guards nothing that a plugin mounts: this does it for every route.

``GET /canvas_archive/`` and what is below it open only the archives that the administrator named; see ``configuration``.
"""

from __future__ import annotations

from fastapi import Depends, FastAPI, HTTPException, Request, Response, status
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse

from canvas_exports.errors import (
    ArchiveDeniedError,
    CanvasExportsError,
    InputError,
    NoArchiveError,
    ObjectNotFoundError,
    PackageError,
)
from canvas_exports.web.archive_page.access.rights import note_rights, requires_page
from canvas_exports.web.archive_page.pages import Addresses, page_root, render
from canvas_exports.web.archive_page.routes import actions, compare, content, course, overview, search
from canvas_exports.web.archive_page.settings.archives import NotReadYetError, configuration
from canvas_exports.web.login import log_in

app = FastAPI(
    title="Canvas archive",
    docs_url=None,
    redoc_url=None,
    openapi_url=None,
    dependencies=[Depends(requires_page), Depends(note_rights)],
)
app.add_exception_handler(status.HTTP_401_UNAUTHORIZED, log_in)

_TITLES = {403: "Not allowed", 404: "Not found", 503: "The archive does not answer"}


async def refuse(request: Request, error: Exception) -> Response:
    """Return a refusal as a page, to a browser."""
    assert hasattr(error, "status_code")
    assert hasattr(error, "detail")
    if "text/html" not in request.headers.get("accept", ""):
        return await http_exception_handler(request, HTTPException(error.status_code, error.detail))
    sentence = str(error.detail) if error.detail != "Forbidden" else "Your role in Airflow does not allow it."
    title = _TITLES.get(error.status_code, "That did not work")
    return render(
        request, "error.html", title=title, status=error.status_code, sentence=sentence, next_step=""
    )


for _code in (400, 403, 404, 405, 502, 503):
    app.add_exception_handler(_code, refuse)


@app.exception_handler(RequestValidationError)
async def refuse_input(request: Request, _: Exception) -> Response:
    """Return that an address has a wrong part, without repeating it."""
    problem = HTTPException(status.HTTP_400_BAD_REQUEST, "A part of this address is not what it should be.")
    return await refuse(request, problem)


@app.exception_handler(CanvasExportsError)
async def explain(request: Request, error: Exception) -> Response:
    """Return an error of the archive as a sentence."""
    assert isinstance(error, CanvasExportsError)
    code, next_step = 503, "Open this page again later."
    if isinstance(error, (ObjectNotFoundError, NoArchiveError)):
        code, next_step = 404, ""
    elif isinstance(error, ArchiveDeniedError):
        next_step = "Check the rights of the archive's connection: the page needs to list and to read."
    elif isinstance(error, InputError):
        next_step = (
            "Check the archive's connection, and the section [canvas_exports] of Airflow's configuration."
        )
    elif isinstance(error, PackageError):  # stored as it is: asking again changes nothing
        code, next_step = 502, "Choose another copy. Verification says which copies are damaged."
    elif not error.retryable:
        code, next_step = 502, ""
    title = "Not found" if code == status.HTTP_404_NOT_FOUND else "The archive cannot be read"
    return render(
        request,
        "error.html",
        title=title,
        status=code,
        sentence=f"{error}".rstrip(".") + ".",
        next_step=next_step,
    )


@app.exception_handler(NotReadYetError)
async def wait(request: Request, error: Exception) -> Response:
    """Return that the archive is being read for the first time, or why it cannot be."""
    assert isinstance(error, NotReadYetError)
    if error.problem is None:
        title = "The archive is being read"
        sentence = "The archive is read for the first time since this server started. A large one takes some minutes."
    else:
        title, sentence = "The archive cannot be read", f"{error.problem.rstrip('.')}."
    return render(
        request,
        "error.html",
        title=title,
        status=503,
        sentence=sentence,
        next_step="Open this page again in a minute.",
    )


@app.get("/")
async def start(request: Request) -> Response:
    """Lead to the only archive; list several; without any, say how the page is set up."""
    found = configuration()
    to = Addresses(page_root(request))
    if len(found.archives) == 1 and not found.problems:
        return RedirectResponse(to(found.archives[0].name), status_code=status.HTTP_307_TEMPORARY_REDIRECT)
    name = "archives.html" if found.archives else "setup.html"
    return render(request, name, title="Canvas archive", problems=found.problems)


app.include_router(overview.router)
app.include_router(course.router)
app.include_router(actions.router)
app.include_router(content.router)
app.include_router(compare.router)
app.include_router(search.router)
