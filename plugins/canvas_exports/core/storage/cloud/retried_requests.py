"""Requests through obstore: retries that it does not make by itself, and its errors translated to the archive's."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from canvas_exports.core.model.backoff import backoff_delays
from canvas_exports.core.storage.cloud.errors import error_response_of, ours, was_never_sent

Answer = TypeVar("Answer")


def obstore_errors() -> tuple[type[Exception], ...]:
    """Return the types of the exceptions that obstore raises."""
    from obstore import exceptions  # noqa: PLC0415 - native code, loaded only for such a store

    return (exceptions.BaseError, OSError, NotImplementedError)


def is_not_supported(error: Exception) -> bool:
    """Return whether obstore itself cannot make such a request."""
    from obstore import exceptions  # noqa: PLC0415 - as above

    return isinstance(error, exceptions.NotSupportedError | NotImplementedError)


class ObstoreRequests:
    """Carry out the requests of one store.

    Args:
        uri: the archive's root, for messages.
        retries: how often a request is repeated.
    """

    def __init__(self, uri: str, retries: int) -> None:
        self.uri = uri
        self._retries = retries

    def ask(self, action: str, key: str, request: Callable[[], Answer], *, alone: bool = False) -> Answer:
        """Carry out one request; repeat it after a temporary error that obstore does not retry by itself.

        Args:
            action: a verb, for messages.
            key: of the object.
            request: carries it out.
            alone: obstore repeats nothing of it.

        Raises:
            ArchiveError: see ``errors.ours``.
        """
        for pause in backoff_delays(self._retries):
            try:
                return request()
            except obstore_errors() as error:
                refusal = error_response_of(error)
                again = refusal.is_temporary or was_never_sent(error) if alone else refusal.is_retried_by_us
                if pause is None or not again:
                    raise ours(error, self.uri, action, key) from None
            time.sleep(pause)
        raise AssertionError("the last of the backoff_delays is none")

    @contextmanager
    def translated(self, action: str, key: str) -> Iterator[None]:
        """Raise obstore's errors as ours; nothing is repeated."""
        from obstore import exceptions  # noqa: PLC0415 - as above

        try:
            yield
        except (exceptions.BaseError, OSError) as error:
            raise ours(error, self.uri, action, key) from None
