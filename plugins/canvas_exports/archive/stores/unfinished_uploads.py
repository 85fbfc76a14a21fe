"""Multipart uploads that were left behind on S3: invisible, but billed until somebody aborts them.

obstore has no call for them, so these two requests are signed here (AWS Signature Version 4).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from urllib.parse import quote, urlsplit
from xml.parsers import expat

import requests

from canvas_exports.archive.credentials import AccessKeys, KeysProvider
from canvas_exports.errors import ArchiveDeniedError, ArchiveError, ArchiveUnavailableError

_TIMEOUT = 60
_NOTHING = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True)
class Bucket:
    """Where to look: the server, its region, the bucket and the path of the archive's root in it."""

    endpoint: str
    region: str
    name: str
    path: str
    verify: bool | str = True


class UnfinishedUploads:
    """The unfinished uploads of an archive.

    Rests on ``GET /<bucket>?uploads`` and ``DELETE /<bucket>/<key>?uploadId=``.

    Args:
        bucket: where the archive is.
        keys: asked for whenever there is something to do; ``None`` where only obstore can find them.
    """

    def __init__(self, bucket: Bucket, keys: KeysProvider | None) -> None:
        self._bucket = bucket
        self._keys = keys
        self._root = f"{bucket.path}/" if bucket.path else ""

    def sweep(self, older_than: timedelta, owns: Callable[[str], bool] = lambda _: True) -> list[str]:
        """Abort those below the root that began longer ago than given. Returns the keys they were for.

        Raises:
            ArchiveDeniedError: no keys, or no right to list or abort uploads (permanent).
            ArchiveUnavailableError: the store failed (retryable).
        """
        if self._keys is None:
            raise ArchiveDeniedError(
                f"no keys to look for unfinished uploads in {self._bucket.name} with; "
                "install boto3, or set a lifecycle rule"
            )
        youngest = datetime.now(timezone.utc) - older_than
        return self._abort("", lambda key, began: began <= youngest and owns(key), self._keys)

    def abort(self, key: str, since: datetime) -> None:
        """Abort what is left of an upload to one key that began at a time or later; what cannot be is for ``sweep``."""
        if self._keys is not None:
            with suppress(ArchiveError):
                self._abort(key, lambda found, began: found == key and began >= since, self._keys)

    def _abort(self, key: str, chosen: Callable[[str, datetime], bool], keys: KeysProvider) -> list[str]:
        aborted = []
        with requests.Session() as session:
            session.auth = lambda request: request  # or a .netrc entry would replace the signature
            client = _Client(session, self._bucket, keys())
            dead = [
                (found, upload["UploadId"])
                for upload in _uploads(client, self._root + key)
                if chosen(found := upload["Key"].removeprefix(self._root), _moment(upload["Initiated"]))
            ]
            for found, upload_id in dead:
                client.send("DELETE", f"/{self._bucket.name}/{self._root}{found}", {"uploadId": upload_id})
                aborted.append(found)
        return aborted


def _uploads(client: _Client, prefix: str) -> Iterator[dict[str, str]]:
    page = {"prefix": prefix, "uploads": ""}
    while True:
        uploads, listing = _parse(client.send("GET", f"/{client.bucket.name}", page))
        yield from (upload for upload in uploads if upload["Key"].startswith(prefix))
        if listing.get("IsTruncated") != "true":
            return
        page |= {"key-marker": listing["NextKeyMarker"], "upload-id-marker": listing["NextUploadIdMarker"]}


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


@dataclass(frozen=True)
class _Client:
    session: requests.Session
    bucket: Bucket
    keys: AccessKeys

    def send(self, verb: str, path: str, query: Mapping[str, str]) -> bytes:
        line = "&".join(
            f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in sorted(query.items())
        )
        url = urlsplit(self.bucket.endpoint)
        target = f"{url.path.rstrip('/')}{quote(path)}"
        try:
            answer = self.session.request(
                verb,
                f"{url.scheme}://{url.netloc}{target}?{line}",
                headers=_signed(
                    (verb, target, line), host=url.netloc, region=self.bucket.region, keys=self.keys
                ),
                timeout=_TIMEOUT,
                verify=self.bucket.verify,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            # Its message holds the URL, and with it the upload's id.
            raise ArchiveUnavailableError(f"the store did not answer: {type(error).__name__}") from None
        if answer.status_code in (requests.codes.unauthorized, requests.codes.forbidden):
            raise ArchiveDeniedError(f"no right to list or abort unfinished uploads in {self.bucket.name}")
        if not answer.ok and answer.status_code != requests.codes.not_found:
            raise ArchiveUnavailableError(f"the store answered HTTP {answer.status_code}")
        return answer.content


def _signed(
    request_line: tuple[str, str, str], *, host: str, region: str, keys: AccessKeys
) -> dict[str, str]:
    """The headers of a request without a body: verb, path and query, each in its canonical form."""
    now = datetime.now(timezone.utc)
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    headers = {"host": host, "x-amz-content-sha256": _NOTHING, "x-amz-date": stamp}
    if keys.session_token:
        headers["x-amz-security-token"] = keys.session_token
    names = ";".join(sorted(headers))
    listed = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = "\n".join([*request_line, listed, names, _NOTHING])
    scope = f"{day}/{region}/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{keys.secret_key}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={keys.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return headers


def _moment(text: str) -> datetime:
    return datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
