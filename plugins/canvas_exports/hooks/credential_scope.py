"""Check that a connection's credentials may be sent to the host of an archive.

They are sent only to the host of their own connection, and only if the type of the connection fits the scheme: the password
of a database is never sent to an archive, nor the login of one server to another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

from airflow.sdk import Connection

from canvas_exports.errors import InputError

#: Types of connections that fit each scheme. ``generic`` fits every scheme if the connection names its own endpoint.
TYPES: dict[str, tuple[str, ...]] = {
    "s3": ("aws", "s3"),
    "gs": ("google_cloud_platform",),
    "az": ("wasb", "adls", "azure_data_lake", "azure"),
    "sftp": ("sftp", "ssh"),
}
GENERIC = "generic"

_KINDS = {"s3a": "s3", "gcs": "gs", "azure": "az", "ssh": "sftp", "scp": "sftp"}
_SFTP_PORT = 22
_ENDPOINTS = ("endpoint_url", "host", "service_config", "connection_string")


def check_scope(uri: str, connection: Connection, extra: Mapping[str, Any]) -> None:
    """Refuse a connection that does not fit a URI. Does not check schemes without credentials.

    Args:
        uri: root of the archive.
        connection: with the credentials.
        extra: of the connection.

    Raises:
        InputError: the connection is of another type, or for another host (permanent).
    """
    try:
        parts = urlsplit(uri.strip())
        port = parts.port
    except ValueError:
        return  # opening the store raises the error
    kind = _KINDS.get(parts.scheme, parts.scheme)
    types = TYPES.get(kind)
    if types is None:
        return
    name, given = f"connection {connection.conn_id}", connection.conn_type
    if given not in (*types, GENERIC):
        raise InputError(
            name,
            f"it is of type {given or 'none'}, whose credentials are not for {parts.scheme} archives",
            accepted=f"a connection of type {' or '.join(types)}",
        )
    if kind == "sftp":
        _check_host(name, parts, port or _SFTP_PORT, connection)
    elif given == GENERIC and not any(extra.get(field) for field in _ENDPOINTS):
        raise InputError(
            name,
            f"it does not name the server of its credentials, and {GENERIC} connections can be for any server",
            accepted=f"type {types[0]}, or the extra endpoint_url",
        )


def _check_host(name: str, parts: SplitResult, port: int, connection: Connection) -> None:
    theirs = (_host(connection.host), connection.port or _SFTP_PORT)
    wanted = (_host(parts.hostname), port)
    if theirs != wanted:
        place = f"{wanted[0]}:{wanted[1]}"
        raise InputError(
            name,
            f"its credentials are for {theirs[0]}:{theirs[1]}, and the archive is at {place}"
            if theirs[0]
            else f"it names no host, so its credentials do not go to {place}",
            accepted="the host and port of the archive in the connection",
        )


def _host(text: str | None) -> str:
    host = (text or "").strip().lower().rpartition("//")[2].rstrip("/").rstrip(".")
    return host.removeprefix("[").removesuffix("]")
