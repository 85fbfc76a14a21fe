"""Uploads in parts that were left behind on S3 or GCS: invisible, but billed until they are aborted."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any, TypeVar

from canvas_exports.core.storage.cloud.error_codes import ErrorResponse
from canvas_exports.core.storage.cloud.listings import Pages, Place
from canvas_exports.core.storage.cloud.sdk import SdkRequests
from canvas_exports.errors import ArchiveError, ArchiveUnavailableError, ObjectNotFoundError

log = logging.getLogger(__name__)

Result = TypeVar("Result")


@dataclass(frozen=True)
class Upload:
    """One unfinished upload: its name in the bucket, its id, and when it began (UTC); ``None`` where the store does not list it."""

    name: str
    id: str
    began: datetime | None


class UnfinishedUploads(SdkRequests, ABC):
    """The unfinished uploads of an archive.

    An upload is left alone if the store does not list its name, its id and its beginning.
    """

    def sweep(self, older_than: timedelta, owns: Callable[[str], bool] = lambda _: True) -> list[str]:
        """Abort those below the root that began longer ago than given. Returns the keys they were for.

        Raises:
            ArchiveDeniedError: no credentials, or no right to list or abort uploads (permanent).
            ArchiveUnavailableError: the store failed, or its list ended early: what it listed has been aborted (retryable).
        """
        youngest = datetime.now(timezone.utc) - older_than
        return self._abort("", lambda key, began: began <= youngest and owns(key))

    def abort(self, key: str, since: datetime) -> None:
        """Abort what is left of an upload to one key that began at a time or later; what cannot be is for ``sweep``."""
        with suppress(ArchiveError):
            self._abort(key, lambda other, began: other == key and began >= since)

    def refusal(self, key: str, since: datetime) -> ErrorResponse | None:
        """Return why a part of an upload to a key is refused, by sending another part of an upload that began since a time.

        It is for an error that says only that the upload could not be aborted. ``None``: it is not known.
        """
        with suppress(ArchiveError):
            for upload, began in self._uploads(self._root + key):
                if upload.name == self._root + key and began >= since:
                    refusal = self._try_part(upload)
                    return refusal if refusal is not None and refusal.is_specific else None
        return None

    @abstractmethod
    def _page(self, prefix: str, place: Place) -> tuple[list[Upload], Place | None]:
        """Return the uploads from a place on, and where the list goes on; ``None`` at its end."""

    @abstractmethod
    def _end(self, upload: Upload) -> None:
        """Abort one upload."""

    @abstractmethod
    def _try_part(self, upload: Upload) -> ErrorResponse | None:
        """Send a part of an upload and return how it is refused."""

    def _send(self, request: Callable[[Any], Result]) -> Result:
        advice = "set a lifecycle rule that ends unfinished uploads"
        result: Result = self._sdk.call("list or abort unfinished uploads", request, advice=advice)
        return result

    def _abort(self, prefix: str, chosen: Callable[[str, datetime], bool]) -> list[str]:
        dead: list[Upload] = []
        failure: ArchiveUnavailableError | None = None
        try:
            for upload, began in self._uploads(self._root + prefix):
                if chosen(upload.name.removeprefix(self._root), began):
                    dead.append(upload)
        except ArchiveUnavailableError as error:
            failure = error  # what was listed until then can go
        for upload in dead:
            with suppress(ObjectNotFoundError):  # ended meanwhile
                self._end(upload)
        if failure is not None:
            raise failure
        return [upload.name.removeprefix(self._root) for upload in dead]

    def _uploads(self, prefix: str) -> Iterator[tuple[Upload, datetime]]:
        """Yield each upload below a prefix whose age is known, and when it began."""
        ageless = 0
        pages = Pages("the store's list of unfinished uploads does not go on where it ended")
        try:
            for uploads in pages.read(partial(self._page, prefix), lambda upload: (upload.name, upload.id)):
                for upload in uploads:
                    if not upload.name.startswith(prefix) or not upload.id:
                        continue
                    if upload.began is None:
                        ageless += 1
                        continue
                    yield upload, upload.began
        except ObjectNotFoundError:
            return
        if ageless:
            log.warning(
                "the store does not report when %d unfinished uploads to %s began: they are left alone",
                ageless,
                self._sdk.uri,
            )
