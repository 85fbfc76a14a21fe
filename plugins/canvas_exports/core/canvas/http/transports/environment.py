"""Read proxies and certificate authorities from the environment, and never credentials.

Both HTTP libraries would also read passwords from ``.netrc`` if they were set to trust the environment, and send them in place
of the token. So they are not, and this module looks up proxies and authorities for both.
"""

from __future__ import annotations

import os
import ssl
from typing import Literal
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import certifi

from canvas_exports.errors import InputError


class Proxies:
    """The proxy for each host, by ``HTTPS_PROXY``, ``HTTP_PROXY``, ``ALL_PROXY`` and ``NO_PROXY``.

    Looked up at the first request to a host: reading the environment costs more than a small response.
    """

    def __init__(self) -> None:
        self._known: dict[str, str | None] = {}

    def of(self, url: str) -> str | None:
        """Return the proxy for a URL, or ``None``."""
        origin = "/".join(url.split("/", 3)[:3])
        if origin not in self._known:
            self._known[origin] = _look_up(origin)
        return self._known[origin]


def _look_up(origin: str) -> str | None:
    parts = urlsplit(origin)
    scheme, host = parts.scheme, parts.netloc.rpartition("@")[2]
    proxies = getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    if not proxy or not host or proxy_bypass(host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def authorities(verify: bool | str) -> bool | str:
    """Return the file or folder of the certificate authorities, or ``False`` to trust every certificate.

    ``True`` stands for ``REQUESTS_CA_BUNDLE`` or ``CURL_CA_BUNDLE`` where one is set, else for those of certifi.

    Raises:
        InputError: there is no such file.
    """
    if verify is False:
        return False
    path = (
        verify
        if isinstance(verify, str)
        else os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    )
    if path and not os.path.exists(path):  # noqa: PTH110 -- the libraries want the text as it is
        raise InputError(
            "verify", f"{path!r} does not exist", accepted="true, false, or the file of an authority"
        )
    return path or certifi.where()


def tls_context(authority: bool | str) -> ssl.SSLContext | Literal[False]:
    """Load what ``authorities`` returned. Reads a file: call it off the event loop."""
    if authority is False:
        return False
    path = str(authority)
    if os.path.isdir(path):  # noqa: PTH112 -- as above
        return ssl.create_default_context(capath=path)
    return ssl.create_default_context(cafile=path)
