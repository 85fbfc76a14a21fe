"""Read a response of Canvas: its JSON, or the one error that fits.

Canvas has five shapes of error body and translates their texts, so only statuses and headers decide:

* 401 with ``WWW-Authenticate``: the token is not valid, for any request.
* 401 or 403 as JSON without it: the right is missing for this object.
* 403 as text with ``Rate Limit Exceeded``, and any 429: Canvas throttles the token.

A response that is not JSON comes from something in front of Canvas, and says nothing about the object.
"""

from __future__ import annotations

import re
from typing import Any

from canvas_exports.core.canvas.http.bounded_values import bounded_int, parse_json
from canvas_exports.core.canvas.http.messages import Failure, Request, Response, Result
from canvas_exports.core.canvas.http.transports.response_body import LARGEST
from canvas_exports.errors import (
    BadRequestError,
    CanvasError,
    CanvasUnavailableError,
    CredentialError,
    NotFoundError,
    PermissionDeniedError,
    ThrottledError,
    UnexpectedResponseError,
)
from canvas_exports.foreign_text import harmless

_THROTTLED = b"rate limit exceeded"  # the one text that is part of the contract; Canvas never translates it
_LONGEST_QUOTE, _LONGEST_ID = 200, 100  # characters
_CLIENT_ERROR, _SERVER_ERROR = 400, 500
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TIMEOUT, _GONE, _TOO_MANY = 401, 403, 404, 408, 410, 429
_BUSY = frozenset({_TIMEOUT, 425, _TOO_MANY})


def is_throttled(response: Response) -> bool:
    """Return whether Canvas refused the request because the token's rate limit is exceeded: 403 as text, or 429."""
    if response.status == _TOO_MANY:
        return True
    return (
        response.status == _FORBIDDEN
        and response.media_type == "text/plain"
        and _THROTTLED in response.body.lower()
    )


def read_json(response: Response, request: Request) -> Any:
    """Return the JSON of a 2xx response.

    Raises:
        CanvasError: the error that fits, with the request's label, the status and Canvas's request id. It never shows a body
            that may hold a link.
    """
    if response.is_success:
        found = parse_json(response.body)
        if found is not None:
            return found[0]
    raise with_request(error_of(response), request, response)


def with_request(error: CanvasError, request: Request, response: Response | None = None) -> CanvasError:
    """Note on an error which request it is about, and what support asks for. Return it."""
    error.request = str(request)
    error.context = error.context or request.context
    error.export_id = error.export_id or request.export_id
    if response is not None:
        error.status = response.status
        request_id = response.headers.get("x-request-context-id")
        error.request_id = request_id and harmless(request_id, most=_LONGEST_ID)
    return error


def error_of(response: Response) -> CanvasError:
    """Return the error of a response that is not JSON of an API call that succeeded."""
    if is_throttled(response):
        return _throttled()
    if response.status >= _SERVER_ERROR or response.status == _TIMEOUT:
        return CanvasUnavailableError(f"Canvas could not answer{error_report(response)}")
    if response.is_success:
        return UnexpectedResponseError(f"not a response of Canvas's API but {_body_kind(response)}")
    if response.status < _CLIENT_ERROR:
        return UnexpectedResponseError(
            "the API call was redirected; the host is probably not Canvas's own name (a redirect is never followed "
            "with the token)"
        )
    return _client_error(response)


def error_of_failure(failure: Failure, host: str) -> CanvasError:
    """Return the error for a response that did not come, or was too large."""
    if failure is Failure.UNTRUSTED:
        return CanvasUnavailableError(
            f"the certificate of {host} is not trusted; set verify to the file of the authority that signed it"
        )
    if failure is Failure.TOO_LARGE:
        return UnexpectedResponseError(
            f"{host} answered with more than {LARGEST >> 20} MiB, which Canvas's API never does"
        )
    return CanvasUnavailableError(f"{host}: {failure.value}")


def temporary_error(result: Result, host: str, *, on_canvas: bool) -> CanvasError | None:
    """Return the error of a step of a download or an upload that may succeed when it is repeated, or ``None``."""
    if isinstance(result, Failure):
        return error_of_failure(result, host)
    if on_canvas and is_throttled(result):
        return _throttled()
    if result.status >= _SERVER_ERROR or result.status in _BUSY:
        return CanvasUnavailableError(f"HTTP {result.status}")
    return None


def error_report(response: Response) -> str:
    """Return `` (error report 123)``, where Canvas names one: its administrators find the cause under it."""
    found = parse_json(response.body)
    number = (
        bounded_int(found[0].get("error_report_id"), least=1)
        if found and isinstance(found[0], dict)
        else None
    )
    return f" (error report {number})" if number else ""


def _client_error(response: Response) -> CanvasError:
    if response.status == _UNAUTHORIZED and "www-authenticate" in response.headers:
        return CredentialError(
            "Canvas does not accept the token: it is unknown, expired or revoked; enter a new one"
        )
    found = parse_json(response.body)
    if found is None:
        return UnexpectedResponseError(
            f"refused by something in front of Canvas, with {_body_kind(response)}"
        )
    if response.status in (_UNAUTHORIZED, _FORBIDDEN):
        return PermissionDeniedError("the token's user lacks the right for this, or the token the scope")
    if response.status in (_NOT_FOUND, _GONE):
        return NotFoundError("deleted, never there, or not visible to the token's user")
    return BadRequestError(f"Canvas refuses the arguments{_quote(found[0])}{error_report(response)}")


def _throttled() -> CanvasError:
    return ThrottledError("the rate limit of this token is exceeded")


def _body_kind(response: Response) -> str:
    if not response.body.strip():
        return "an empty body"
    if response.media_type == "text/html":
        return "a web page (a login, maintenance or firewall page)"
    return "cut or damaged JSON" if "json" in response.media_type else "text that is not JSON"


def _quote(document: Any) -> str:
    """Return Canvas's own words for a person to read: bounded, printable, without anything that looks like a link."""
    text = re.sub(r"\s+", " ", " / ".join(_messages(document))).strip()
    if not text or "://" in text or not text.isprintable():
        return ""
    return f"; it says: {text[:_LONGEST_QUOTE]}"


def _messages(document: Any) -> list[str]:
    if not isinstance(document, dict):
        return []
    errors = document.get("errors", document.get("message", document.get("error")))
    if isinstance(errors, str):
        return [errors]
    rows = errors if isinstance(errors, list) else [errors]
    return [
        text
        for row in rows
        if isinstance(row, dict)
        for text in (row.get("message"), row.get("page"))
        if isinstance(text, str)
    ]
