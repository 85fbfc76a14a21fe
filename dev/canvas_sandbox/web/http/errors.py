"""Canvas's error answers, in their incompatible shapes."""

from __future__ import annotations

from typing import Any

from canvas_sandbox.switches import Switches
from canvas_sandbox.web.http.reply import Refusal, Reply, page

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="canvas-lms"'}
_UNCACHED = {"Pragma": "no-cache", "Cache-Control": "no-store"}


def unauthenticated() -> Refusal:
    """401: no credential."""
    data = {"status": "unauthenticated", "errors": [{"message": "user authorization required"}]}
    return Refusal(Reply(401, data, headers=dict(_CHALLENGE)))


def bad_token(message: str = "Invalid access token.", expired_at: str | None = None) -> Refusal:
    """401: a credential that is unknown, revoked or expired."""
    error = {"message": message} if expired_at is None else {"message": message, "expired_at": expired_at}
    return Refusal(Reply(401, {"errors": [error]}, headers=dict(_CHALLENGE)))


def oauth(error: str, description: str) -> Refusal:
    """400, or 401 with a challenge of its own for what is wrong with the client."""
    data = {"error": error, "error_description": description}
    if error == "invalid_client":
        return Refusal(Reply(401, data, headers={"WWW-Authenticate": "Canvas OAuth 2.0"}))
    return Refusal(Reply(400, data))


def denied(switches: Switches) -> Refusal:
    """403, once 401: the right is missing."""
    data = {"status": "unauthorized", "errors": [{"message": "user not authorized to perform that action"}]}
    return Refusal(Reply(switches.denied_status, data, headers=dict(_UNCACHED)))


def not_found() -> Refusal:
    """404: no such record."""
    return Refusal(Reply(404, {"errors": [{"message": "The specified resource does not exist."}]}))


def no_such_page() -> Refusal:
    """404: a page that is no number on a numbered collection, or a path that is no route."""
    return Refusal(Reply(404, {"errors": [{"message": "An error occurred.", "error_code": "not_found"}]}))


def stale_bookmark() -> Refusal:
    """400: a bookmark that belongs to nothing."""
    message = "Invalid page; please restart iteration and follow `next` links"
    return Refusal(Reply(400, {"status": "bad_request", "errors": [{"page": message}]}))


def invalid(message: str) -> Refusal:
    """400: a parameter that a controller refuses, as a flat message."""
    return Refusal(Reply(400, {"message": message}))


def short_search(minimum: int) -> Refusal:
    """400: a search term that is too short."""
    message = f"{minimum} or more characters is required"
    return Refusal(Reply(400, {"errors": [{"field": "search_term", "code": "invalid", "message": message}]}))


def bad_masquerade() -> Refusal:
    """401: an ``as_user_id`` that the caller may not use; ``errors`` is a string here."""
    return Refusal(Reply(401, {"errors": "Invalid as_user_id"}))


def crashed(report_id: int) -> Refusal:
    """500 with the number of an error report."""
    data: dict[str, Any] = {
        "errors": [{"message": "An error occurred.", "error_code": "internal_server_error"}]
    }
    return Refusal(Reply(500, {**data, "error_report_id": report_id}))


def throttled(switches: Switches) -> Reply:
    """403 or 429 as plain text."""
    phrase = "403 Forbidden" if switches.throttle_status == 403 else "429 Too Many Requests"  # noqa: PLR2004  a status
    return Reply(
        switches.throttle_status,
        body=f"{phrase} (Rate Limit Exceeded)\n".encode(),
        content_type="text/plain; charset=utf-8",
        throttled=True,
    )


def firewall() -> Reply:
    """403 as a page: something before Canvas, or about this one object."""
    return page(403, "Access Denied", "You do not have permission to access this resource on this server.")


def bad_request() -> Reply:
    """400 as a page."""
    return page(400, "Bad Request", "Your browser sent a request that this server could not understand.")


def broken() -> Reply:
    """500 as a page, without the number of an error report."""
    return page(500, "Page Error", "Something broke unexpectedly. Sorry about that.")


def maintenance() -> Reply:
    """503 as a page."""
    return page(503, "Canvas is down for maintenance", "We will be back shortly.")


def no_user_agent() -> Reply:
    """403 of the edge, with ``error`` and ``message``."""
    message = "You are not authorized to access this site because you have not provided a valid user agent."
    return Reply(403, {"error": "Forbidden", "message": message})


def login_redirect(base_url: str) -> Reply:
    """302 to the login page."""
    return Reply(
        302,
        body=b"<html><body>You are being redirected.</body></html>",
        content_type="text/html; charset=utf-8",
        headers={"Location": f"{base_url}/login"},
    )


def storage_object_gone() -> Reply:
    """400 HTML of a file whose object is missing."""
    return page(400, "Bad Request", "The file you requested could not be read.")
