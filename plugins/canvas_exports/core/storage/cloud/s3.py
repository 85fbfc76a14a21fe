"""Requests to S3, signed with AWS Signature Version 4."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timezone

from canvas_exports.core.storage.cloud.signed_requests import Request, Rest
from canvas_exports.core.storage.options import AccessKeys, KeysProvider
from canvas_exports.errors import ArchiveDeniedError


class S3Rest(Rest):
    """Requests to one server of S3.

    Args:
        endpoint: URL of the server.
        bucket: its name.
        region: of the bucket.
        keys: asked at each request; ``None`` where only obstore can find them.
        verify: as in ``StoreOptions``.
        retries: likewise.
        virtual: the bucket is part of the host's name instead of the path.
    """

    def __init__(
        self,
        endpoint: str,
        bucket: str,
        *,
        region: str,
        keys: KeysProvider | None,
        verify: bool | str = True,
        retries: int = 0,
        virtual: bool = False,
    ) -> None:
        super().__init__(in_host(endpoint, bucket) if virtual else endpoint, bucket, verify, retries)
        if virtual:
            self.bucket = ""
        self._region = region
        self._keys = keys

    def sign(self, request: Request) -> tuple[Mapping[str, str], str]:
        """Over verb, path, query, all headers and the body."""
        if self._keys is None:
            raise ArchiveDeniedError(
                f"no keys to ask {self.place} with; install boto3, or set a lifecycle rule"
            )
        return _signed(request, self._region, self._keys()), request.line


def in_host(endpoint: str, bucket: str) -> str:
    """An endpoint with the bucket before its host's name."""
    scheme, _, rest = endpoint.partition("://")
    return f"{scheme}://{bucket}.{rest}"


def _signed(request: Request, region: str, keys: AccessKeys) -> dict[str, str]:
    now = datetime.now(timezone.utc)
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    digest = hashlib.sha256(request.body).hexdigest()
    headers = {name.lower(): value for name, value in request.headers.items()} | {
        "host": request.host,
        "x-amz-content-sha256": digest,
        "x-amz-date": stamp,
    }
    if keys.session_token:
        headers["x-amz-security-token"] = keys.session_token
    names = ";".join(sorted(headers))
    listed = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    canonical = f"{request.verb}\n{request.target}\n{request.line}\n{listed}\n{names}\n{digest}"
    scope = f"{day}/{region}/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{keys.secret_key}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={keys.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return headers
