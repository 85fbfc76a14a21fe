"""Find the location of an archive by its name or root URI."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow.sdk import Connection

from canvas_exports.errors import InputError
from canvas_exports.hooks.archive_digest import DIGEST
from canvas_exports.hooks.archive_protection import EXTRAS as PROTECTION
from canvas_exports.hooks.connections import find_connection

CONN_TYPE = "canvas_archive"
FORMS = "forms"

_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}"


def is_name(archive: object) -> bool:
    """Return whether this can be the name of an archive. A URI cannot."""
    return isinstance(archive, str) and re.fullmatch(_NAME, archive.strip()) is not None


@dataclass(frozen=True)
class ArchiveLocation:
    """The root of an archive and how to open it.

    Attributes:
        uri: root of the archive.
        conn_id: the connection with the credentials; ``None`` for those of the environment.
        protection: extras about encryption, storage class, locks and tags; they override those of ``conn_id``.
        digest: the extra ``digest``; overrides that of ``conn_id``.
        also: names of the replicas.
        named: the connection of type ``canvas_archive`` that defines the archive, if there is one.
    """

    uri: str
    conn_id: str | None = None
    protection: Mapping[str, Any] = field(default_factory=dict)
    digest: Any = None
    also: tuple[str, ...] = ()
    named: str | None = None

    @classmethod
    def read(cls, connection: Connection) -> ArchiveLocation:
        """Read a connection of type ``canvas_archive``.

        Raises:
            InputError: it is of another type, or a field is missing or malformed; names the connection and the field.
        """
        name = f"connection {connection.conn_id}"
        if connection.conn_type != CONN_TYPE:
            raise InputError(
                name,
                f"it is of type {connection.conn_type or 'none'}, which names no archive",
                accepted="a connection of type Canvas archive, or a root URI with archive_conn_id",
            )
        if not (connection.host or "").strip():
            raise InputError(
                f"{name}, host", "it is empty", accepted="the root of the archive: s3://bucket/path"
            )
        extra = {key: value for key, value in connection.extra_dejson.items() if value not in (None, "")}
        also = parse_names(name, extra, "also_archives") or ()
        for each in also:
            if not is_name(each):
                raise InputError(
                    f"{name}, also_archives",
                    "one of them is not a name",
                    accepted="ids of other connections of type Canvas archive, with commas",
                )
        return cls(
            uri=str(connection.host).strip(),
            conn_id=str(extra["archive_conn_id"]).strip() if "archive_conn_id" in extra else None,
            protection={key: extra[key] for key in PROTECTION if key in extra},
            digest=extra.get(DIGEST),
            also=also,
            named=connection.conn_id,
        )


def parse_names(name: str, extra: Mapping[str, Any], key: str) -> tuple[str, ...] | None:
    """Return the names in an extra: text with commas between them, or a list; ``None`` if the extra is empty.

    Args:
        name: of the connection, for errors.
        extra: of the connection.
        key: of the extra.

    Raises:
        InputError: it is neither text nor a list of texts (permanent).
    """
    value = extra.get(key)
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    texts = value.split(",") if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(each, str) for each in texts):
        raise InputError(
            f"{name}, {key}", "it is no list of names", accepted="names with commas between them, or a list"
        )
    return tuple(text for each in texts if (text := each.strip()))


def allowed_forms(connection: Connection) -> tuple[str, ...] | None:
    """Return the DAGs whose forms may use a connection; ``None`` if the connection does not restrict them.

    Raises:
        InputError: the extra is malformed (permanent).
    """
    name = f"connection {connection.conn_id}"
    try:
        extra = json.loads(connection.extra or "{}")
    except ValueError:
        extra = None
    if not isinstance(extra, dict):
        raise InputError(f"{name}, extra", "it is no JSON object", accepted='{"name": "value"}, or nothing')
    return parse_names(name, extra, FORMS)


def find_location(archive: str, archive_conn_id: str | None = None) -> ArchiveLocation:
    """Return the location of an archive.

    Args:
        archive: id of a connection of type ``canvas_archive``, or a root URI.
        archive_conn_id: the connection with the credentials for a URI.

    Raises:
        InputError: there is no such connection, or it is malformed; or credentials are named twice.
    """
    if not is_name(archive):
        return ArchiveLocation(archive, archive_conn_id)
    try:
        connection = find_connection(archive.strip())
    except InputError:
        raise InputError(
            "archive",
            f"{archive.strip()!r} is no URI, and there is no connection of this name",
            accepted="the id of a connection of type Canvas archive; or a root URI: s3://bucket/path",
        ) from None
    location = ArchiveLocation.read(connection)
    if archive_conn_id is not None:
        raise InputError(
            "archive_conn_id",
            f"the Canvas archive {archive.strip()} names the connection with its credentials itself",
            accepted="nothing, next to the name of an archive",
        )
    return location


def root_uri(archive: str) -> str:
    """Return the root URI of an archive."""
    return find_location(archive).uri
