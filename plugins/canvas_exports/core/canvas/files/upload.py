"""Upload a package to the storage that Canvas names, in constant memory.

The token goes to Canvas's own host only, and there only to confirm that the file has arrived. The file is sent once, because
its blocks can be read once. After an error, ask Canvas for the state of the content migration, and begin another one.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from canvas_exports.core.canvas.api.migrations import MEDIA_TYPE, PackageFile, UploadTicket
from canvas_exports.core.canvas.files.redirects import REDIRECTS, Hop, Redirects, send_hop
from canvas_exports.core.canvas.http.flow import Flow, send_without_token
from canvas_exports.core.canvas.http.messages import Failure, PreparedRequest, Request, Response
from canvas_exports.core.canvas.http.origin import host_of
from canvas_exports.core.canvas.http.responses import error_of, error_of_failure, with_request
from canvas_exports.core.canvas.http.retry import RetryPolicy
from canvas_exports.core.canvas.http.session import CanvasSession
from canvas_exports.errors import BadRequestError, CanvasError, CanvasExportsError, UploadError

Block = bytes | bytearray | memoryview

_BAD_REQUEST = 400


@dataclass(frozen=True)
class MultipartForm:
    """The ``multipart/form-data`` body of an upload: the parameters of the ticket, verbatim, and the file last.

    Attributes:
        boundary: separates the fields.
        head: the bytes before the file.
        tail: the bytes after the file.
        file: name and size of the file.
    """

    boundary: str
    head: bytes
    tail: bytes
    file: PackageFile

    @classmethod
    def of(cls, ticket: UploadTicket, file: PackageFile) -> MultipartForm:
        """Return the form for one upload."""
        boundary = secrets.token_hex(16)
        head = "".join(
            f"--{boundary}\r\n{_disposition(name)}\r\n\r\n{value}\r\n" for name, value in ticket.params
        )
        head += f"--{boundary}\r\n{_disposition(ticket.file_param)}; filename={_quoted(file.name)}\r\n"
        head += f"Content-Type: {MEDIA_TYPE}\r\n\r\n"
        return cls(boundary, head.encode(), f"\r\n--{boundary}--\r\n".encode(), file)

    @property
    def length(self) -> int:
        """Return the bytes of the whole body."""
        return len(self.head) + self.file.size + len(self.tail)

    def stream(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """Yield the body. An error of the blocks leaves it without its last bytes, so that no storage accepts it.

        Raises:
            UploadError: there were more or fewer bytes than announced to Canvas; the body is not ended.
        """
        yield self.head
        sent = 0
        for block in blocks:
            sent += len(block)
            if sent > self.file.size:
                break
            yield block
        if sent != self.file.size:
            raise UploadError("the package is not of the size announced to Canvas; the upload was broken off")
        yield self.tail


def upload_flow(
    session: CanvasSession, ticket: UploadTicket, file: PackageFile, blocks: Iterable[Block]
) -> Flow[None]:
    """Send the file once, and confirm to Canvas that it has arrived.

    ``POST`` of the ticket's URL without the token. Where storage redirects, ``GET`` of the location, with the token if that is
    Canvas's own host.

    Raises:
        UploadError: storage refused or could not be reached, or redirects without an end. The content migration says whether
            Canvas has the file.
        BadRequestError: Canvas gives a reason why it does not take the file, such as a quota (permanent).
        CredentialError: Canvas no longer knows the token.
    """
    redirects = Redirects(session.origin, "upload")
    hop = redirects.start(ticket.url, bearer=False)
    form = MultipartForm.of(ticket, file)
    headers = session.headers(accept="*/*") | {
        "Content-Type": f"multipart/form-data; boundary={form.boundary}",
        "Content-Length": str(form.length),
    }
    prepared = PreparedRequest("POST", hop.url, headers, upload=form.stream(blocks))
    # Canvas does not charge the token for a request without it. Holding a slot of the rate limiter meanwhile would also keep
    # the reader of the package from asking Canvas anything.
    result = yield from send_without_token(prepared)
    if isinstance(result, Failure):
        raise UploadError(error_of_failure(result, host_of(hop.url)).message)
    while result.status in REDIRECTS:
        hop = redirects.follow(hop, result.headers.get("location"))
        result = yield from _confirm(session, hop)
    if not result.is_success:
        raise _refusal(hop, result)


def _confirm(session: CanvasSession, hop: Hop) -> Flow[Response]:
    """Confirm that the file has arrived. Repeated while that may help: sending the file again costs more."""
    prepared = PreparedRequest("GET", hop.url, session.headers())
    response = yield from send_hop(session, hop, prepared, RetryPolicy(session))
    if isinstance(response, CanvasError):
        raise UploadError(f"{host_of(hop.url)} did not confirm the upload: {response.message}")
    return response


def _refusal(hop: Hop, response: Response) -> CanvasExportsError:
    """Return Canvas's reason, or the status. An empty response of 400 means that Canvas has the file already, or not."""
    if response.status == _BAD_REQUEST and hop.on_canvas and response.body.strip():
        error = error_of(response)
        if isinstance(error, BadRequestError):
            return with_request(error, Request("GET", urlsplit(hop.url).path), response)
    return UploadError(f"{host_of(hop.url)} refused the upload (HTTP {response.status})")


def _disposition(name: str) -> str:
    return f"Content-Disposition: form-data; name={_quoted(name)}"


def _quoted(text: str) -> str:
    """Return a quoted form value as browsers write it."""
    return '"' + re.sub(r'["\r\n]', lambda found: f"%{ord(found[0]):02X}", text) + '"'
