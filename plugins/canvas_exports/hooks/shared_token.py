"""An access token that all processes of an Airflow share, renewed by one of them at a time.

Canvas keeps one access token for a refresh token: each refresh invalidates the previous access token in all processes. So the
current token is in an Airflow variable, and is renewed under a lease. The lease alone need not be safe: Canvas answers a
replaced token with 401; then the process reads the variable and repeats the request with the token in it. If two processes
refresh at once, or a process dies between the refresh and the write, one more refresh follows.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from asyncio import get_running_loop
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property

from airflow.sdk.log import mask_secret

from canvas_exports.core.canvas.auth.oauth import AccessToken, RefreshGrant
from canvas_exports.core.canvas.http.token_source import TokenSource, is_sendable
from canvas_exports.core.text.log_redaction import mask_secrets
from canvas_exports.errors import CanvasUnavailableError
from canvas_exports.hooks.lease import Lease, LeaseTiming, SharedTexts

# A token is renewed so many seconds before its end, or such a part of its lifetime if that is less.
_EARLIEST, _FRACTION = 60.0, 0.1
_NAME = "canvas_exports_access_token_"  # Airflow hides the values of variables with such names


@dataclass(frozen=True)
class _Shared:
    """The token as it is written in the variable."""

    value: str = field(repr=False)
    renew_at: float | None  # seconds since the epoch; None where it lasts

    @classmethod
    def issued(cls, token: AccessToken, asked_at: float) -> _Shared:
        if token.lifetime is None:
            return cls(token.value, None)
        return cls(token.value, asked_at + token.lifetime - min(_EARLIEST, token.lifetime * _FRACTION))

    @classmethod
    def read(cls, text: str) -> _Shared | None:
        try:
            document = json.loads(text)
            value, renew_at = document["access_token"], document["renew_at"]
            if not is_sendable(value):
                return None
            return cls(value, None if renew_at is None else float(renew_at))
        except (ValueError, LookupError, TypeError, AttributeError):
            return None

    def is_good(self, now: float) -> bool:
        return self.renew_at is None or now < self.renew_at

    def written(self) -> str:
        return json.dumps({"access_token": self.value, "renew_at": self.renew_at})


class SharedToken(TokenSource):
    """The access token of a refresh token, for every thread and event loop of this process, shared with other processes.

    Args:
        grant: the refresh token and its developer key.
        host: the origin of Canvas; with the grant, it identifies the shared token.
        texts: store of the token and the lease, seen by all processes.
        refresh: requests a new token from Canvas, within ``timing.duration``.
        timing: of the lease.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        grant: RefreshGrant,
        host: str,
        *,
        texts: SharedTexts,
        refresh: Callable[[], AccessToken],
        timing: LeaseTiming | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._identity = f"{host} {grant.client_id} {grant.refresh_token}"
        self._name = _NAME + hashlib.sha256(self._identity.encode()).hexdigest()[:16]
        self._texts, self._refresh, self._clock = texts, refresh, clock
        self._timing = timing or LeaseTiming()
        self._lease = Lease(texts, f"{self._name}_lease", timing=self._timing, clock=clock)
        self._renewing = threading.Lock()
        self._token: _Shared | None = None

    @property
    def identity(self) -> str:
        """Host, developer key and refresh token."""
        return self._identity

    def current(self) -> str | None:
        """Return the token, unless it is about to expire."""
        token = self._token
        return token.value if token is not None and token.is_good(self._clock()) else None

    def renew(self, rejected: str | None) -> None:
        """Read the token that another process has written, or refresh it."""
        with self._renewing:
            if self.current() not in (None, rejected):
                return
            deadline = time.monotonic() + 2 * self._timing.duration
            while not self._adopt(rejected):
                mine = self._lease.acquire()
                if mine is not None:
                    try:
                        if not self._adopt(rejected):
                            self._issue()
                    finally:
                        self._lease.release(mine)
                    return
                if time.monotonic() > deadline:
                    raise CanvasUnavailableError(
                        "other processes have been renewing the access token for too long"
                    )
                self._lease.wait()

    async def arenew(self, rejected: str | None) -> None:
        """Renew in one thread of its own, which all waiting coroutines share."""
        await get_running_loop().run_in_executor(self._executor, self.renew, rejected)

    def __repr__(self) -> str:
        return f"SharedToken({self._name!r})"

    @cached_property
    def _executor(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(1, thread_name_prefix="canvas-token")

    def _adopt(self, rejected: str | None) -> bool:
        text = self._texts.read(self._name)
        token = _Shared.read(text) if text is not None else None
        if token is None or token.value == rejected or not token.is_good(self._clock()):
            return False
        mask_secret(token.value)
        mask_secrets(token.value)
        self._token = token
        return True

    def _issue(self) -> None:
        asked_at = self._clock()
        token = self._refresh()
        mask_secret(token.value)
        self._token = _Shared.issued(token, asked_at)
        self._texts.write(
            self._name,
            self._token.written(),
            "The access token that canvas_exports shares among its processes. Safe to delete.",
        )


_shared: dict[Hashable, SharedToken] = {}
_shared_lock = threading.Lock()


def shared_token(key: Hashable, make: Callable[[], SharedToken]) -> SharedToken:
    """Return the shared token of this process for a key, made at its first use."""
    with _shared_lock:
        if key not in _shared:
            _shared[key] = make()
        return _shared[key]


def _forget() -> None:
    global _shared_lock  # noqa: PLW0603 -- a lock that another thread held at the fork can never be released
    _shared_lock = threading.Lock()
    _shared.clear()


# A forked child has none of its parent's threads, and possibly their locks held.
os.register_at_fork(after_in_child=_forget)
