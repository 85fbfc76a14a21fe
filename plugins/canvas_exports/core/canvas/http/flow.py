"""How a call is carried out: one conversation, written once, for both clients.

A dialogue is a generator. It yields steps (take a place in the budget, send this, wait so long, renew the token) and is
handed what came of them; it returns the typed result or raises the typed error. It does no I/O and never sleeps: whoever drives
it does. So the blocking and the asynchronous client cannot differ in what they retry, how long they wait, or how
they count.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TypeVar

from canvas_exports.core.canvas.http.bounded_values import bounded_float, parse_http_date
from canvas_exports.core.canvas.http.messages import (
    Endpoint,
    Failure,
    PreparedRequest,
    Request,
    Response,
    Result,
)
from canvas_exports.core.canvas.http.origin import Origin
from canvas_exports.core.canvas.http.responses import error_report, is_throttled, read_json, with_request
from canvas_exports.core.canvas.http.session import CanvasSession
from canvas_exports.core.canvas.http.transports.response_body import LARGEST
from canvas_exports.errors import (
    AnswerLostError,
    CanvasError,
    CanvasUnavailableError,
    CredentialError,
    ThrottledError,
    UnexpectedAnswerError,
)

T = TypeVar("T")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0  # seconds before the first repetition, and before a late one
_LONGEST_RETRY_AFTER = 120.0
_THROTTLE_PATIENCE = 900.0  # seconds of refusals in a row; an empty bucket recovers in 80
_LONGEST_CALL = 300.0  # seconds after which no call is begun anew, however little of each attempt was waiting
_MOST_LEFT = 1e6  # of a rate budget, in either direction
_MOST_RENEWALS = 5  # of the token, for one request
_OK, _REDIRECT, _UNAUTHORIZED = 200, 300, 401


@dataclass(frozen=True)
class AcquireSlot:
    """Wait until the budget has a place."""


@dataclass(frozen=True)
class Wait:
    """Wait so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Send:
    """Send this, and hand back the answer or the fault."""

    prepared: PreparedRequest


@dataclass(frozen=True)
class RenewToken:
    """Renew the token: this one was rejected, or there is none to send. Hand back the error, if it came to one."""

    rejected: str | None = field(repr=False)


_ACQUIRE_SLOT = AcquireSlot()
Step = AcquireSlot | Wait | Send | RenewToken
StepResult = Result | CanvasError | None
Flow = Generator[Step, StepResult, T]


class RetryPolicy:
    """How often, and after which pause, one call is repeated. Throttle refusals are not counted, only timed."""

    def __init__(self, session: CanvasSession) -> None:
        self._session = session
        self._failures = 0
        self._began = session.clock()
        self._refused_since: float | None = None

    def after(self, error: CanvasError, retry_after: float | None = None) -> float | None:
        """Seconds to wait before the next attempt, or ``None`` to give up."""
        if isinstance(error, ThrottledError):
            now = self._session.clock()
            self._refused_since = now if self._refused_since is None else self._refused_since
            return (
                0.0 if now - self._refused_since < _THROTTLE_PATIENCE else None
            )  # the budget does the waiting
        self._refused_since = None
        self._failures += 1
        if self._failures >= self._session.attempts or self._session.clock() - self._began > _LONGEST_CALL:
            return None
        pause = min(_FIRST_PAUSE * 2.0 ** (self._failures - 1), _LONGEST_PAUSE) * (
            0.5 + self._session.jitter()
        )
        return max(pause, min(retry_after or 0.0, _LONGEST_RETRY_AFTER))


def call_flow(call: Endpoint[T], session: CanvasSession) -> Flow[T]:
    """Carry out one call: repeat what may be repeated, within bounds, and raise what remains.

    A request that is not idempotent is repeated only where Canvas certainly did nothing.
    """
    request = call.request
    prepared = _prepare(request, session)
    retries = RetryPolicy(session)
    while True:
        result: Result = Failure.NOT_SENT
        try:
            result = yield from send_flow(prepared, session)
            document = read_json(_response(result, request, session.origin), request)
        except CanvasError as error:
            if may_have_acted(request, result, error):
                raise _lost(request, result) from None
            pause = retries.after(error, _retry_after(result)) if is_retryable(result, error) else None
            if pause is None:
                raise
        else:
            assert isinstance(result, Response)
            return _understand(call, document, result)
        if pause:
            yield Wait(pause)


def send_flow(prepared: PreparedRequest, session: CanvasSession, *, bearer: bool = True) -> Flow[Result]:
    """Send one request to Canvas's own host within the budget, with the token that is the current one by then.

    A token that Canvas does not know may have been renewed elsewhere since: that kills it at once, also for what is under
    way. Such a request was not carried out, whatever it asks for, so it is sent again with the next token.

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
        if not _is_rejected(result):
            return result
        if session.tokens.current() == token:
            yield from _renew(token)
            if session.tokens.current() == token:
                return result
    raise CredentialError(
        "Canvas rejects every access token soon after it was issued: another program renews them with the same refresh "
        "token; give each its own"
    )


def _acquire_slot(session: CanvasSession) -> Flow[str]:
    """Take a place in the budget while there is a token to send."""
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


def _is_rejected(result: Result) -> bool:
    return (
        isinstance(result, Response)
        and result.status == _UNAUTHORIZED
        and "www-authenticate" in result.headers
    )


def _send(prepared: PreparedRequest, session: CanvasSession) -> Flow[Result]:
    """Send, and tell the budget how it went."""
    try:
        result = yield Send(prepared)
    except BaseException:
        session.rate_limiter.cancelled()
        raise
    assert isinstance(result, Response | Failure)
    if isinstance(result, Failure):
        session.rate_limiter.cancelled()
        return result
    session.note_server_time(result.headers)
    remaining = _number(result, "x-rate-limit-remaining")
    if is_throttled(result):
        session.rate_limiter.throttled(remaining=remaining, retry_after=_retry_after(result))
    else:
        session.rate_limiter.succeeded(remaining=remaining, cost=_number(result, "x-request-cost"))
    return result


def is_retryable(result: Result, error: CanvasError) -> bool:
    """The one predicate of both clients: whether the same request, sent again soon, may fare better."""
    if isinstance(error, UnexpectedAnswerError):
        return (
            isinstance(result, Response) and _OK <= result.status < _REDIRECT
        )  # half an answer, or a passing web page
    return isinstance(error, ThrottledError | CanvasUnavailableError) and result is not Failure.UNTRUSTED


def may_have_acted(request: Request, result: Result, error: CanvasError) -> bool:
    """Whether a request that must not be sent twice may have taken effect although it ended in this error."""
    if request.idempotent or isinstance(error, ThrottledError):
        return False
    if isinstance(result, Failure):
        return result in (Failure.LOST, Failure.TOO_LARGE)
    return isinstance(error, CanvasUnavailableError) or result.status < _REDIRECT


def error_of_failure(failure: Failure, host: str) -> CanvasError:
    """The error for an answer that never came, or of which there was no end."""
    if failure is Failure.UNTRUSTED:
        return CanvasUnavailableError(
            f"the certificate of {host} is not trusted; set verify to the file of the authority that signed it"
        )
    if failure is Failure.TOO_LARGE:
        return UnexpectedAnswerError(
            f"{host} answered with more than {LARGEST >> 20} MiB, which Canvas's API never does"
        )
    return CanvasUnavailableError(f"{host}: {failure.value}")


def _response(result: Result, request: Request, origin: Origin) -> Response:
    if isinstance(result, Failure):
        raise with_request(error_of_failure(result, origin.host), request)
    return result


def _understand(call: Endpoint[T], document: object, response: Response) -> T:
    try:
        return call.read(document, response)
    except UnexpectedAnswerError as error:
        if not call.request.idempotent:
            raise _lost(call.request, response) from None
        raise with_request(error, call.request, response) from None


def _lost(request: Request, result: Result) -> CanvasError:
    what = request.path.rpartition("/")[2].replace("_", " ")
    said = "the answer never came whole"
    if isinstance(result, Response):
        said = f"Canvas answered with HTTP {result.status}{error_report(result)}"
        if result.status < _REDIRECT:
            said = "the answer cannot be read"
    error = AnswerLostError(f"sent, but {said}: it may have taken effect; look in the list of {what} first")
    return with_request(error, request, result if isinstance(result, Response) else None)


def _prepare(request: Request, session: CanvasSession) -> PreparedRequest:
    headers = session.headers()
    body = None
    if request.method != "GET":
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        body = request.form.encode()
    return PreparedRequest(request.method, f"{session.origin}{request.target}", headers, body)


def _retry_after(result: Result) -> float | None:
    """``Retry-After`` in seconds, given as such or as a date; no longer than anybody waits."""
    seconds = _number(result, "retry-after")
    if seconds is None and isinstance(result, Response):
        date = parse_http_date(result.headers.get("retry-after", ""))
        seconds = None if date is None else (date - datetime.now(timezone.utc)).total_seconds()
    return None if seconds is None else min(max(0.0, seconds), _THROTTLE_PATIENCE)


def _number(result: Result, name: str) -> float | None:
    value = result.headers.get(name) if isinstance(result, Response) else None
    return bounded_float(value, least=-_MOST_LEFT, most=_MOST_LEFT)
