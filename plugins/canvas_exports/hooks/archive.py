"""Open an archive with the credentials of an Airflow connection."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from airflow.sdk import Connection

from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.options import AccessKeys, KeysProvider, StoreOptions
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import InputError
from canvas_exports.hooks.archive_digest import DIGEST, read_required_digest
from canvas_exports.hooks.archive_location import ArchiveLocation, find_location
from canvas_exports.hooks.archive_protection import AZURE, GCS, S3, read_protection
from canvas_exports.hooks.code_folders import code_folders
from canvas_exports.hooks.connections import RefusedChoice, find_connection
from canvas_exports.hooks.credential_scope import check_scope


def open_archive(archive: str | RefusedChoice, archive_conn_id: str | None = None) -> Store:
    """Open an archive by its name or its root URI.

    A name is the id of a connection of type ``canvas_archive``, which has all settings. With a URI, ``archive_conn_id`` is
    the connection with the credentials; see ``open_location``.

    Raises:
        InputError: a malformed URI, a connection that is missing or does not fit, or a refused choice of a form.
    """
    if isinstance(archive, RefusedChoice):
        archive.raise_error()
    return open_location(find_location(archive, archive_conn_id))


def open_location(location: ArchiveLocation) -> Store:
    """Open an archive with the credentials of an Airflow connection.

    For ``s3://``, a connection of type ``aws`` uses the Amazon provider if it is installed: profiles, assumed roles and web
    identities work, and keys are refreshed during long uploads. Otherwise, and for every other scheme, the fields of the
    connection are read. Without a connection, the default credentials of the environment apply.

    Sends credentials only to the host of their own connection (``credential_scope``). Refuses a folder from which Airflow
    loads code or configuration (``code_folders``).

    Raises:
        InputError: a malformed URI, or a connection that does not fit it.
    """
    if location.conn_id is not None:
        options = store_options(
            location.uri, find_connection(location.conn_id), location.protection, digest=location.digest
        )
    else:
        protection = read_protection(
            _kind(location.uri), location.protection, connection=location.named or "archive"
        )
        required = read_required_digest(location.digest, connection=location.named or "archive")
        options = StoreOptions(protection=protection, required_digest=required)
    field = "archive" if location.named is None else f"connection {location.named}, host"
    return open_store(location.uri, replace(options, forbidden=code_folders()), field=field)


def store_options(
    uri: str, connection: Connection, protection: Mapping[str, Any] | None = None, *, digest: Any = None
) -> StoreOptions:
    """Return the credentials and settings of one archive from one connection.

    Args:
        uri: root of the archive.
        connection: with the credentials.
        protection: extras that override those of the connection.
        digest: the extra ``digest`` that overrides that of the connection.

    Raises:
        InputError: the connection does not fit the URI, or has a malformed field.
    """
    extra = {key: value for key, value in connection.extra_dejson.items() if value not in (None, "")}
    check_scope(uri, connection, extra)
    kind = _kind(uri)
    guarded = read_protection(kind, {**extra, **(protection or {})}, connection=connection.conn_id)
    required = read_required_digest(digest or extra.get(DIGEST), connection=connection.conn_id)
    reader = {S3: _s3, GCS: _gcs, AZURE: _azure}.get(kind, _sftp)
    return replace(reader(connection, extra), protection=guarded, required_digest=required)


def _kind(uri: str) -> str:
    scheme = uri.strip().partition("://")[0].lower()
    return {"s3a": S3, "gcs": GCS, "azure": AZURE}.get(scheme, scheme)


def _sftp(connection: Connection, extra: dict[str, Any]) -> StoreOptions:
    return StoreOptions(
        username=connection.login,
        password=connection.password,
        key_file=extra.get("key_file"),
        private_key=extra.get("private_key"),
        passphrase=extra.get("private_key_passphrase"),
        known_hosts=extra.get("known_hosts"),
        host_key=extra.get("host_key"),
    )


def _s3(connection: Connection, extra: dict[str, Any]) -> StoreOptions:
    service = (extra.get("service_config") or {}).get("s3") or {}
    return StoreOptions(
        endpoint=service.get("endpoint_url") or extra.get("endpoint_url") or extra.get("host"),
        region=extra.get("region_name"),
        addressing_style=extra.get("addressing_style") or _addressing_style(extra) or "auto",
        access_key=connection.login or extra.get("aws_access_key_id"),
        secret_key=connection.password or extra.get("aws_secret_access_key"),
        session_token=extra.get("aws_session_token"),
        keys=_provider_keys(connection),
        verify=extra.get("verify", True),
        unsigned_payload=extra.get("unsigned_payload", False),
    )


def _addressing_style(extra: Mapping[str, Any]) -> Any:
    """Return the addressing style from the extras that the Amazon provider passes on to botocore."""
    for path in (("config_kwargs",), ("service_config", "s3", "config_kwargs"), ("service_config",)):
        found: Any = extra
        for name in (*path, "s3", "addressing_style"):
            found = found.get(name) if isinstance(found, Mapping) else None
        if found:
            return found
    return None


def _provider_keys(connection: Connection) -> KeysProvider | None:
    """Return keys through the Amazon provider's hook, if it is installed and supports the connection."""
    if connection.conn_type != "aws":
        return None
    try:
        from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook  # optional, and heavy
    except ImportError:
        return None
    session = AwsBaseHook(aws_conn_id=connection.conn_id, client_type="s3").get_session()

    def keys() -> AccessKeys:
        credentials = session.get_credentials()
        if credentials is None:
            raise InputError(f"connection {connection.conn_id}", "it yields no AWS credentials")
        frozen = credentials.get_frozen_credentials()
        return AccessKeys(
            access_key=frozen.access_key,
            secret_key=frozen.secret_key,
            session_token=frozen.token,
            expires_at=getattr(credentials, "_expiry_time", None),
        )

    return keys


def _gcs(_: Connection, extra: dict[str, Any]) -> StoreOptions:
    key = extra.get("keyfile_dict")
    return StoreOptions(
        service_account=json.dumps(key) if isinstance(key, dict) else key,
        key_file=extra.get("key_path"),
        endpoint=extra.get("endpoint_url"),
    )


def _azure(connection: Connection, extra: dict[str, Any]) -> StoreOptions:
    """Read an account key, a SAS token, or an application of Entra ID from a connection of type ``wasb`` or ``adls``."""
    given = _connection_string(extra.get("connection_string") or "")
    host = (connection.host or "").rpartition("//")[2].partition(".")[0] or None
    options = StoreOptions(
        account=extra.get("account_name") or given.get("AccountName"),
        account_key=extra.get("account_key") or given.get("AccountKey"),
        # It may come as the URL that Azure's portal shows.
        sas_token=(extra.get("sas_token") or given.get("SharedAccessSignature") or "").rpartition("?")[2]
        or None,
        endpoint=extra.get("endpoint_url") or given.get("BlobEndpoint"),
    )
    if tenant := extra.get("tenant_id"):
        application = {"client_id": connection.login, "client_secret": connection.password}
        return replace(
            options,
            account=options.account or host,
            settings={name: value for name, value in application.items() if value} | {"tenant_id": tenant},
        )
    return replace(
        options,
        account=options.account or connection.login or host,
        account_key=options.account_key or connection.password,
    )


def _connection_string(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(";"))
    return {name: value for name, _, value in pairs if value}
