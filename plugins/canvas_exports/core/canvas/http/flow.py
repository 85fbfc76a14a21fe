"""Carry out one call of Canvas as a flow: a generator without I/O that both clients run.

A flow yields steps: acquire a slot of the rate limiter, send a request, wait, renew the token. Its driver performs each step
and sends the result back in. The flow returns a typed value or raises a typed error. So the blocking and the asynchronous
client make the same decisions, and differ only in how they wait and send.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TypeVar

from canvas_exports.core.canvas.http.messages import (
    Endpoint,
    Failure,
    PreparedRequest,
    Request,
    Response,
    Result,
)
from canvas_exports.core.canvas.http.responses import (
    error_of_failure,
    error_report,
    is_throttled,
    read_json,
    with_request,
)
from canvas_exports.core.canvas.http.retry import (
    QUERY_ATTEMPTS,
    RetryPolicy,
    header_number,
    is_retryable,
    may_have_acted,
    retry_after,
)
from canvas_exports.core.canvas.http.session import CanvasSession
from canvas_exports.errors import CanvasError, CredentialError, ResponseLostError, UnexpectedResponseError

T = TypeVar("T")

_MOST_RENEWALS = 5  # of the token, for one request
_REDIRECT, _UNAUTHORIZED = 300, 401


@dataclass(frozen=True)
class AcquireSlot:
    """Step: wait until the rate limiter has a slot, and take it."""


@dataclass(frozen=True)
class Wait:
    """Step: wait so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Send:
    """Step: send the request, and return the response or the failure."""

    prepared: PreparedRequest


@dataclass(frozen=True)
class RenewToken:
    """Step: renew the token that Canvas rejected, or get one where there is none. Return the error, if there was one."""

    rejected: str | None = field(repr=False)


_ACQUIRE_SLOT = AcquireSlot()
Step = AcquireSlot | Wait | Send | RenewToken
StepResult = Result | CanvasError | None
Flow = Generator[Step, StepResult, T]


def call_flow(endpoint: Endpoint[T], session: CanvasSession) -> Flow[T]:
    """Call an endpoint, repeat the request within the bounds of ``RetryPolicy``, and read its response.

    Raises:
        CanvasError: what remains after the last attempt.
        ResponseLostError: a request that must not be repeated was sent, and may have taken effect.
    """
    request = endpoint.request
    prepared = _prepare(request, session)
    retries = RetryPolicy(session, QUERY_ATTEMPTS if request.json else None)
    while True:
        result: Result = Failure.NOT_SENT
        try:
            result = yield from send_flow(prepared, session)
            if isinstance(result, Failure):
                raise with_request(error_of_failure(result, session.origin.host), request)
            document = read_json(result, request)
        except CanvasError as error:
            if may_have_acted(request, result, error):
                raise _response_lost(request, result) from None
            wait = retries.after(error, retry_after(result)) if is_retryable(result, error) else None
            if wait is None:
                raise
        else:
            return _read(endpoint, document, result)
        if wait:
            yield Wait(wait)


def send_flow(prepared: PreparedRequest, session: CanvasSession, *, bearer: bool = True) -> Flow[Result]:
    """Send one request to Canvas through the rate limiter, with the token that is current by then.

    A token that Canvas no longer knows may have been renewed elsewhere, which ends the one before at once. Canvas did not
    carry out such a request, so it is sent again with the next token, whatever its method.

    Raises:
        CredentialError: each next token was rejected as well, or none can be had.
        CanvasUnavailableError: none can be had now.
    """
    if not bearer:
        yield _ACQUIRE_SLOT
        return (yield from _send(prepared, session))
    for _ in range(_MOST_RENEWALS):
        token = yield from _acquire_slot(session)
        result = yield from _send(prepared.with_token(token), session)
        if not _is_token_rejected(result):
            return result
        if session.tokens.current() == token:
            yield from _renew(token)
            if session.tokens.current() == token:
                return result
    raise CredentialError(
        "Canvas rejects every access token soon after it was issued: another program renews them with the same refresh "
        "token; give each its own"
    )


def send_without_token(prepared: PreparedRequest) -> Flow[Result]:
    """Send one request at once: without the token, and not through the rate limiter."""
    result = yield Send(prepared)
    assert isinstance(result, Response | Failure)
    return result


def _acquire_slot(session: CanvasSession) -> Flow[str]:
    """Acquire a slot while there is a token to send, and return the token."""
    while True:
        if session.tokens.current() is None:
            yield from _renew(None)
        yield _ACQUIRE_SLOT
        token = session.tokens.current()
        if token is not None:
            return token
        session.rate_limiter.cancelled()


def _renew(rejected: str | None) -> Flow[None]:
    problem = yield RenewToken(rejected)
    if isinstance(problem, CanvasError):
        raise problem


def _is_token_rejected(result: Result) -> bool:
    return (
        isinstance(result, Response)
        and result.status == _UNAUTHORIZED
        and "www-authenticate" in result.headers
    )


def _send(prepared: PreparedRequest, session: CanvasSession) -> Flow[Result]:
    """Send in the slot that was acquired, and report the outcome to the rate limiter."""
    try:
        result = yield from send_without_token(prepared)
    except BaseException:
        session.rate_limiter.cancelled()
        raise
    if isinstance(result, Failure):
        session.rate_limiter.cancelled()
        return result
    session.note_server_time(result.headers)
    remaining = header_number(result, "x-rate-limit-remaining")
    if is_throttled(result):
        session.rate_limiter.throttled(remaining=remaining, retry_after=retry_after(result))
    else:
        session.rate_limiter.succeeded(remaining=remaining, cost=header_number(result, "x-request-cost"))
    return result


def _read(endpoint: Endpoint[T], document: object, response: Response) -> T:
    try:
        return endpoint.read(document, response)
    except UnexpectedResponseError as error:
        if not endpoint.request.idempotent:
            raise _response_lost(endpoint.request, response) from None
        raise with_request(error, endpoint.request, response) from None


def _response_lost(request: Request, result: Result) -> CanvasError:
    objects = request.path.rpartition("/")[2].replace("_", " ")
    problem = "the response never came whole"
    if isinstance(result, Response):
        problem = f"Canvas answered with HTTP {result.status}{error_report(result)}"
        if result.status < _REDIRECT:
            problem = "the response cannot be read"
    error = ResponseLostError(
        f"sent, but {problem}: it may have taken effect; look in the list of {objects} first"
    )
    return with_request(error, request, result if isinstance(result, Response) else None)


def _prepare(request: Request, session: CanvasSession) -> PreparedRequest:
    headers = session.headers()
    body = None
    if request.json:
        headers["Content-Type"] = "application/json"
        body = request.json.encode()
    elif request.method != "GET":
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        body = request.form.encode()
    return PreparedRequest(request.method, f"{session.origin}{request.target}", headers, body)
