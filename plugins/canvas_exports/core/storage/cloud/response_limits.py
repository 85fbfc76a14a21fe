"""Read each response of a cloud's SDK within limits of size and time: the SDKs limit no more than the wait for its next bytes."""

from __future__ import annotations

import time
from collections.abc import Callable
from io import BytesIO
from typing import Any, TypeVar

import urllib3

from canvas_exports.core.storage.cloud.error_codes import FailedRequestError, no_answer
from canvas_exports.core.storage.options import ResponseLimits, StoreOptions
from canvas_exports.errors import ArchiveUnavailableError

Response = TypeVar("Response", bound=Any)

_PIECE = 64 * 1024


def send_within(limits: ResponseLimits, send: Callable[[], Response]) -> Response:
    """Send a request and read the whole body of its response, decoded, which then stands in for the unread one.

    Args:
        limits: of the body.
        send: sends it, and returns a response whose ``raw`` is the unread response of urllib3.

    Raises:
        FailedRequestError: the body is larger, takes longer, or breaks off (retryable).
    """
    until = time.monotonic() + limits.seconds
    response = send()
    raw = response.raw
    try:
        body = _read(raw, limits, until, decode=False)
        if encoding := raw.headers.get("Content-Encoding"):
            # Only now: there may be no end of bytes that decode to none, and then urllib3 would not return.
            packed = urllib3.HTTPResponse(
                BytesIO(body), {"Content-Encoding": encoding}, preload_content=False
            )
            body = _read(packed, limits, until, decode=True)
    except urllib3.exceptions.HTTPError as error:
        raise FailedRequestError(no_answer(error)) from None
    finally:
        raw.close()
    response.raw = urllib3.HTTPResponse(BytesIO(body), status=raw.status, preload_content=False)
    return response


def limit_session(session: Any, options: StoreOptions) -> Any:
    """Make a session of requests read each response within the limits, and check certificates as stated. Return the session."""
    from requests.adapters import HTTPAdapter  # noqa: PLC0415 - of the SDKs that use it

    class Limited(HTTPAdapter):
        def send(self, *args: Any, **kwargs: Any) -> Any:
            if (
                options.verify is not True
            ):  # for requests, the bundle of the environment wins over that of a session
                kwargs["verify"] = options.verify
            send = super().send
            return send_within(options.limits, lambda: send(*args, **kwargs))

    for scheme in ("http://", "https://"):
        session.mount(scheme, Limited())
    return session


def _read(response: urllib3.BaseHTTPResponse, limits: ResponseLimits, until: float, *, decode: bool) -> bytes:
    content = bytearray()
    while piece := response.read1(_PIECE, decode_content=decode):  # whatever has arrived, however little
        content += piece
        if len(content) > limits.size:
            raise FailedRequestError(
                ArchiveUnavailableError(f"the store answered with more than {limits.size:,} bytes")
            )
        if time.monotonic() > until:
            raise FailedRequestError(
                ArchiveUnavailableError(f"the store's answer took longer than {limits.seconds:g} seconds")
            )
    return bytes(content)
