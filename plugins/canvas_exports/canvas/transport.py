"""Sending over ``requests``: verbatim, without redirects, cookies, ``.netrc`` or retries of its own."""

from __future__ import annotations

import logging
import re
import ssl
import traceback
from contextlib import suppress
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

from canvas_exports.canvas.environment import Proxies, authorities
from canvas_exports.canvas.wire import Answer, Fault, Outgoing, Reply, lower_case

_HOSTS = 8  # Canvas, its files domain, storage
_CONNECTIONS = (
    32  # per host: requests in flight and packages under way; a smaller pool halves throughput over TLS
)
_LARGEST_ERROR_BODY = 64 * 1024
_OK, _REDIRECT = 200, 300
_EARLY = (
    requests.ConnectTimeout,
    requests.exceptions.InvalidURL,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ProxyError,
)


class Transport:
    """A pool of connections. Threads may share it."""

    def __init__(self, *, verify: bool | str = True, connect_timeout: float, read_timeout: float) -> None:
        self._verify = authorities(verify)
        self._timeout = (connect_timeout, read_timeout)
        self._proxies = Proxies()
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.clear()
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = HTTPAdapter(pool_connections=_HOSTS, pool_maxsize=_CONNECTIONS)
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, adapter)
        if self._verify is False:
            # Somebody asked for it; one warning per request would drown the log.
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    def send(self, outgoing: Outgoing) -> Reply:
        """Send, and read the answer; with ``stream``, leave the body of a 2xx answer unread.

        What goes wrong comes back as a ``Fault``, not as an exception: those of the library hold whole URLs.
        """
        proxy = self._proxies.of(outgoing.url)
        try:
            response = self._session.send(
                self._prepare(outgoing),
                stream=outgoing.stream,
                timeout=self._timeout,
                verify=self._verify,
                proxies={"all": proxy} if proxy else {},
                allow_redirects=False,
            )
            headers = lower_case((name, _utf8(value)) for name, value in response.headers.items())
            if not outgoing.stream:
                return Answer(response.status_code, headers, response.content)
            if _OK <= response.status_code < _REDIRECT:
                return Answer(response.status_code, headers, stream=_Body(response))
            with response:
                body = response.raw.read(_LARGEST_ERROR_BODY, decode_content=True)
                return Answer(response.status_code, headers, body)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            return _fault(error)

    def close(self) -> None:
        """Close every idle connection."""
        self._session.close()

    def _prepare(self, outgoing: Outgoing) -> requests.PreparedRequest:
        request = requests.Request(outgoing.method, outgoing.url, dict(outgoing.headers), data=outgoing.body)
        prepared = self._session.prepare_request(request)
        prepared.url = outgoing.url  # requests decodes %2E, and may rewrite what a storage host has signed
        return prepared


class _Body:
    """The rest of a response, as a ``Stream``."""

    def __init__(self, response: requests.Response) -> None:
        self._response = response

    def readinto(self, target: memoryview) -> int:
        with suppress(urllib3.exceptions.HTTPError):
            return int(self._response.raw.readinto(target))
        # Outside the handler: the library's error holds the URL and must not hang on ours.
        raise ConnectionError("the connection broke")

    def close(self) -> None:
        self._response.close()


class _WithoutQueries(logging.Filter):
    """Takes the query out of every URL that urllib3 logs at level DEBUG: it may be a signature."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                re.sub(r"\?.*", "?...", arg) if isinstance(arg, str) else arg for arg in record.args
            )
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_WithoutQueries())


def _utf8(value: str) -> str:
    """A header as what it nearly always is; http.client reads every one as Latin-1."""
    return value.encode("latin-1", "replace").decode("utf-8", "replace")


def _fault(error: BaseException) -> Fault:
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return Fault.UNTRUSTED
    unsent = any(isinstance(cause, _EARLY) or _in_handshake(cause) for cause in causes)
    return Fault.NOT_SENT if unsent else Fault.LOST


def _in_handshake(error: BaseException) -> bool:
    """Whether TLS was still being agreed on; the libraries raise the same types then as in mid-request."""
    return any(frame.f_code.co_name == "do_handshake" for frame, _ in traceback.walk_tb(error.__traceback__))


def _causes(error: Any) -> list[BaseException]:
    """The error and what it wraps; the libraries hide the reason in arguments rather than in ``__cause__``."""
    found: list[BaseException] = []
    waiting = [error]
    while waiting:
        current = waiting.pop()
        if isinstance(current, BaseException) and current not in found:
            found.append(current)
            waiting += [
                *current.args,
                getattr(current, "reason", None),
                current.__cause__,
                current.__context__,
            ]
    return found
