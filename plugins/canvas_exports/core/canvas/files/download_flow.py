"""Request a package, or a range of one: the flows between Canvas's URL and a response of storage."""

from __future__ import annotations

from dataclasses import replace

from canvas_exports.core.canvas.files.redirects import REDIRECTS, Hop, Redirects, send_hop
from canvas_exports.core.canvas.files.validators import Validator
from canvas_exports.core.canvas.http.flow import Flow
from canvas_exports.core.canvas.http.messages import PreparedRequest, Response
from canvas_exports.core.canvas.http.origin import host_of
from canvas_exports.core.canvas.http.retry import RetryPolicy
from canvas_exports.core.canvas.http.session import CanvasSession
from canvas_exports.errors import CanvasError, DownloadError, DownloadRefusedError

_UNAUTHORIZED, _FORBIDDEN, _RANGE_NOT_SATISFIABLE = 401, 403, 416


def open_flow(
    session: CanvasSession, url: str, offset: int = 0, validator: Validator | None = None
) -> Flow[Response]:
    """Follow redirects from Canvas's URL to a response with a body; with an offset, ask for the rest only.

    Raises:
        DownloadRefusedError: a host on the way refused, or asked for a login.
        DownloadError: a redirect that must not be followed, or no response within bounded attempts.
    """
    redirects = Redirects(session.origin)
    hop = redirects.start(url)
    retries = RetryPolicy(session)
    while True:
        response = yield from _send(session, hop, _prepare(session, hop, offset, validator), retries)
        login = False
        if response.status in REDIRECTS:
            location = response.headers.get("location")
            login = redirects.leads_to_login(hop, location)
            if not login:
                hop = redirects.follow(hop, location)
                continue
        if response.stream is not None:
            return response if hop.on_canvas else replace(response, source=hop.url)
        if hop.on_canvas and hop.bearer and (login or response.status in (_UNAUTHORIZED, _FORBIDDEN)):
            without_token = redirects.start(url, bearer=False)
            if without_token.has_verifier:
                hop = without_token
                continue
        raise _refusal(response, hop, login=login, offset=offset)


def range_flow(
    session: CanvasSession, url: str, start: int, stop: int, validator: Validator | None
) -> Flow[Response]:
    """Ask storage for a range of an object's bytes.

    Raises:
        DownloadError: no response within bounded attempts.
    """
    hop = Hop(url, bearer=False, on_canvas=False)
    prepared = _prepare(session, hop, start, validator, stop)
    return (yield from _send(session, hop, prepared, RetryPolicy(session)))


def _send(
    session: CanvasSession, hop: Hop, prepared: PreparedRequest, retries: RetryPolicy
) -> Flow[Response]:
    response = yield from send_hop(session, hop, prepared, retries)
    if isinstance(response, CanvasError):
        raise DownloadError(f"{host_of(hop.url)} did not deliver: {response.message}")
    return response


def _refusal(response: Response, hop: Hop, *, login: bool, offset: int) -> DownloadError:
    if login:
        return DownloadRefusedError(
            "Canvas asks for a login instead of delivering; check that the token is valid for files and that its user "
            "may download them"
        )
    if response.status == _RANGE_NOT_SATISFIABLE and offset:
        return DownloadError("storage cannot resume the package", restart=True)
    about_rights = response.status in (_UNAUTHORIZED, _FORBIDDEN)
    if hop.on_canvas and about_rights:
        hint = "the token's user may lack the right to download files"
    elif hop.on_canvas:
        hint = "the package may have been deleted; export again"
    else:
        hint = "the link may have expired" + (", or the right to download be missing" if about_rights else "")
    return DownloadRefusedError(
        f"{host_of(hop.url)} refused to deliver (HTTP {response.status}); {hint}",
        spoiled=not (hop.on_canvas and about_rights),
    )


def _prepare(
    session: CanvasSession, hop: Hop, offset: int, validator: Validator | None, stop: int | None = None
) -> PreparedRequest:
    headers = session.headers(accept="*/*")
    headers["Accept-Encoding"] = "identity"
    if validator and (offset or stop):
        headers["Range"] = f"bytes={offset}-" if stop is None else f"bytes={offset}-{stop - 1}"
        headers["If-Range"] = validator.if_range
    return PreparedRequest("GET", hop.url, headers, stream=True)
