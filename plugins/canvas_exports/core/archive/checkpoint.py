"""Keep the state of a task as a document of the archive, where Airflow has no store for it.

::

    runs/2026-11-23/nightly/manual__2026-11-23/state/export-3.json

An attempt of the task may still run when Airflow starts the next one: its machine was cut off for a while. So each writer
enters a claim in the document, and replaces the document only if its own claim is the newest. A writer that finds a newer
claim stops. In a store with conditional writes no document of another writer is ever replaced. In one without, the older
writer may replace a newer document in the instant between its look and its write: the newer writer finds that at its next
write, and replaces it. If it is killed before that, the next attempt starts from the older state, and asks Canvas for the
exports that it does not know.

The document is private to the package: it has no published schema, and only the task that wrote it reads it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from canvas_exports.core.archive.json_documents import encoded, parse, read_bytes
from canvas_exports.core.archive.layout import run_folder
from canvas_exports.core.model.runs import RunInfo
from canvas_exports.core.storage.buffers import MiB
from canvas_exports.core.storage.store import Store, Version
from canvas_exports.errors import AlreadyStoredError, ArchiveUnavailableError, UnreadableDocumentError

FOLDER = "state/"

_MAX_BYTES = MiB
_NOUN = "state of a task"
_ROUNDS = 5  # as often is a document looked at again that changes all the time

Claim = tuple[int, int, str]


class SupersededError(Exception):
    """Another attempt of the task has taken over. This one stops, and writes no report.

    Not a ``CanvasExportsError``: what follows those, saving the state once more, is not for this attempt.
    """


def checkpoint_key(run: RunInfo) -> str:
    """Return the key of the state of a task."""
    return f"{run_folder(run.date, run.dag_id, run.run_id)}{FOLDER}{run.part}.json"


class ArchiveCheckpoint:
    """The state of one task in an archive. Used by one thread.

    Args:
        store: the archive.
        run: the task and its attempt.
    """

    def __init__(self, store: Store, run: RunInfo) -> None:
        self._store = store
        self._key = checkpoint_key(run)
        self._try_number = run.try_number
        self._claim: Claim | None = None

    def load(self) -> Any:
        """Return the saved state; ``None`` if there is none. A document that cannot be read is an empty state.

        Raises:
            SupersededError: a later attempt has taken over.
            ArchiveError: the archive cannot be read.
        """
        _, found = self._look()
        count = 0 if found is None else _claim_of(found)[1]
        self._claim = (self._try_number, count + 1, secrets.token_hex(8))
        return None if found is None else found.get("state", {})

    def save(self, state: Mapping[str, Any]) -> None:
        """Replace the saved state; only after ``load``.

        Raises:
            SupersededError: another attempt has taken over.
            ArchiveError: the archive cannot be written to.
        """
        assert self._claim is not None
        document = encoded({"claim": list(self._claim), "state": state})
        for _ in range(_ROUNDS):
            version, _ = self._look()
            try:
                self._store.replace_version(self._key, document, version)
            except AlreadyStoredError:
                continue  # of somebody else, or our own where the answer was lost
            return
        raise ArchiveUnavailableError(
            "another program writes the state of this task all the time", key=self._key
        )

    def _look(self) -> tuple[Version | None, Mapping[str, Any] | None]:
        """Return version and content of the document, unless another attempt has taken over."""
        version = self._store.version(self._key)
        if version is None:
            return None, None
        try:
            found = parse(read_bytes(self._store, self._key, _MAX_BYTES), _NOUN, key=self._key)
        except UnreadableDocumentError:
            found = {}
        content = found if isinstance(found, Mapping) else {}
        claim = _claim_of(content)
        if self._claim is None:
            superseded = claim[0] > self._try_number
        else:  # of two with the same numbers, the one whose document is there goes on
            superseded = claim[:2] > self._claim[:2] or (
                claim[:2] == self._claim[:2] and claim[2] != self._claim[2]
            )
        if superseded:
            raise SupersededError(
                f"attempt {claim[0]} of this task has taken over from attempt {self._try_number}, which stops here"
            )
        return version, content


def _claim_of(document: Mapping[str, Any]) -> Claim:
    """Return the claim in a document; the lowest if it cannot be read."""
    claim = document.get("claim")
    if isinstance(claim, list) and [type(each) for each in claim] == [int, int, str]:
        return claim[0], claim[1], claim[2]
    return 0, 0, ""
