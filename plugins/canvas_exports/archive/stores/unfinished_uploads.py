"""Uploads in parts that were left behind on S3 or GCS: invisible, but billed until somebody aborts them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from xml.parsers import expat

import requests

from canvas_exports.archive.stores.rest import Rest
from canvas_exports.errors import ArchiveError, ArchiveUnavailableError

_ACTION = "list or abort unfinished uploads"


class UnfinishedUploads:
    """The unfinished uploads of an archive.

    Rests on ``GET /<bucket>?uploads`` and ``DELETE /<bucket>/<key>?uploadId=``, which S3 and GCS have in common.

    Args:
        rest: where to ask.
        bucket: its name.
        path: of the archive's root in it.
    """

    def __init__(self, rest: Rest, bucket: str, path: str) -> None:
        self._rest = rest
        self._bucket = bucket
        self._root = f"{path}/" if path else ""

    def sweep(self, older_than: timedelta, owns: Callable[[str], bool] = lambda _: True) -> list[str]:
        """Abort those below the root that began longer ago than given. Returns the keys they were for.

        Raises:
            ArchiveDeniedError: no keys, or no right to list or abort uploads (permanent).
            ArchiveUnavailableError: the store failed (retryable).
        """
        youngest = datetime.now(timezone.utc) - older_than
        return self._abort("", lambda key, began: began <= youngest and owns(key))

    def abort(self, key: str, since: datetime) -> None:
        """Abort what is left of an upload to one key that began at a time or later; what cannot be is for ``sweep``."""
        with suppress(ArchiveError):
            self._abort(key, lambda found, began: found == key and began >= since)

    def _abort(self, key: str, chosen: Callable[[str, datetime], bool]) -> list[str]:
        dead = [
            (found, upload["UploadId"])
            for upload in self._uploads(self._root + key)
            if chosen(found := upload["Key"].removeprefix(self._root), _moment(upload["Initiated"]))
        ]
        for found, upload_id in dead:
            path = f"/{self._bucket}/{self._root}{found}"
            answer = self._rest.send("DELETE", path, {"uploadId": upload_id}, action=_ACTION)
            if answer.status_code != requests.codes.not_found:  # somebody else was quicker
                _expect(answer)
        return [found for found, _ in dead]

    def _uploads(self, prefix: str) -> Iterator[dict[str, str]]:
        page = {"prefix": prefix, "uploads": ""}
        while True:
            answer = self._rest.send("GET", f"/{self._bucket}", page, action=_ACTION)
            if answer.status_code == requests.codes.not_found:
                return
            uploads, listing = _parse(_expect(answer).content)
            yield from (upload for upload in uploads if upload["Key"].startswith(prefix))
            if listing.get("IsTruncated") != "true":
                return
            page |= {
                "key-marker": listing["NextKeyMarker"],
                "upload-id-marker": listing["NextUploadIdMarker"],
            }


def _expect(answer: requests.Response) -> requests.Response:
    if not answer.ok:
        raise ArchiveUnavailableError(f"the store answered HTTP {answer.status_code}")
    return answer


def _parse(document: bytes) -> tuple[list[dict[str, str]], dict[str, str]]:
    """The ``Upload`` elements, and the elements beside them, of a ``ListMultipartUploadsResult``."""
    uploads: list[dict[str, str]] = []
    listing: dict[str, str] = {}
    path: list[str] = []

    def start(name: str, _: Mapping[str, str]) -> None:
        path.append(name)
        if name == "Upload":
            uploads.append({})

    def text(data: str) -> None:
        place = uploads[-1] if "Upload" in path else listing
        place[path[-1]] = place.get(path[-1], "") + data

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: path.pop()
    parser.CharacterDataHandler = text
    try:
        parser.Parse(document, True)
    except expat.ExpatError:
        raise ArchiveUnavailableError("the store did not list its unfinished uploads") from None
    return uploads, listing


def _moment(text: str) -> datetime:
    return datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
