"""The Airflow connection of an object store as a ``Store``."""

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
from canvas_exports.hooks.archive_location import Place, find_place
from canvas_exports.hooks.archive_protection import AZURE, GCS, S3, read_protection
from canvas_exports.hooks.code_folders import code_folders
from canvas_exports.hooks.connections import Refused, find_connection
from canvas_exports.hooks.credential_scope import check_belongs


def open_archive(archive: str | Refused, archive_conn_id: str | None = None) -> Store:
    """Open an archive by its name or its root URI.

    A name is the id of a connection of type ``canvas_archive``, which says all the rest. With a URI, ``archive_conn_id`` is
    the connection with the credentials; see ``open_place``.

    Raises:
        InputError: a malformed URI, a connection that is missing or does not fit, or what a form may not reach.
    """
    if isinstance(archive, Refused):
        archive.refuse()
    return open_place(find_place(archive, archive_conn_id))


def open_place(place: Place) -> Store:
    """Open an archive with the credentials of an Airflow connection.

    For ``s3://``, a connection of type ``aws`` goes through the Amazon provider where that is installed: profiles, assumed
    roles and web identities work, and keys are refreshed during long uploads. Otherwise, and for every other scheme, the
    connection's own fields are read. Without a connection, the environment's default chain applies.

    Credentials go nowhere but to the host of their own connection (``belonging``); a folder from which Airflow takes code or
    configuration is no archive (``code_folders``).

    Raises:
        InputError: a malformed URI, or a connection that does not fit it.
    """
    if place.conn_id is not None:
        options = store_options(place.uri, find_connection(place.conn_id), place.protection)
    else:
        protection = read_protection(_kind(place.uri), place.protection, connection=place.named or "archive")
        options = StoreOptions(protection=protection)
    field = "archive" if place.named is None else f"connection {place.named}, host"
    return open_store(place.uri, replace(options, forbidden=code_folders()), field=field)


def store_options(
    uri: str, connection: Connection, protection: Mapping[str, Any] | None = None
) -> StoreOptions:
    """Credentials and settings for one archive from one connection.

    Args:
        uri: root of the archive.
        connection: the one with the credentials.
        protection: extras that win over those of the connection.

    Raises:
        InputError: the connection does not belong to the URI, or has a malformed field.
    """
    extra = {key: value for key, value in connection.extra_dejson.items() if value not in (None, "")}
    check_belongs(uri, connection, extra)
    kind = _kind(uri)
    guarded = read_protection(kind, {**extra, **(protection or {})}, connection=connection.conn_id)
    reader = {S3: _s3, GCS: _gcs, AZURE: _azure}.get(kind)
    if reader is not None:
        return replace(reader(connection, extra), protection=guarded)
    return StoreOptions(
        username=connection.login,
        password=connection.password,
        key_file=extra.get("key_file"),
        private_key=extra.get("private_key"),
        passphrase=extra.get("private_key_passphrase"),
        known_hosts=extra.get("known_hosts"),
        host_key=extra.get("host_key"),
    )


def _kind(uri: str) -> str:
    scheme = uri.strip().partition("://")[0].lower()
    return {"s3a": S3, "gcs": GCS, "azure": AZURE}.get(scheme, scheme)


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
    """Where the Amazon provider has it: in what it hands on to botocore, for all services or for this one."""
    for path in (("config_kwargs",), ("service_config", "s3", "config_kwargs"), ("service_config",)):
        found: Any = extra
        for name in (*path, "s3", "addressing_style"):
            found = found.get(name) if isinstance(found, Mapping) else None
        if found:
            return found
    return None


def _provider_keys(connection: Connection) -> KeysProvider | None:
    """Keys through the Amazon provider's hook, where it is installed and knows the connection."""
    if connection.conn_type != "aws":
        return None
    try:
        from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook  # noqa: PLC0415 - optional, and heavy
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
    """A storage account's key, a signature, or an application of Entra ID, as the types ``wasb`` and ``adls`` hold them."""
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
