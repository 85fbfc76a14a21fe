"""Skip objects below an archive's root that do not belong to the archive, and report them in the log."""

from __future__ import annotations

import logging
import threading

from canvas_exports.core.storage.object_keys import is_key
from canvas_exports.core.storage.temporary_names import final_name
from canvas_exports.foreign_text import harmless

log = logging.getLogger(__name__)

NAMED = 20  # of one store; a bucket may hold a million of them


class ForeignObjects:
    """Define which keys ``Store.list`` yields; report all others in the log. Thread-safe.

    A key is one of the archive if it is legal (``object_keys.check_key``) and not a temporary name. So a key with an empty
    segment, ``.``, ``..``, a control character, a slash at its end, or any character that no archive key has, is skipped: it
    is never read and never deleted. Each is reported once for each store that is opened.

    Args:
        uri: the archive's root.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._reported: set[str] = set()
        self._lock = threading.Lock()

    def accepts(self, key: str) -> bool:
        """Return whether the key below the root is one of the archive. Reports a key that is not, temporary names excepted."""
        if not key or final_name(key) is not None:
            return False
        if is_key(key):
            return True
        self.report(key, "its name is no key of an archive")
        return False

    def opens(self, folder: str, prefix: str) -> bool:
        """Return whether a listing of the keys with a prefix opens a folder. Reports a folder that no key can lie in."""
        if not (f"{folder}/".startswith(prefix) or prefix.startswith(f"{folder}/")):
            return False
        if is_key(folder):
            return True
        self.report(f"{folder}/", "its name is no key of an archive")
        return False

    def report(self, name: str, why: str) -> None:
        """Log once that an object is left alone."""
        with self._lock:
            if name in self._reported or len(self._reported) > NAMED:
                return
            self._reported.add(name)
            last = len(self._reported) > NAMED
        if last:
            log.warning("%s: more is left alone than these %d names", self._uri, NAMED)
        else:
            log.warning(
                "%s: '%s' is left alone, neither read nor deleted: %s", self._uri, harmless(name), why
            )
