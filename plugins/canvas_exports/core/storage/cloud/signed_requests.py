"""The few requests for which obstore has no call, or no patience: lists, unfinished uploads, and locks."""

from __future__ import annotations

import json
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from urllib3.exceptions import HTTPError

from canvas_exports.core.model.backoff import backoff_delays
from canvas_exports.core.storage.buffers import MiB
from canvas_exports.core.storage.cloud.error_codes import Refusal
from canvas_exports.errors import ArchiveDeniedError, ArchiveUnavailableError

_TIMEOUT = 60
_BUSY = (requests.codes.request_timeout, requests.codes.too_many_requests)
_LONGEST = 300  # seconds for all of an answer, however steadily it trickles
_LARGEST = 32 * MiB  # of an answer: a thousand of the longest names, each character written as nine, are less
_CODE = re.compile(rb"<Code>([\w.]{1,64})</Code>|\"reason\": *\"([\w.]{1,64})\"")


@dataclass(frozen=True)
class Request:
    """A request as it is signed: ``target`` is its quoted path, ``line`` its query, sorted and quoted."""

    verb: str
    host: str
    target: str
    line: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """An answer, all of which has arrived."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def ok(self) -> bool:
        """Whether the request was granted. One that is sent elsewhere was not: no credential follows it there."""
        return 200 <= self.status_code < 300  # noqa: PLR2004 - HTTP's

    @property
    def refusal(self) -> Refusal:
        """What it says if it was not."""
        found = _CODE.search(self.content[:4096])
        return Refusal(self.status_code, (found[1] or found[2]).decode() if found else None)

    def json(self) -> Any:
        """Its JSON document. ``ArchiveUnavailableError`` if it holds none."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            raise ArchiveUnavailableError("the store's answer is not what it should be") from None


class Rest(ABC):
    """One cloud's own requests, each signed anew.

    Args:
        endpoint: URL of the server.
        place: the bucket, for messages.
        verify: as in ``StoreOptions``.
        retries: likewise.
    """

    def __init__(self, endpoint: str, place: str, verify: bool | str = True, retries: int = 0) -> None:
        url = urlsplit(endpoint)
        self._base = f"{url.scheme}://{url.netloc}"
        self._host = url.netloc
        self._path = url.path.rstrip("/")
        self._verify = verify
        self._retries = retries
        self._session = requests.Session()
        self._session.auth = lambda prepared: prepared  # or a .netrc entry would replace the signature
        self.place = place
        #: Path of the bucket: an object's is this, a slash and its name.
        self.bucket = f"/{place}"

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
    ) -> Answer:
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
        answer = self.ask(verb, path, query, headers=headers, body=body)
        if answer.status_code in (requests.codes.unauthorized, requests.codes.forbidden):
            if answer.refusal.is_passing:
                raise ArchiveUnavailableError(f"the store answered HTTP {answer.status_code}")
            raise ArchiveDeniedError(f"no right to {action} in {self.place}")
        failed = answer.status_code >= requests.codes.server_error
        if failed and answer.status_code != requests.codes.not_implemented:
            raise ArchiveUnavailableError(f"the store answered HTTP {answer.status_code}")
        if _is_gone(answer):
            return answer
        if answer.status_code in _BUSY or (not answer.ok and answer.refusal.is_left_to_us):
            raise ArchiveUnavailableError(f"the store answered HTTP {answer.status_code}")
        return answer

    def ask(
        self,
        verb: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Answer:
        """The answer, whatever it is. What may pass is asked again, as often as the store's options say.

        Raises:
            ArchiveDeniedError: no credentials (permanent).
            ArchiveUnavailableError: the server did not answer, or with more than can be (retryable).
        """
        line = "&".join(
            f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in sorted((query or {}).items())
        )
        target = f"{self._path}{quote(path or '/', safe='/%')}"
        for pause in backoff_delays(self._retries):
            try:
                answer = self._once(Request(verb, self._host, target, line, headers or {}, body))
            except ArchiveUnavailableError:
                if pause is None:
                    raise
            else:
                if pause is None or answer.ok or _is_gone(answer) or not answer.refusal.is_passing:
                    return answer
            time.sleep(pause)
        raise AssertionError("the last of the backoff_delays is none")

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _once(self, request: Request) -> Answer:
        signed, line = self.sign(request)
        until = time.monotonic() + _LONGEST
        try:
            with self._session.request(
                request.verb,
                f"{self._base}{request.target}?{line}",
                headers=dict(signed),
                data=request.body or None,
                timeout=_TIMEOUT,
                verify=self._verify,
                allow_redirects=False,
                stream=True,
            ) as answer:
                content = bytearray()
                while piece := answer.raw.read1(
                    MiB, decode_content=True
                ):  # whatever has come, however little
                    content += piece
                    if len(content) > _LARGEST:
                        raise ArchiveUnavailableError(f"the store answered with more than {_LARGEST:,} bytes")
                    if time.monotonic() > until:
                        raise ArchiveUnavailableError(
                            f"the store's answer took longer than {_LONGEST} seconds"
                        )
        except (requests.RequestException, HTTPError) as error:
            # Its message holds the URL, and with it the upload's id or a signature.
            raise ArchiveUnavailableError(f"the store did not answer: {type(error).__name__}") from None
        return Answer(answer.status_code, answer.headers, bytes(content))


def _is_gone(answer: Answer) -> bool:
    """Whether what was asked about is not there: nothing that a second request would change, whatever the code is."""
    return bool(answer.status_code == requests.codes.not_found)
