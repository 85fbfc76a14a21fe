"""S3 Object Lock."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime

import requests

from canvas_exports.core.storage.cloud.locks import HELD, Locks, expect, latest, moment, written
from canvas_exports.core.storage.cloud.signed_requests import Rest
from canvas_exports.core.storage.options import LockMode
from canvas_exports.errors import ArchiveDeniedError

_ADVICE = "make a bucket with Object Lock switched on"
_ENABLED = b"<ObjectLockEnabled>Enabled</ObjectLockEnabled>"
_NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


class S3Locks(Locks):
    """Rests on ``PutObjectRetention``, ``PutObjectLegalHold``, ``HeadObject`` and ``GetObjectLockConfiguration``.

    Args:
        rest: where to ask.
        path: of the archive's root in it.
    """

    def __init__(self, rest: Rest, path: str) -> None:
        self._rest = rest
        self._root = f"{path}/" if path else ""

    def retain(self, key: str, mode: LockMode, until: datetime) -> None:
        """``PutObjectRetention``."""
        document = f"<Mode>{mode.upper()}</Mode><RetainUntilDate>{written(until)}</RetainUntilDate>"
        self._put(key, "retention", f"<Retention {_NAMESPACE}>{document}</Retention>")

    def hold(self, key: str) -> None:
        """``PutObjectLegalHold``."""
        self._put(key, "legal-hold", f"<LegalHold {_NAMESPACE}><Status>ON</Status></LegalHold>")

    def until(self, key: str) -> datetime | None:
        """``HEAD``; S3 tells of locks only who has the right to read them."""
        answer = self._rest.send("HEAD", self._path(key), action="look up locks")
        if not answer.ok:
            return None
        held = answer.headers.get("x-amz-object-lock-legal-hold") == "ON"
        return latest(
            HELD if held else None, moment(answer.headers.get("x-amz-object-lock-retain-until-date"))
        )

    def check(self) -> None:
        """``GetObjectLockConfiguration``."""
        answer = self._rest.send("GET", self._rest.bucket, {"object-lock": ""}, action="see whether it locks")
        if answer.status_code == requests.codes.not_found or _ENABLED not in answer.content:
            raise ArchiveDeniedError(f"{self._rest.place} cannot lock objects; {_ADVICE}")

    def _put(self, key: str, what: str, document: str) -> None:
        body = document.encode()
        digest = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        answer = self._rest.send(
            "PUT",
            self._path(key),
            {what: ""},
            headers={"content-md5": digest},
            body=body,
            action="lock objects",
        )
        expect(answer, key, _ADVICE)

    def _path(self, key: str) -> str:
        return f"{self._rest.bucket}/{self._root}{key}"
