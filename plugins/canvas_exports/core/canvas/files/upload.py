"""Handing a package over to Canvas: to the storage it names, in constant memory, and never with the token.

The token goes to Canvas's own host only, and there only to say that the file has arrived. Nothing is sent twice here: a
body can be streamed once. Whoever sees an upload fail asks Canvas how its migration stands, and begins another one.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from canvas_exports.core.canvas.api.migrations import MEDIA_TYPE, PackageFile, UploadTicket
from canvas_exports.core.canvas.http.flow import Flow, RetryPolicy, Send, Wait, error_of_failure, send_flow
from canvas_exports.core.canvas.http.messages import Failure, PreparedRequest, Request, Response, Result
from canvas_exports.core.canvas.http.origin import host_of, is_http, resolve
from canvas_exports.core.canvas.http.responses import is_throttled, read_json
from canvas_exports.core.canvas.http.session import CanvasSession
from canvas_exports.errors import (
    BadRequestError,
    CanvasError,
    CanvasExportsError,
    CanvasUnavailableError,
    ThrottledError,
    UploadError,
)

Block = bytes | bytearray | memoryview

_MOST_HOPS = 5
_OK, _REDIRECT, _BAD_REQUEST, _SERVER_ERROR = 200, 300, 400, 500
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True)
class MultipartForm:
    """The ``multipart/form-data`` of an upload: first what Canvas gave along, verbatim, and the file last.

    Args:
        ticket: where the upload goes.
        file: what it is called, and its size in bytes.
    """

    boundary: str
    head: bytes
    tail: bytes
    file: PackageFile

    @classmethod
    def of(cls, ticket: UploadTicket, file: PackageFile) -> MultipartForm:
        """The form for one upload."""
        boundary = secrets.token_hex(16)
        head = "".join(
            f"--{boundary}\r\n{_disposition(name)}\r\n\r\n{value}\r\n" for name, value in ticket.params
        )
        head += f"--{boundary}\r\n{_disposition(ticket.file_param)}; filename={_quoted(file.name)}\r\n"
        head += f"Content-Type: {MEDIA_TYPE}\r\n\r\n"
        return cls(boundary, head.encode(), f"\r\n--{boundary}--\r\n".encode(), file)

    @property
    def length(self) -> int:
        """Bytes of the whole body."""
        return len(self.head) + self.file.size + len(self.tail)

    def stream(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """The body. What the blocks raise at their end leaves it without its last bytes, so that no storage takes it.

        Raises:
            UploadError: there were more or fewer bytes than Canvas was told; the body is not ended.
        """
        yield self.head
        sent = 0
        for block in blocks:
            sent += len(block)
            if sent > self.file.size:
                break
            yield block
        if sent != self.file.size:
            raise UploadError(
                "the package is not of the size that Canvas was told; the upload was broken off"
            )
        yield self.tail


def upload_flow(
    session: CanvasSession, ticket: UploadTicket, file: PackageFile, blocks: Iterable[Block]
) -> Flow[None]:
    """Send the file once, and tell Canvas that it has arrived.

    ``POST`` of the ticket's URL without the token; where storage redirects, ``GET`` of where to, with the token if that
    is Canvas's own host.

    Raises:
        UploadError: storage refused or could not be reached, or leads to where no upload ends. Whether Canvas has the
            file is for the migration to say.
        BadRequestError: Canvas says why it does not take the file, such as for a quota (permanent).
        CredentialError: Canvas no longer knows the token.
    """
    form = MultipartForm.of(ticket, file)
    own = session.origin.adopt(resolve(str(session.origin), ticket.url))
    url = own or ticket.url
    _check(url, session.origin.scheme)
    headers = session.headers(accept="*/*") | {
        "Content-Type": f"multipart/form-data; boundary={form.boundary}",
        "Content-Length": str(form.length),
    }
    prepared = PreparedRequest("POST", url, headers, upload=form.stream(blocks))
    # Without the token it is not the token's budget that Canvas charges. To hold a place in it would also keep whoever
    # reads the package from asking Canvas anything meanwhile.
    response = _response_or_error((yield from _send(prepared)), url)
    for _ in range(_MOST_HOPS):
        if _OK <= response.status < _REDIRECT:
            return
        if response.status not in _REDIRECTS:
            raise _refusal(session, url, response)
        location = resolve(url, response.headers.get("location", ""))
        own = session.origin.adopt(location)
        _check(own or location, urlsplit(url).scheme)
        url = own or location
        response = yield from _confirm(session, url, on_canvas=own is not None)
    raise UploadError("the upload was redirected again and again")


def _confirm(session: CanvasSession, url: str, *, on_canvas: bool) -> Flow[Response]:
    """Say that the file has arrived. Repeated while it may help: to send the file again costs more."""
    retries = RetryPolicy(session)
    while True:
        prepared = PreparedRequest("GET", url, session.headers())
        result = yield from (send_flow(prepared, session) if on_canvas else _send(prepared))
        error = _passing(result, url)
        pause = None if error is None else retries.after(error)
        if pause is None:
            return _response_or_error(result, url)
        yield Wait(pause)


def _passing(result: Result, url: str) -> CanvasError | None:
    """What may be better in a moment."""
    if isinstance(result, Failure):
        return error_of_failure(result, host_of(url))
    if is_throttled(result):
        return ThrottledError("the rate budget of this token is used up")
    if result.status >= _SERVER_ERROR:
        return CanvasUnavailableError(f"HTTP {result.status}")
    return None


def _refusal(session: CanvasSession, url: str, response: Response) -> CanvasExportsError:
    """Canvas gives a reason, or storage a status. An empty answer of 400 says that Canvas has the file already, or not."""
    if response.status == _BAD_REQUEST and session.origin.owns(url) and response.body.strip():
        try:
            read_json(response, Request("GET", urlsplit(url).path))
        except BadRequestError as error:
            return error
        except CanvasError:
            pass
    return UploadError(f"{host_of(url)} refused the upload (HTTP {response.status})")


def _send(prepared: PreparedRequest) -> Flow[Result]:
    """At once, and without the token."""
    result = yield Send(prepared)
    assert isinstance(result, Response | Failure)
    return result


def _response_or_error(result: Result, url: str) -> Response:
    if isinstance(result, Failure):
        raise UploadError(error_of_failure(result, host_of(url)).message)
    return result


def _check(url: str, from_scheme: str) -> None:
    if not is_http(url):
        raise UploadError("the upload leads to an address that is not plain http or https")
    if (from_scheme, urlsplit(url).scheme) == ("https", "http"):
        raise UploadError(f"the upload leads to {host_of(url)} without encryption; that is never followed")


def _disposition(name: str) -> str:
    return f"Content-Disposition: form-data; name={_quoted(name)}"


def _quoted(text: str) -> str:
    """As browsers write it."""
    return '"' + re.sub(r'["\r\n]', lambda found: f"%{ord(found[0]):02X}", text) + '"'
