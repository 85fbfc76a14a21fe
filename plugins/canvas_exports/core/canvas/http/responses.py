"""What an answer means: parsed JSON, or the one error that fits.

Canvas has five shapes of error body and translates their texts, so only statuses and headers decide:

* 401 with ``WWW-Authenticate``: the credential is bad, whatever was asked for.
* 401 or 403 as JSON without it: the right is missing for this object.
* 403 as text saying ``Rate Limit Exceeded``, and any 429: the rate budget is used up.

An answer that is not JSON comes from something in front of Canvas, and says nothing about the object.
"""

from __future__ import annotations

import re
from typing import Any

from canvas_exports.core.canvas.http.bounded_values import bounded_int, parse_json
from canvas_exports.core.canvas.http.messages import Request, Response
from canvas_exports.errors import (
    BadRequestError,
    CanvasError,
    CanvasUnavailableError,
    CredentialError,
    NotFoundError,
    PermissionDeniedError,
    ThrottledError,
    UnexpectedAnswerError,
)
from canvas_exports.foreign_text import harmless

_REFUSAL = b"rate limit exceeded"  # the one text that is part of the contract; Canvas never translates it
_LONGEST_QUOTE, _LONGEST_ID = 200, 100  # characters
_OK, _REDIRECT, _CLIENT_ERROR, _SERVER_ERROR = 200, 300, 400, 500
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TIMEOUT, _GONE, _TOO_MANY = 401, 403, 404, 408, 410, 429


def is_throttled(response: Response) -> bool:
    """Whether Canvas turned the request away unread because the token's rate budget is used up."""
    if response.status == _TOO_MANY:
        return True
    return (
        response.status == _FORBIDDEN
        and response.media_type == "text/plain"
        and _REFUSAL in response.body.lower()
    )


def read_json(response: Response, request: Request) -> Any:
    """The JSON of a 2xx answer.

    Raises:
        CanvasError: the error of the tree that fits the answer; it carries the request's label, the status and
            Canvas's request id, and never a body that may hold a link.
    """
    if _OK <= response.status < _REDIRECT:
        found = parse_json(response.body)
        if found is None:
            raise with_request(_not_json(response), request, response)
        return found[0]
    raise with_request(_error(response), request, response)


def with_request(error: CanvasError, request: Request, response: Response | None = None) -> CanvasError:
    """The error, told what it is about."""
    error.request = str(request)
    error.context = error.context or request.context
    error.export_id = error.export_id or request.export_id
    if response is not None:
        error.status = response.status
        request_id = response.headers.get("x-request-context-id")
        error.request_id = request_id and harmless(request_id, most=_LONGEST_ID)
    return error


def _error(response: Response) -> CanvasError:
    if is_throttled(response):
        return ThrottledError("the rate budget of this token is used up")
    if response.status >= _SERVER_ERROR or response.status == _TIMEOUT:
        return CanvasUnavailableError(f"Canvas could not answer{error_report(response)}")
    if response.status < _CLIENT_ERROR:
        return UnexpectedAnswerError(
            "the API call was redirected; the host is probably not Canvas's own name (a redirect is never followed "
            "with the token)"
        )
    if response.status == _UNAUTHORIZED and "www-authenticate" in response.headers:
        return CredentialError(
            "Canvas does not accept the token: it is unknown, expired or revoked; enter a new one"
        )
    found = parse_json(response.body)
    if found is None:
        return UnexpectedAnswerError(f"refused by something in front of Canvas, with {_looks(response)}")
    return _refusal(response, found[0])


def _refusal(response: Response, said: Any) -> CanvasError:
    """Canvas itself said no."""
    if response.status in (_UNAUTHORIZED, _FORBIDDEN):
        return PermissionDeniedError("the token's user lacks the right for this, or the token the scope")
    if response.status in (_NOT_FOUND, _GONE):
        return NotFoundError("deleted, never there, or not visible to the token's user")
    return BadRequestError(f"Canvas refuses the arguments{_quote(said)}{error_report(response)}")


def _not_json(response: Response) -> CanvasError:
    return UnexpectedAnswerError(f"not an answer of Canvas's API but {_looks(response)}")


def _looks(response: Response) -> str:
    if not response.body.strip():
        return "an empty body"
    if response.media_type == "text/html":
        return "a web page (a login, maintenance or firewall page)"
    return "cut or damaged JSON" if "json" in response.media_type else "text that is not JSON"


def _quote(said: Any) -> str:
    """Canvas's own words, for a person to read: bounded, printable, without anything that looks like a link."""
    text = re.sub(r"\s+", " ", " / ".join(_texts(said))).strip()
    if not text or "://" in text or not text.isprintable():
        return ""
    return f"; it says: {text[:_LONGEST_QUOTE]}"


def _texts(said: Any) -> list[str]:
    if not isinstance(said, dict):
        return []
    errors = said.get("errors", said.get("message", said.get("error")))
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


def error_report(response: Response) -> str:
    """`` (error report 123)``, where Canvas names one: its administrators find the cause under it."""
    found = parse_json(response.body)
    number = (
        bounded_int(found[0].get("error_report_id"), least=1)
        if found and isinstance(found[0], dict)
        else None
    )
    return f" (error report {number})" if number else ""
