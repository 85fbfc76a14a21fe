"""What obstore does not ask Azure Blob Storage: locks, and writing into an encryption scope."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime, parsedate_to_datetime
from urllib.parse import parse_qsl, quote, urlencode

from canvas_exports.core.storage.cloud.locks import HELD, Locks, expect, latest
from canvas_exports.core.storage.cloud.signed_requests import Request, Rest
from canvas_exports.core.storage.options import LockMode
from canvas_exports.errors import ArchiveDeniedError

_VERSION = "2021-12-02"
_ADVICE = "make a container with support for version-level immutability"
# What a shared key signs of a request besides its x-ms- headers, in this order; all of it is empty but the length.
_STANDARD = (
    *("content-encoding", "content-language", "content-length", "content-md5", "content-type", "date"),
    *("if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range"),
)


class AzureRest(Rest):
    """Requests to Azure Blob Storage, with an account key or a shared access signature.

    Args:
        endpoint: URL of the account.
        container: its name.
        account: the storage account.
        key: of the account, in base64.
        signature: a shared access signature, where there is no key.
        verify: as in ``StoreOptions``.
        retries: likewise.
    """

    def __init__(
        self,
        endpoint: str,
        container: str,
        *,
        account: str,
        key: str | None,
        signature: str | None,
        verify: bool | str = True,
        retries: int = 0,
    ) -> None:
        super().__init__(endpoint, container, verify, retries)
        self._account = account
        self._key = key
        self._signature = (signature or "").removeprefix("?")

    def sign(self, request: Request) -> tuple[Mapping[str, str], str]:
        """``SharedKey``, or the signature as part of the query."""
        headers = {
            **request.headers,
            "x-ms-date": format_datetime(datetime.now(timezone.utc), usegmt=True),
            "x-ms-version": _VERSION,
        }
        if self._key is None:
            return headers, "&".join(part for part in (request.line, self._signature) if part)
        given = {"content-length": str(len(request.body)) if request.body else ""} | headers
        lines = [request.verb, *(given.get(name, "") for name in _STANDARD)]
        lines += [f"{name}:{headers[name]}" for name in sorted(headers) if name.startswith("x-ms-")]
        lines.append(f"/{self._account}{request.target}")
        lines += [
            f"{name}:{value}" for name, value in sorted(parse_qsl(request.line, keep_blank_values=True))
        ]
        return headers | {
            "authorization": f"SharedKey {self._account}:{_digest(self._key, lines)}"
        }, request.line


class AzureLocks(Locks):
    """Immutability policies and legal holds of blobs.

    Rests on ``PUT ?comp=immutabilityPolicies``, ``PUT ?comp=legalhold``, ``HEAD`` and ``GET ?restype=container``.

    Args:
        rest: where to ask.
        container: its name.
        path: of the archive's root in it.
    """

    def __init__(self, rest: Rest, container: str, path: str) -> None:
        self._rest = rest
        self._container = f"/{container}"
        self._root = f"{path}/" if path else ""

    def retain(self, key: str, mode: LockMode, until: datetime) -> None:
        """Azure's ``unlocked`` is ``governance``, its ``locked`` is ``compliance``."""
        headers = {
            "x-ms-immutability-policy-mode": "locked" if mode == "compliance" else "unlocked",
            "x-ms-immutability-policy-until-date": format_datetime(
                until.astimezone(timezone.utc), usegmt=True
            ),
        }
        self._put(key, "immutabilityPolicies", headers)

    def hold(self, key: str) -> None:
        """A legal hold."""
        self._put(key, "legalhold", {"x-ms-legal-hold": "true"})

    def until(self, key: str) -> datetime | None:
        """``HEAD``."""
        answer = self._rest.send("HEAD", self._path(key), action="look up locks")
        if not answer.ok:
            return None
        held = answer.headers.get("x-ms-legal-hold") == "true"
        until = answer.headers.get("x-ms-immutability-policy-until-date")
        return latest(HELD if held else None, parsedate_to_datetime(until) if until else None)

    def check(self) -> None:
        """The container's properties."""
        answer = self._rest.send(
            "GET", self._container, {"restype": "container"}, action="see whether it locks"
        )
        if answer.headers.get("x-ms-immutable-storage-with-versioning-enabled") != "true":
            raise ArchiveDeniedError(f"{self._rest.place} cannot lock blobs; {_ADVICE}")

    def _put(self, key: str, what: str, headers: Mapping[str, str]) -> None:
        answer = self._rest.send("PUT", self._path(key), {"comp": what}, headers=headers, action="lock blobs")
        expect(answer, key, _ADVICE)

    def _path(self, key: str) -> str:
        return f"{self._container}/{self._root}{key}"


def scoped_signature(account: str, key: str, container: str, scope: str, lifetime: timedelta) -> str:
    """A shared access signature for a container, all of whose writes go into an encryption scope.

    A shared key would have to sign the header that names the scope, and obstore does not sign headers it does not know.
    """
    expiry = f"{datetime.now(timezone.utc) + lifetime:%Y-%m-%dT%H:%M:%SZ}"
    permissions = "rcwti"
    fields = [permissions, "", expiry, f"/blob/{account}/{container}", "", "", "", _VERSION, "c", "", scope]
    signature = _digest(key, [*fields, "", "", "", "", ""])
    return urlencode(
        {"sv": _VERSION, "se": expiry, "sr": "c", "sp": permissions, "ses": scope, "sig": signature},
        quote_via=quote,
    )


def scope_of(signature: str) -> str | None:
    """The encryption scope that a shared access signature writes into."""
    return dict(parse_qsl(signature.removeprefix("?"))).get("ses")


def _digest(key: str, lines: list[str]) -> str:
    return base64.b64encode(hmac.digest(base64.b64decode(key), "\n".join(lines).encode(), "sha256")).decode()
