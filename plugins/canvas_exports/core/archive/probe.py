"""Check that an archive can be written to, and read its clock."""

from __future__ import annotations

import logging
import re
import secrets
import time
from contextlib import suppress
from datetime import datetime, timedelta, timezone

from canvas_exports.core.model.backoff import backoff_delays
from canvas_exports.core.storage.store import PROBE_TEXT, Store
from canvas_exports.errors import (
    ArchiveError,
    ArchiveUnavailableError,
    ObjectNotFoundError,
)

log = logging.getLogger(__name__)

#: How the names of objects begin that are written and deleted again: to see whether an archive can be written to and what
#: time it is there. Each has a name of its own; earlier releases had this one name for all.
PROBE = ".canvas-exports-probe"
_TRIES_AGAIN = 2
_PROBES = re.compile(rf"{re.escape(PROBE)}(?:-[0-9a-f]{{32}}(?:\.json|\.zip))?")


def probe_key(suffix: str) -> str:
    """Return a key for one probe, which no other task uses: ``.json`` for a document, ``.zip`` for a package."""
    return f"{PROBE}-{secrets.token_hex(16)}{suffix}"


def is_probe(key: str) -> bool:
    """Return whether it is the name of a probe, of this release or an earlier one."""
    return _PROBES.fullmatch(key) is not None


def check_writable(store: Store) -> None:
    """Check, before anything is created in Canvas, that packages can be stored: with the operations that store them.

    One tiny object is stored as a manifest is and one as a large package is, both under names that no other task uses. They
    are looked up, listed, read in part and deleted. Afterwards the store knows what it can do (``Store.probe_capabilities``). A store
    that forbids deleting is fine; the probes then stay, for a later sweep or a lifecycle rule.

    Raises:
        ArchiveDeniedError: no credentials, no such bucket, no right to write, or no locks where the archive's
            connection asks for them (permanent).
        ArchiveUnavailableError: the store cannot be reached, or does not give back what it was given (retryable).
        ArchiveError: the store does not offer what it takes (permanent).
    """
    store.check_locks()
    small = probe_key(".json")
    stored = []
    try:
        store.probe_capabilities(small)
        stored.append(small)
        large = _put_large(store)
        stored.append(large)
        try:
            given = store.read(large, len(PROBE_TEXT), 7)
        except ObjectNotFoundError:
            raise ArchiveUnavailableError(
                "the store does not find what it has just been given: an archive needs one that is consistent at once",
                key=large,
            ) from None
        if given != PROBE_TEXT[:7]:
            raise ArchiveUnavailableError("the store gives back other bytes than it was given", key=large)
        next(iter(store.list(small)), None)
    finally:
        for key in stored:  # what a lost response has left is swept later
            with suppress(ArchiveError):  # an earlier error is the one to report
                store.delete(key)


def _put_large(store: Store) -> str:
    """Store as large packages are; what may pass is tried again, as the small object has shown that the store is there."""
    for pause in backoff_delays(_TRIES_AGAIN):
        key = probe_key(".zip")
        try:
            store.put(key, iter((PROBE_TEXT, PROBE_TEXT)))
        except ArchiveUnavailableError:
            if pause is None:
                raise
            time.sleep(pause)
        else:
            return key
    raise AssertionError("the last of the backoff_delays is none")


_CLOCKS_AGREE = timedelta(minutes=5)


def time_of(store: Store) -> datetime:
    """Return the time in the store; the worker's, if that is earlier."""
    probe = probe_key(".json")
    here = datetime.now(timezone.utc)
    store.put_if_absent(probe, PROBE_TEXT)
    info = store.stat(probe)
    with suppress(ArchiveError):  # it is swept later
        store.delete(probe)
    if info is None:
        raise ArchiveUnavailableError("the archive does not show the time of a new object")
    if abs(info.modified - here) > _CLOCKS_AGREE:
        log.warning("by the archive's clock it is %s, by the worker's %s", info.modified, here)
    return min(info.modified, here)
