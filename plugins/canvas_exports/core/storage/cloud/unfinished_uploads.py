"""Uploads in parts that were left behind on S3 or GCS: invisible, but billed until somebody aborts them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import requests

from canvas_exports.core.storage.cloud.error_codes import Refusal
from canvas_exports.core.storage.cloud.list_pages import Pages
from canvas_exports.core.storage.cloud.listings import moment
from canvas_exports.core.storage.cloud.signed_requests import Answer, Rest
from canvas_exports.core.storage.cloud.xml_lists import Row, read_list
from canvas_exports.errors import ArchiveError, ArchiveUnavailableError

log = logging.getLogger(__name__)

_NOT_OFFERED = (requests.codes.not_allowed, requests.codes.not_implemented)
_ACTION = "list or abort unfinished uploads"


@dataclass(frozen=True)
class Upload:
    """One unfinished upload: for which key below the root, its number, and when it began (UTC)."""

    key: str
    id: str
    began: datetime


class UnfinishedUploads:
    """The unfinished uploads of an archive.

    Rests on ``GET /<bucket>?uploads`` and ``DELETE /<bucket>/<key>?uploadId=``, which S3 and GCS have in common. An upload of
    which the store does not tell the key, the number and the beginning is left alone.

    Args:
        rest: where to ask.
        path: of the archive's root in its bucket.
    """

    def __init__(self, rest: Rest, path: str) -> None:
        self._rest = rest
        self._root = f"{path}/" if path else ""

    def sweep(self, older_than: timedelta, owns: Callable[[str], bool] = lambda _: True) -> list[str]:
        """Abort those below the root that began longer ago than given. Returns the keys they were for.

        Raises:
            ArchiveDeniedError: no keys, or no right to list or abort uploads (permanent).
            ArchiveUnavailableError: the store failed, or its list ended early: what it listed has been aborted (retryable).
        """
        youngest = datetime.now(timezone.utc) - older_than
        return self._abort("", lambda upload: upload.began <= youngest and owns(upload.key))

    def abort(self, key: str, since: datetime) -> None:
        """Abort what is left of an upload to one key that began at a time or later; what cannot be is for ``sweep``."""
        with suppress(ArchiveError):
            self._abort(key, lambda upload: upload.key == key and upload.began >= since)

    def refusal(self, key: str, since: datetime) -> Refusal | None:
        """Why a part of an upload to a key is refused, if one is left that began at a time or later: another part is tried.

        For who was told only that the upload could not be aborted. ``None``: it is not known.
        """
        with suppress(ArchiveError):
            for upload in self._uploads(self._root + key):
                if upload.key == key and upload.began >= since:
                    path = f"{self._rest.bucket}/{self._root}{key}"
                    part = {"partNumber": "2", "uploadId": upload.id}
                    answer = self._rest.ask("PUT", path, part, body=b"-")
                    return answer.refusal if answer.refusal.is_telling and not answer.ok else None
        return None

    def _abort(self, prefix: str, chosen: Callable[[Upload], bool]) -> list[str]:
        dead: list[Upload] = []
        failure: ArchiveUnavailableError | None = None
        try:
            dead.extend(filter(chosen, self._uploads(self._root + prefix)))
        except ArchiveUnavailableError as error:
            failure = error  # what was listed until then can go
        for upload in dead:
            path = f"{self._rest.bucket}/{self._root}{upload.key}"
            answer = self._rest.send("DELETE", path, {"uploadId": upload.id}, action=_ACTION)
            if answer.status_code != requests.codes.not_found:  # somebody else was quicker
                _expect(answer)
        if failure is not None:
            raise failure
        return [upload.key for upload in dead]

    def _uploads(self, prefix: str) -> Iterator[Upload]:
        place: Row = {}
        ageless = 0
        pages = Pages("the store's list of unfinished uploads does not go on where it ended")
        while True:
            page = {"prefix": prefix, "uploads": "", "encoding-type": "url", **place}
            answer = self._rest.send("GET", self._rest.bucket, page, action=_ACTION)
            if answer.status_code in (requests.codes.bad_request, requests.codes.not_implemented):
                del page["encoding-type"]
                answer = self._rest.send("GET", self._rest.bucket, page, action=_ACTION)
            if answer.status_code == requests.codes.not_found:
                return
            if answer.status_code in _NOT_OFFERED:
                raise ArchiveError(
                    f"{self._rest.place} does not list unfinished uploads (HTTP {answer.status_code}): "
                    "set a lifecycle rule that ends them"
                )
            rows, beside = read_list(_expect(answer).content, "Upload")
            pages.begin((rows[0].get("Key", ""), rows[0].get("UploadId", "")) if rows else None)
            for row in rows:
                began = moment(row.get("Initiated"))
                if not row.get("Key", "").startswith(prefix) or not row.get("UploadId"):
                    continue
                if began is None:
                    ageless += 1
                    continue
                yield Upload(row["Key"].removeprefix(self._root), row["UploadId"], began)
            if beside.get("IsTruncated", "").lower() != "true":
                break
            place = _following(rows, beside) or place
            pages.go_on(place)
        if ageless:
            log.warning(
                "the store does not tell when %d unfinished uploads to %s began: they are left alone",
                ageless,
                self._rest.place,
            )


def _following(rows: list[Row], beside: Row) -> Row | None:
    """Where the list goes on: where the store says, or else after the last upload that it named."""
    last = rows[-1] if rows else {}
    if key := beside.get("NextKeyMarker"):
        upload_id = beside.get("NextUploadIdMarker")
    else:
        key, upload_id = last.get("Key"), last.get("UploadId")
    return {"key-marker": key, **({"upload-id-marker": upload_id} if upload_id else {})} if key else None


def _expect(answer: Answer) -> Answer:
    if not answer.ok:
        raise ArchiveUnavailableError(f"the store answered HTTP {answer.status_code}")
    return answer
