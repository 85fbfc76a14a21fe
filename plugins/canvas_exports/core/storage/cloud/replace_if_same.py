"""Replace a small object only if it is still of the version that was read."""

from __future__ import annotations

from canvas_exports.core.storage.cloud.create_if_absent import Put
from canvas_exports.core.storage.cloud.errors import error_response_of
from canvas_exports.core.storage.cloud.retried_requests import (
    ObstoreRequests,
    is_not_supported,
    obstore_errors,
)
from canvas_exports.core.storage.store import Version
from canvas_exports.errors import AlreadyStoredError


class ConditionalReplace:
    """Replace by conditional requests (``If-Match``), and without a condition where a store refuses them.

    The caller compares the version first. Where a store refuses or ignores the condition, another writer may come between
    that look and the write. Used by several threads at once.

    Args:
        requests: repeats what may pass.
        put: stores.

    Attributes:
        supported: whether the store takes such requests, as far as known.
    """

    def __init__(self, requests: ObstoreRequests, put: Put) -> None:
        self._requests = requests
        self._put = put
        self.supported = True

    def replace(self, key: str, data: bytes, version: Version) -> None:
        """Replace. ``AlreadyStoredError`` if the store has another version."""
        self._requests.ask("store", key, lambda: self._try(key, data, version))

    def _try(self, key: str, data: bytes, version: Version) -> None:
        from obstore import exceptions  # noqa: PLC0415 - native code, loaded only for such a store

        if not self.supported:
            self._put(key, data)
            return
        try:
            known = {"e_tag": version[0], "version": version[1]}
            self._put(key, data, mode={name: value for name, value in known.items() if value is not None})
        except exceptions.PreconditionError:
            raise AlreadyStoredError("it has been replaced meanwhile", key=key) from None
        except obstore_errors() as error:
            if not (error_response_of(error).may_concern_condition or is_not_supported(error)):
                raise
            self._put(key, data)
            self.supported = False
