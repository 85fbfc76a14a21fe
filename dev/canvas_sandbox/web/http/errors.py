"""Canvas's error responses, in their incompatible shapes."""

from __future__ import annotations

from typing import Any

from canvas_sandbox.switches import Switches
from canvas_sandbox.web.http.messages import RequestRefusedError, Response, page

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="canvas-lms"'}
_UNCACHED = {"Pragma": "no-cache", "Cache-Control": "no-store"}


def unauthenticated() -> RequestRefusedError:
    """401: no credential."""
    data = {"status": "unauthenticated", "errors": [{"message": "user authorization required"}]}
    return RequestRefusedError(Response(401, data, headers=dict(_CHALLENGE)))


def bad_token(message: str = "Invalid access token.", expired_at: str | None = None) -> RequestRefusedError:
    """401: a credential that is unknown, revoked or expired."""
    error = {"message": message} if expired_at is None else {"message": message, "expired_at": expired_at}
    return RequestRefusedError(Response(401, {"errors": [error]}, headers=dict(_CHALLENGE)))


def oauth(error: str, description: str) -> RequestRefusedError:
    """400, or 401 with its own challenge if the client is invalid."""
    data = {"error": error, "error_description": description}
    if error == "invalid_client":
        return RequestRefusedError(Response(401, data, headers={"WWW-Authenticate": "Canvas OAuth 2.0"}))
    return RequestRefusedError(Response(400, data))


def denied(switches: Switches) -> RequestRefusedError:
    """403, or the older 401: a permission is missing."""
    data = {"status": "unauthorized", "errors": [{"message": "user not authorized to perform that action"}]}
    return RequestRefusedError(Response(switches.denied_status, data, headers=dict(_UNCACHED)))


def not_found() -> RequestRefusedError:
    """404: no such record."""
    return RequestRefusedError(
        Response(404, {"errors": [{"message": "The specified resource does not exist."}]})
    )


def no_such_page() -> RequestRefusedError:
    """404: a page that is not a number on a numbered collection, or an unknown path."""
    return RequestRefusedError(
        Response(404, {"errors": [{"message": "An error occurred.", "error_code": "not_found"}]})
    )


def stale_bookmark() -> RequestRefusedError:
    """400: an unknown bookmark."""
    message = "Invalid page; please restart iteration and follow `next` links"
    return RequestRefusedError(Response(400, {"status": "bad_request", "errors": [{"page": message}]}))


def invalid(message: str) -> RequestRefusedError:
    """400: an invalid parameter, with a flat message."""
    return RequestRefusedError(Response(400, {"message": message}))


def short_search(minimum: int) -> RequestRefusedError:
    """400: a search term that is too short."""
    message = f"{minimum} or more characters is required"
    return RequestRefusedError(
        Response(400, {"errors": [{"field": "search_term", "code": "invalid", "message": message}]})
    )


def bad_masquerade() -> RequestRefusedError:
    """401: an ``as_user_id`` that the caller may not use. ``errors`` is a string here."""
    return RequestRefusedError(Response(401, {"errors": "Invalid as_user_id"}))


def crashed(report_id: int) -> RequestRefusedError:
    """500 with the number of an error report."""
    data: dict[str, Any] = {
        "errors": [{"message": "An error occurred.", "error_code": "internal_server_error"}]
    }
    return RequestRefusedError(Response(500, {**data, "error_report_id": report_id}))


def throttled(switches: Switches) -> Response:
    """403 or 429 as plain text."""
    phrase = "403 Forbidden" if switches.throttle_status == 403 else "429 Too Many Requests"  # noqa: PLR2004  a status
    return Response(
        switches.throttle_status,
        body=f"{phrase} (Rate Limit Exceeded)\n".encode(),
        content_type="text/plain; charset=utf-8",
        throttled=True,
    )


def firewall() -> Response:
    """403 as a page: from something in front of Canvas, or about this one object."""
    return page(403, "Access Denied", "You do not have permission to access this resource on this server.")


def bad_request() -> Response:
    """400 as a page."""
    return page(400, "Bad Request", "Your browser sent a request that this server could not understand.")


def broken() -> Response:
    """500 as a page, without an error report."""
    return page(500, "Page Error", "Something broke unexpectedly. Sorry about that.")


def maintenance() -> Response:
    """503 as a page."""
    return page(503, "Canvas is down for maintenance", "We will be back shortly.")


def graphql_errors() -> Response:
    """200 with ``errors`` and without data: what GraphQL answers to what it refuses."""
    return Response(data={"errors": [{"message": "An unexpected error occurred", "path": ["course"]}]})


def no_user_agent() -> Response:
    """403 from the edge, with ``error`` and ``message``."""
    message = "You are not authorized to access this site because you have not provided a valid user agent."
    return Response(403, {"error": "Forbidden", "message": message})


def login_redirect(base_url: str) -> Response:
    """302 to the login page."""
    return Response(
        302,
        body=b"<html><body>You are being redirected.</body></html>",
        content_type="text/html; charset=utf-8",
        headers={"Location": f"{base_url}/login"},
    )


def storage_object_gone() -> Response:
    """400 as a page: a file whose object is missing."""
    return page(400, "Bad Request", "The file you requested could not be read.")
