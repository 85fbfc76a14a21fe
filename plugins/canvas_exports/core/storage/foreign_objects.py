"""What lies below an archive's root and is none of its objects: it is passed over, whatever it is called."""

from __future__ import annotations

import logging
import threading

from canvas_exports.core.storage.object_keys import is_key
from canvas_exports.core.storage.temporary_names import whole_name
from canvas_exports.foreign_text import harmless

log = logging.getLogger(__name__)

NAMED = 20  # of one store; a bucket may hold a million of them


class Foreign:
    """The one definition of which keys ``Store.list`` yields, and the telling of all others.

    A key is an object's of the archive if it is a legal one (``keys.check_key``) and not a temporary name. So a key with an
    empty segment, ``.``, ``..``, a control character, a slash at its end, or any character that ours never hold is passed
    over: it is never read and never deleted. It is told in the log, once for each store that is opened. Used by several
    threads at once.

    Args:
        uri: the archive's root.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._told: set[str] = set()
        self._lock = threading.Lock()

    def admits(self, key: str) -> bool:
        """Whether an object is one of the archive's, by its key below the root. If not, it has been told."""
        if not key or whole_name(key) is not None:
            return False
        if is_key(key):
            return True
        self.tell(key, "its name is no key of an archive")
        return False

    def tell(self, name: str, why: str) -> None:
        """Tell once that something is left alone."""
        with self._lock:
            if name in self._told or len(self._told) > NAMED:
                return
            self._told.add(name)
            last = len(self._told) > NAMED
        if last:
            log.warning("%s: more is left alone than these %d names", self._uri, NAMED)
        else:
            log.warning(
                "%s: '%s' is left alone, neither read nor deleted: %s", self._uri, harmless(name), why
            )
