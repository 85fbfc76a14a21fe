"""Azure Blob Storage through its SDK: lists, locks, and signatures that write into an encryption scope."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl

from canvas_exports.core.storage.cloud.error_codes import ErrorResponse, no_answer, no_credentials
from canvas_exports.core.storage.cloud.listings import PAGE, Listing, Place, Row
from canvas_exports.core.storage.cloud.locks import HELD, Locks
from canvas_exports.core.storage.cloud.response_limits import limit_session
from canvas_exports.core.storage.cloud.sdk import CONNECT_TIMEOUT, READ_TIMEOUT, Sdk, is_installed
from canvas_exports.core.storage.options import LockMode, StoreOptions
from canvas_exports.errors import ArchiveDeniedError, ArchiveError, ArchiveUnavailableError

_PERMISSIONS = "rcwti"

# The settings of obstore's that name an application of Entra ID.
_APPLICATION = ("tenant_id", "client_id", "client_secret")

# The SDK writes a line for each request, which a task's log would be full of.
_quiet = logging.getLogger(f"{__name__}.requests")
_quiet.setLevel(logging.WARNING)

CredentialProvider = Callable[[], Any]


def credential_provider(options: StoreOptions, account: str, key: str | None) -> CredentialProvider | None:
    """Return what makes a credential of the SDK; ``None``: the packages for it are not installed.

    A key, a signature, an application of Entra ID, or the identity of the environment or the machine; as obstore.

    Args:
        options: of the archive's connection.
        account: the storage account.
        key: of the account.
    """
    if not is_installed("azure.storage.blob"):
        return None
    if key:
        return lambda: _named_key(account, key)
    if signature := options.sas_token:
        return lambda: _signature(signature)
    if not is_installed("azure.identity") or not set(options.settings) <= set(_APPLICATION):
        return None
    application = [options.settings.get(name) for name in _APPLICATION]
    return lambda: _application(*application) if all(application) else _ambient()


class AzureSdk(Sdk):
    """A ``ContainerClient`` of azure-storage-blob.

    Args:
        uri: the archive's root, for messages.
        options: of the archive's connection.
        container: its name.
        endpoint: URL of the account.
        credential: makes the SDK's.
    """

    def __init__(
        self,
        uri: str,
        options: StoreOptions,
        *,
        container: str,
        endpoint: str,
        credential: CredentialProvider,
    ) -> None:
        super().__init__(uri, options)
        self._container = container
        self._endpoint = endpoint
        self._credential = credential

    def _connect(self) -> Any:
        import requests  # noqa: PLC0415 - of the SDK
        from azure.core.pipeline.transport import RequestsTransport  # noqa: PLC0415 - optional
        from azure.storage.blob import ContainerClient  # noqa: PLC0415 - as above

        session = limit_session(requests.Session(), self._options)
        client = ContainerClient(
            self._endpoint,
            self._container,
            transport=RequestsTransport(
                session=session,
                connection_timeout=CONNECT_TIMEOUT,
                read_timeout=READ_TIMEOUT,
            ),
            credential=self._credential(),
            retry_total=0,
            permit_redirects=False,
            logger=_quiet,
        )
        self._opened.callback(client.close)
        return client

    def _failure(self, error: Exception) -> ErrorResponse | ArchiveError | None:
        from azure.core.exceptions import (  # noqa: PLC0415 - as above
            AzureError,
            ClientAuthenticationError,
            HttpResponseError,
        )

        status = getattr(error, "status_code", None)
        if isinstance(error, HttpResponseError) and status is not None and status >= 300:  # noqa: PLR2004 - HTTP's
            code = (
                str(getattr(error.error_code, "value", error.error_code or ""))
                if hasattr(error, "error_code")
                else ""
            )
            return ErrorResponse(status, code if re.fullmatch(r"[\w.]{1,64}", code) else None)
        if type(error).__name__ == "CredentialUnavailableError":  # of azure-identity
            return ArchiveDeniedError(no_credentials(self.uri))
        if isinstance(error, ClientAuthenticationError):
            return ArchiveUnavailableError(f"Azure gives no token at present: {type(error).__name__}")
        return no_answer(error) if isinstance(error, AzureError | ValueError) else None


class AzureListing(Listing):
    """List objects. ``List Blobs``."""

    def _page(self, prefix: str, place: Place) -> tuple[list[Row], Place | None]:
        def read(container: Any) -> tuple[list[Any], str | None]:
            pages = container.list_blobs(name_starts_with=prefix or None, results_per_page=PAGE).by_page(
                place.get("marker")
            )
            return list(next(pages, ())), pages.continuation_token

        blobs, marker = self._sdk.call("list", read)
        rows = [Row(blob.name, blob.size, blob.last_modified) for blob in blobs]
        return rows, {"marker": marker} if marker else None


class AzureLocks(Locks):
    """Lock blobs by immutability policies and legal holds.

    ``Set Blob Immutability Policy``, ``Set Blob Legal Hold``, ``Get Blob Properties``, ``Get Container Properties``.
    """

    _advice = "make a container with support for version-level immutability"

    def retain(self, key: str, mode: LockMode, until: datetime) -> None:
        """Lock a blob. Azure's ``unlocked`` is ``governance``, its ``locked`` is ``compliance``."""
        from azure.storage.blob import ImmutabilityPolicy  # noqa: PLC0415 - optional

        name = "locked" if mode == "compliance" else "unlocked"
        policy = ImmutabilityPolicy(expiry_time=until.replace(microsecond=0), policy_mode=name)
        self._lock(key, lambda container: self._blob(container, key).set_immutability_policy(policy))

    def hold(self, key: str) -> None:
        """Set a legal hold."""
        self._lock(key, lambda container: self._blob(container, key).set_legal_hold(True))

    def _ends(self, key: str) -> list[datetime | None]:
        blob = self._look(key, lambda container: self._blob(container, key).get_blob_properties())
        return [HELD if blob.has_legal_hold else None, blob.immutability_policy.expiry_time]

    def _is_lockable(self) -> bool:
        found = self._look("", lambda container: container.get_container_properties())
        return bool(found.immutable_storage_with_versioning_enabled)

    def _blob(self, container: Any, key: str) -> Any:
        return container.get_blob_client(self._root + key)


def scoped_signature(account: str, key: str, container: str, scope: str, lifetime: timedelta) -> str:
    """Return a shared access signature for a container, all of whose writes go into an encryption scope.

    A shared key would have to sign the header that names the scope, and obstore does not sign headers it does not know.
    """
    from azure.storage.blob import generate_container_sas  # noqa: PLC0415 - optional

    return generate_container_sas(
        account,
        container,
        key,
        permission=_PERMISSIONS,
        expiry=datetime.now(timezone.utc) + lifetime,
        encryption_scope=scope,
    )


def scope_of(signature: str) -> str | None:
    """Return the encryption scope that a shared access signature writes into."""
    return dict(parse_qsl(signature.removeprefix("?"))).get("ses")


def _named_key(account: str, key: str) -> Any:
    from azure.core.credentials import AzureNamedKeyCredential  # noqa: PLC0415 - optional

    return AzureNamedKeyCredential(account, key)


def _signature(signature: str) -> Any:
    from azure.core.credentials import AzureSasCredential  # noqa: PLC0415 - optional

    return AzureSasCredential(signature)


def _application(tenant: Any, client: Any, secret: Any) -> Any:
    from azure.identity import ClientSecretCredential  # noqa: PLC0415 - optional

    return ClientSecretCredential(tenant, client, secret)


def _ambient() -> Any:
    """Return the identity of the environment or the machine, as obstore does: not that of a tool's login."""
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - optional

    tools = ("broker", "cli", "developer_cli", "powershell", "shared_token_cache", "visual_studio_code")
    return DefaultAzureCredential(**{f"exclude_{tool}_credential": True for tool in tools})
