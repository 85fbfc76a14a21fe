"""Signed, expiring URLs: presigned ones for S3, JSON Web Tokens elsewhere."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime, timezone
from urllib.parse import quote, urlencode

_S3_TIME = "%Y%m%dT%H%M%SZ"


class UrlSigner:
    """Signs and verifies with a key that is derived from the seed."""

    def __init__(self, seed: int) -> None:
        self._key = hashlib.sha256(f"signing key {seed}".encode()).digest()

    def token(self, subject: str, expires: float) -> str:
        """Return a JWT (HS512) for ``subject``."""
        head = _encode({"alg": "HS512", "typ": "JWT"})
        claims = _encode({"resource": subject, "exp": int(expires)})
        return f"{head}.{claims}.{self._sign(f'{head}.{claims}')}"

    def accepts(self, token: str, subject: str, now: float) -> bool:
        """Return whether a token is valid for ``subject`` at ``now``."""
        body, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._sign(body).encode()):
            return False
        claims = _decode(body.rpartition(".")[2])
        return claims.get("resource") == subject and now < int(claims.get("exp", 0))

    def sign(self, text: str) -> str:
        """Return the signature of a text, such as the policy of an upload."""
        return self._sign(text)

    def has_signed(self, text: str, signature: str) -> bool:
        """Return whether a signature of a text is valid."""
        return hmac.compare_digest(signature.encode(), self._sign(text).encode())

    def presign(self, path: str, now: float, lifetime: float, file_name: str) -> str:
        """Return the query of a presigned S3 URL."""
        date = datetime.fromtimestamp(now, tz=timezone.utc).strftime(_S3_TIME)
        query = {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"SANDBOXKEY/{date[:8]}/us-east-1/s3/aws4_request",
            "X-Amz-Date": date,
            "X-Amz-Expires": str(int(lifetime)),
            "X-Amz-SignedHeaders": "host",
            "response-content-disposition": f"attachment; filename*=UTF-8''{quote(file_name)}",
            "X-Amz-Signature": self._sign(f"{path}:{date}:{int(lifetime)}"),
        }
        return urlencode(query, quote_via=quote)

    def presigned_is_good(self, path: str, query: dict[str, str], now: float) -> bool:
        """Return whether a presigned URL is valid at ``now``."""
        date, lifetime = query.get("X-Amz-Date", ""), query.get("X-Amz-Expires", "")
        signature = self._sign(f"{path}:{date}:{lifetime}")
        if not hmac.compare_digest(signature.encode(), query.get("X-Amz-Signature", "").encode()):
            return False
        signed = datetime.strptime(date, _S3_TIME).replace(tzinfo=timezone.utc).timestamp()
        return now < signed + int(lifetime)

    def _sign(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha512).hexdigest()[:64]


def _encode(data: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")


def _decode(text: str) -> dict[str, str]:
    data: dict[str, str] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return data
