"""Lists of a cloud's objects, read row by row: obstore's own end at the first key that it takes for no path."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any, Protocol
from urllib.parse import unquote

from canvas_exports.core.storage.cloud.errors import no_bucket
from canvas_exports.core.storage.cloud.list_pages import Pages
from canvas_exports.core.storage.cloud.retried_requests import Asking
from canvas_exports.core.storage.cloud.signed_requests import Answer, Rest
from canvas_exports.core.storage.cloud.xml_lists import Row, read_list
from canvas_exports.core.storage.store import ObjectInfo
from canvas_exports.errors import ArchiveDeniedError, ArchiveError
from canvas_exports.foreign_text import harmless

_PAGE = "1000"
_ABSENT = 404
_UNKNOWN_PARAMETER = (400, 501)


class Lister(Protocol):
    """Who can list the objects of a store."""

    def below(self, prefix: str) -> Iterator[ObjectInfo | str]:
        """Every object whose key below the root starts with the prefix, whatever it is called; a page at a time.

        Of what the store does not describe in full (no size, no time that can be read), only the key.
        """


class PlainListing:
    """By obstore itself, where only that has credentials: it ends at the first key that is no path to it.

    Args:
        remote: obstore's store.
        asking: for its errors.
    """

    def __init__(self, remote: Any, asking: Asking) -> None:
        self._remote = remote
        self._asking = asking

    def below(self, prefix: str) -> Iterator[ObjectInfo | str]:
        """As ``Lister``, but a foreign name ends it, with an error that says what helps."""
        import obstore  # noqa: PLC0415 - native code, only for who opens such a store

        folder = prefix.rpartition("/")[0]
        with self._asking.translated("list", prefix):
            try:
                for page in obstore.list(self._remote, prefix=folder or None, chunk_size=1000):
                    for meta in page:
                        if meta["path"].startswith(prefix):
                            yield ObjectInfo(meta["path"], meta["size"], meta["last_modified"])
            except obstore.exceptions.InvalidPathError as error:
                name = harmless(str(error).partition("\n")[0].partition('"')[2].rpartition('"')[0])
                raise ArchiveError(
                    f"cannot list in {self._asking.uri}: an object there has a name that is no path, {name!r}; rename it, "
                    "or give the archive credentials that can be signed with (see docs/archive.md)"
                ) from None


class Listing(ABC):
    """The objects below an archive's root, foreign ones included.

    Args:
        uri: the archive's root, for messages.
        rest: where to ask.
        path: of the archive's root in its bucket.
    """

    def __init__(self, uri: str, rest: Rest, path: str) -> None:
        self._uri = uri
        self._rest = rest
        self._root = f"{path}/" if path else ""

    def below(self, prefix: str) -> Iterator[ObjectInfo | str]:
        """As ``Lister``.

        Raises:
            ArchiveDeniedError: no right to list, or no bucket (permanent).
            ArchiveUnavailableError: the store failed, or its list has no end (retryable).
        """
        place: dict[str, str] = {}
        pages = Pages(f"cannot list in {self._uri}: the list does not go on where it ended")
        while True:
            rows, following = self._page(self._root + prefix, place)
            pages.begin((rows[0][self._name],) if rows else None)
            for row in rows:
                found = self._object(row)
                if found is not None:
                    yield found
            if following is None:
                return
            pages.go_on(following)
            place = following

    #: The element that names an object.
    _name: str

    @abstractmethod
    def _page(self, prefix: str, place: dict[str, str]) -> tuple[list[Row], dict[str, str] | None]:
        """The rows from a place on, and where to go on; ``None`` at the end."""

    @abstractmethod
    def _object(self, row: Row) -> ObjectInfo | str | None:
        """What a row says; ``None``: it is about no object."""

    def _granted(self, answer: Answer) -> Answer:
        if answer.ok:
            return answer
        if answer.status_code == _ABSENT:
            raise ArchiveDeniedError(no_bucket(self._uri, "list"))
        raise answer.refusal.error(self._uri, "list")

    def _info(self, name: str, size: str | None, modified: datetime | None) -> ObjectInfo | str:
        if size is None or not size.isdecimal() or len(size) > 18 or modified is None:  # noqa: PLR2004 - an exabyte
            return name.removeprefix(self._root)
        return ObjectInfo(name.removeprefix(self._root), int(size), modified)


class S3Listing(Listing):
    """Rests on ``GET /<bucket>?list-type=2``, which S3 and GCS have in common."""

    _name = "Key"
    _encoding: Mapping[str, str] = {"encoding-type": "url"}

    def _page(self, prefix: str, place: dict[str, str]) -> tuple[list[Row], dict[str, str] | None]:
        asked = {"list-type": "2", "prefix": prefix, "max-keys": _PAGE, **place}
        answer = self._rest.ask("GET", self._rest.bucket, {**asked, **self._encoding})
        if self._encoding and answer.status_code in _UNKNOWN_PARAMETER:
            self._encoding = {}
            answer = self._rest.ask("GET", self._rest.bucket, asked)
        rows, beside = read_list(self._granted(answer).content, "Contents")
        rows = [row for row in rows if row.get("Key", "").startswith(prefix)]
        if beside.get("IsTruncated", "").lower() != "true":
            return rows, None
        if token := beside.get("NextContinuationToken"):
            return rows, {"continuation-token": token}
        return rows, {"start-after": rows[-1]["Key"]} if rows else place

    def _object(self, row: Row) -> ObjectInfo | str:
        return self._info(row["Key"], row.get("Size"), moment(row.get("LastModified")))


class AzureListing(Listing):
    """Rests on ``GET /<container>?restype=container&comp=list``."""

    _name = "Name"

    def _page(self, prefix: str, place: dict[str, str]) -> tuple[list[Row], dict[str, str] | None]:
        asked = {"restype": "container", "comp": "list", "maxresults": _PAGE, **place}
        if prefix:
            asked["prefix"] = prefix
        answer = self._rest.ask("GET", self._rest.bucket, asked)
        rows, beside = read_list(self._granted(answer).content, "Blob")
        marker = beside.get("NextMarker")
        return [row for row in rows if "Name" in row], {"marker": marker} if marker else None

    def _object(self, row: Row) -> ObjectInfo | str | None:
        if row.get("ResourceType") == "directory":  # of an account with a hierarchical namespace
            return None
        name = row["Name"]
        if "Name is encoded" in row:
            name = unquote(name, errors="replace")
        return self._info(name, row.get("Content-Length"), moment(row.get("Last-Modified")))


def moment(text: str | None) -> datetime | None:
    """A time as S3 writes it, or as HTTP does; UTC where it names no zone. ``None`` if it is none."""
    written = (text or "").strip()[:40]
    try:
        local = datetime.strptime(written[:19], "%Y-%m-%dT%H:%M:%S")  # noqa: DTZ007 - its zone follows
        zone = re.fullmatch(r"(?:\.[0-9]+)?(?:Z|([+-][0-9]{2}):?([0-9]{2}))?", written[19:])
        if zone is None:
            return None
        ahead = timedelta(hours=int(zone[1]), minutes=int(zone[1][0] + zone[2])) if zone[1] else timedelta()
        return (local - ahead).replace(tzinfo=timezone.utc)
    except (ValueError, OverflowError):
        pass
    try:
        found = parsedate_to_datetime(written)
        return found.astimezone(timezone.utc) if found.tzinfo else found.replace(tzinfo=timezone.utc)
    except (ValueError, OverflowError):
        return None
