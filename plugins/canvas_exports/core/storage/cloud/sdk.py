"""Requests through a cloud's own SDK: repeated while a failure is temporary, their errors translated to the archive's."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import ExitStack
from importlib.util import find_spec
from typing import Any, TypeVar

from canvas_exports.core.model.backoff import backoff_delays
from canvas_exports.core.storage.cloud.error_codes import ErrorResponse, FailedRequestError
from canvas_exports.core.storage.cloud.errors import no_bucket
from canvas_exports.core.storage.options import StoreOptions
from canvas_exports.core.storage.store import not_found
from canvas_exports.errors import ArchiveDeniedError, ArchiveError

Result = TypeVar("Result")

#: Seconds to wait for a connection, and for the next bytes of a response.
CONNECT_TIMEOUT, READ_TIMEOUT = 10, 60

_NOT_FOUND = 404
_NO_BUCKET = ("nosuchbucket", "containernotfound")
_UNSUPPORTED = (400, 405, 409, 501)


class Sdk(ABC):
    """The client of one bucket, shared by all threads; the clients of the three SDKs allow that.

    It is made by the first request, so that an archive that never needs it does not import the SDK. The SDK's own retries
    are switched off: one policy decides for all clouds, by status and code.

    Args:
        uri: the archive's root, for messages.
        options: of the archive's connection.
    """

    def __init__(self, uri: str, options: StoreOptions) -> None:
        self.uri = uri
        self._options = options
        self._opened = ExitStack()
        self._lock = threading.Lock()
        self._made: Any = None

    def call(
        self, action: str, request: Callable[[Any], Result], key: str = "", *, advice: str = ""
    ) -> Result:
        """Send one request, and again while its failure is temporary.

        Args:
            action: a verb, for messages.
            request: sends it, given the SDK's client.
            key: of the object that the request is about.
            advice: the end of the message if the store does not offer what is asked for.

        Raises:
            ObjectNotFoundError: there is no such object (permanent).
            ArchiveDeniedError: no credentials, no right, no bucket, or not offered (permanent).
            ArchiveUnavailableError: the store failed or did not answer (retryable).
            ArchiveError: the store refuses the request for another reason.
        """
        try:
            return self._repeat(request)
        except FailedRequestError as error:
            raise self._translated(error.failure, action, key, advice) from None

    def refusal(self, request: Callable[[Any], object]) -> ErrorResponse | None:
        """Send one request and return how the store refuses it. ``None``: it does not, or there is no response."""
        try:
            self._repeat(request)
        except FailedRequestError as error:
            return error.failure if isinstance(error.failure, ErrorResponse) else None
        return None

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            self._opened.close()

    @abstractmethod
    def _connect(self) -> Any:
        """Make the SDK's client, and have ``_opened`` close it. Opens no connection."""

    @abstractmethod
    def _failure(self, error: Exception) -> ErrorResponse | ArchiveError | None:
        """Read an error of the SDK: what the store answered, or why there is no answer. ``None``: it is not the SDK's."""

    def _repeat(self, request: Callable[[Any], Result]) -> Result:
        for pause in backoff_delays(self._options.retries):
            try:
                return request(self._client())
            except ArchiveError:
                raise
            except Exception as error:
                failure = error.failure if isinstance(error, FailedRequestError) else self._failure(error)
                if failure is None:
                    raise
                if pause is None or not _is_temporary(failure):
                    raise FailedRequestError(failure) from None
            time.sleep(pause)
        raise AssertionError("the last delay is none")

    def _client(self) -> Any:
        with self._lock:
            if self._made is None:
                self._made = self._connect()
            return self._made

    def _translated(
        self, failure: ErrorResponse | ArchiveError, action: str, key: str, advice: str
    ) -> ArchiveError:
        if isinstance(failure, ArchiveError):
            return type(failure)(f"cannot {action} in {self.uri}: {failure}", key=key or None)
        if failure.status == _NOT_FOUND:
            missing = (failure.code or "").lower() in _NO_BUCKET
            if missing or action == "list":
                return ArchiveDeniedError(no_bucket(self.uri, action), key=key or None)
            return not_found(key)
        if advice and failure.status in _UNSUPPORTED and not failure.is_temporary:
            return ArchiveDeniedError(
                f"cannot {action} in {self.uri}: {failure.detail}; {advice}", key=key or None
            )
        return failure.error(self.uri, action, key or None)


class SdkRequests:
    """Requests of one kind, about objects below an archive's root.

    Args:
        sdk: the client of the bucket.
        path: of the archive's root in it.
    """

    def __init__(self, sdk: Sdk, path: str) -> None:
        self._sdk: Any = sdk
        self._root = f"{path}/" if path else ""


def _is_temporary(failure: ErrorResponse | ArchiveError) -> bool:
    if isinstance(failure, ArchiveError):
        return failure.retryable
    return failure.status != _NOT_FOUND and failure.is_temporary


def is_installed(package: str) -> bool:
    """Return whether a package of an extra can be imported."""
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # of a package above it
        return False
