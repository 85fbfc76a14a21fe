"""What is said on the wire, as plain values: requests, answers, and the ways an answer can fail to come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, Protocol, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Request:
    """One REST call: verb, encoded path, encoded query, encoded form.

    ``context`` and ``export_id`` say what the call is about; they end up on the errors it raises.
    """

    method: str
    path: str
    query: str = field(default="", repr=False)
    form: str = field(default="", repr=False)
    context: str | None = None
    export_id: int | None = None

    @property
    def idempotent(self) -> bool:
        """Whether saying it twice is the same as saying it once."""
        return self.method in ("GET", "PUT")

    @property
    def target(self) -> str:
        """Path and query, exactly as they go out."""
        return f"{self.path}?{self.query}" if self.query else self.path

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Stream(Protocol):
    """A body that is still arriving."""

    @property
    def is_complete(self) -> bool:
        """Whether it ended where its sender said that it ends, and not for any other reason."""

    def readinto(self, target: memoryview) -> int:
        """The next bytes, as many as fit or come in a moment; 0 at the end.

        Raises ``OSError`` where the connection breaks, once everything that arrived before was handed over.
        """

    def close(self) -> None:
        """Give the connection back, or up."""


@dataclass(frozen=True)
class Response:
    """Status, headers under lower-case names, and a body that is either read (``body``) or arriving (``stream``).

    ``source`` is the storage URL from which a package arrives: a secret, it may be signed.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)
    stream: Stream | None = field(default=None, repr=False)
    source: str | None = field(default=None, repr=False)

    @property
    def media_type(self) -> str:
        """``Content-Type`` without parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Failure(Enum):
    """Why no answer came."""

    NOT_SENT = "no connection"  # Canvas certainly saw nothing
    UNTRUSTED = "certificate not trusted"  # likewise, and waiting does not help
    LOST = "connection lost or timed out"  # Canvas may have acted
    TOO_LARGE = "an answer larger than any of Canvas's"  # likewise


Result = Response | Failure


@dataclass(frozen=True)
class Endpoint(Generic[T]):
    """A request together with the reading of its answer: parsed JSON and answer to a typed value."""

    request: Request
    read: Callable[[Any, Response], T]


@dataclass(frozen=True)
class PreparedRequest:
    """What a transport sends, verbatim: it must not touch the URL, follow a redirect, or add credentials.

    With ``stream``, the body of a 2xx answer is handed over unread. With ``upload``, that is the body, of the length that
    the headers say; it can be sent once, and what it raises reaches the caller unchanged.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)
    stream: bool = False
    upload: Iterable[bytes | bytearray | memoryview] | None = field(default=None, repr=False)

    def with_token(self, token: str) -> PreparedRequest:
        """The same with an access token."""
        headers = {**self.headers, "Authorization": f"Bearer {token}"}
        return PreparedRequest(self.method, self.url, headers, self.body, self.stream)


def lower_case(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers under lower-case names; a repeated one is joined with a comma, as HTTP allows."""
    headers: dict[str, str] = {}
    for name, value in pairs:
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers
