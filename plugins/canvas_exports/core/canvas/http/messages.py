"""Define HTTP messages as plain values: requests, responses, and the reasons why a response did not come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Generic, Protocol, TypeVar

T = TypeVar("T")

_OK, _REDIRECT = 200, 300


@dataclass(frozen=True)
class Request:
    """One call: method, encoded path, encoded query, encoded form.

    ``json`` is the body of a GraphQL query, which changes nothing although it is sent with POST. ``context`` and ``export_id``
    say what the call is about, for the errors that it raises.
    """

    method: str
    path: str
    query: str = field(default="", repr=False)
    form: str = field(default="", repr=False)
    json: str = field(default="", repr=False)
    context: str | None = None
    export_id: int | None = None

    @property
    def idempotent(self) -> bool:
        """Return whether sending it twice has the same effect as sending it once."""
        return self.method in ("GET", "PUT") or bool(self.json)

    @property
    def target(self) -> str:
        """Path and query, exactly as they are sent."""
        return f"{self.path}?{self.query}" if self.query else self.path

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Stream(Protocol):
    """The body of a response that is still arriving."""

    @property
    def is_complete(self) -> bool:
        """Return whether the body ended where the sender announced its end."""

    def readinto(self, target: memoryview) -> int:
        """Read the next bytes, as many as fit or arrive soon. Return their number; 0 at the end.

        Raises:
            OSError: the connection broke, and everything that arrived before was returned.
        """

    def close(self) -> None:
        """Return the connection to the pool, or close it."""


@dataclass(frozen=True)
class Response:
    """A response of Canvas or of storage.

    Attributes:
        status: the HTTP status.
        headers: values by lower-case names.
        body: the body, where it was read.
        stream: the body, where it is still arriving.
        source: the storage URL from which a package arrives. A secret: it may be signed.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)
    stream: Stream | None = field(default=None, repr=False)
    source: str | None = field(default=None, repr=False)

    @property
    def is_success(self) -> bool:
        """Return whether the status is 2xx."""
        return _OK <= self.status < _REDIRECT

    @property
    def media_type(self) -> str:
        """Return ``Content-Type`` without parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Failure(Enum):
    """The reason why no response came."""

    NOT_SENT = "no connection"  # Canvas certainly received nothing
    UNTRUSTED = "certificate not trusted"  # likewise, and waiting does not help
    LOST = "connection lost or timed out"  # Canvas may have acted
    TOO_LARGE = "a response larger than any of Canvas's"  # likewise


Result = Response | Failure


@dataclass(frozen=True)
class Endpoint(Generic[T]):
    """A request with the function that reads its response: JSON and response to a typed value."""

    request: Request
    read: Callable[[Any, Response], T]


@dataclass(frozen=True)
class PreparedRequest:
    """A request as a transport sends it, verbatim: no changed URL, no redirect followed, no credential added.

    Attributes:
        method: the HTTP method.
        url: the absolute URL.
        headers: the headers.
        body: the body, where it is in memory.
        stream: leave the body of a 2xx response unread.
        upload: the body, of the length that the headers say. It can be sent once, and the errors that it raises reach the
            caller unchanged.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)
    stream: bool = False
    upload: Iterable[bytes | bytearray | memoryview] | None = field(default=None, repr=False)

    def with_token(self, token: str) -> PreparedRequest:
        """Return the same request with an access token."""
        return replace(self, headers={**self.headers, "Authorization": f"Bearer {token}"})


def lower_case(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return headers by lower-case names; a repeated one is joined with a comma, as HTTP allows."""
    headers: dict[str, str] = {}
    for name, value in pairs:
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers
