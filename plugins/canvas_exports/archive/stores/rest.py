"""The few requests for which obstore has no call: unfinished uploads, and locks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

import requests

from canvas_exports.errors import ArchiveDeniedError, ArchiveUnavailableError

_TIMEOUT = 60
_BUSY = (requests.codes.request_timeout, requests.codes.too_many_requests)


@dataclass(frozen=True)
class Request:
    """A request as it is signed: ``target`` is its quoted path, ``line`` its query, sorted and quoted."""

    verb: str
    host: str
    target: str
    line: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Rest(ABC):
    """One cloud's own requests, each signed anew.

    Args:
        endpoint: URL of the server.
        place: the bucket, for messages.
        verify: as in ``StoreOptions``.
    """

    def __init__(self, endpoint: str, place: str, verify: bool | str = True) -> None:
        url = urlsplit(endpoint)
        self._base = f"{url.scheme}://{url.netloc}"
        self._host = url.netloc
        self._path = url.path.rstrip("/")
        self._verify = verify
        self.place = place

    @abstractmethod
    def sign(self, request: Request) -> tuple[Mapping[str, str], str]:
        """The headers and the query that say who asks. ``ArchiveDeniedError`` if there are no credentials."""

    def send(
        self,
        verb: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        action: str,
    ) -> requests.Response:
        """The answer, unless the request was refused (401, 403) or the server failed.

        Args:
            verb: of HTTP.
            path: below the endpoint; of what is not safe, only a slash inside a name has to be quoted.
            query: its parameters.
            headers: to send and, where the cloud wants it, to sign.
            body: a small document.
            action: what for, in the words of a message.

        Raises:
            ArchiveDeniedError: no credentials, or no right to do this (permanent).
            ArchiveUnavailableError: the server failed or did not answer (retryable).
        """
        line = "&".join(
            f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in sorted((query or {}).items())
        )
        target = f"{self._path}{quote(path, safe='/%')}"
        signed, line = self.sign(Request(verb, self._host, target, line, headers or {}, body))
        try:
            with requests.Session() as session:
                session.auth = lambda prepared: prepared  # or a .netrc entry would replace the signature
                answer = session.request(
                    verb,
                    f"{self._base}{target}?{line}",
                    headers=dict(signed),
                    data=body or None,
                    timeout=_TIMEOUT,
                    verify=self._verify,
                    allow_redirects=False,
                )
        except requests.RequestException as error:
            # Its message holds the URL, and with it the upload's id or a signature.
            raise ArchiveUnavailableError(f"the store did not answer: {type(error).__name__}") from None
        if answer.status_code in (requests.codes.unauthorized, requests.codes.forbidden):
            raise ArchiveDeniedError(f"no right to {action} in {self.place}")
        failed = answer.status_code >= requests.codes.server_error
        if (failed and answer.status_code != requests.codes.not_implemented) or answer.status_code in _BUSY:
            raise ArchiveUnavailableError(f"the store answered HTTP {answer.status_code}")
        return answer
