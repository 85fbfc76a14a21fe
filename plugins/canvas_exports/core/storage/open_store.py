"""Open the store that a root URI names."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from canvas_exports.core.storage.forbidden_folders import check_root
from canvas_exports.core.storage.options import NO_PROTECTION, StoreOptions
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import InputError

ACCEPTED = "s3://bucket/path, gs://bucket/path, az://container/path, file:///path, sftp://user@host/path"


_CLOUDS = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "az": "az", "azure": "az"}
_SFTP = ("sftp", "ssh", "scp")


def open_store(uri: str, options: StoreOptions | None = None, *, field: str = "archive") -> Store:
    """Return the store of a root URI. Opens no connection: the first operation, or ``check_writable``, does.

    Args:
        uri: ``s3://bucket/path``, ``gs://bucket/path``, ``az://container/path``, ``file:///path``,
            ``sftp://user@host/path``. It never contains a password.
        options: credentials and settings; missing ones come from the environment.
        field: the name of the field to blame in an error.

    Raises:
        InputError: a malformed URI, an unknown scheme, a password in the URI, or a package that is not installed.
    """
    options = options or StoreOptions()
    store = _open(uri, options, field)
    store.required_digest = options.required_digest
    return store


def _open(uri: str, options: StoreOptions, field: str) -> Store:
    try:
        parts = urlsplit(uri.strip())
        port = parts.port
    except ValueError:
        raise InputError(field, "this is not a URI", accepted=ACCEPTED) from None
    if parts.password is not None:
        # Not repeated in the message: it holds the password.
        raise InputError(
            field,
            "credentials do not belong in the URI: they come from the environment, or in Airflow from a connection",
            accepted=ACCEPTED,
        )
    if parts.query or parts.fragment:
        raise InputError(field, "an archive's URI has no query and no fragment", accepted=ACCEPTED)
    if parts.scheme in _CLOUDS:
        return _cloud(parts, options, field)
    if options.protection != NO_PROTECTION:
        raise InputError(
            field,
            f"{parts.scheme} archives know no encryption keys, storage classes, locks or tags",
            accepted="s3, gs, az",
        )
    if parts.scheme == "file" and parts.netloc in ("", "localhost") and parts.path.startswith("/"):
        from canvas_exports.core.storage.local import FileStore  # noqa: PLC0415 - as the other stores

        root = Path(unquote(parts.path))
        check_root(root, options.forbidden, field=field)
        return FileStore(uri.strip().rstrip("/"), root)
    if parts.scheme in _SFTP and parts.hostname:
        return _sftp(parts, parts.hostname, port, options, field)
    raise InputError(field, f"{_without_credentials(parts)!r} is not a place to store in", accepted=ACCEPTED)


def _cloud(parts: SplitResult, options: StoreOptions, field: str) -> Store:
    from canvas_exports.core.storage.cloud import open_cloud  # noqa: PLC0415 - obstore, loaded only for such a store

    bucket, path = parts.netloc, parts.path.strip("/")
    if not re.fullmatch(r"[A-Za-z0-9._-]{3,}", bucket):
        raise InputError(field, f"{bucket!r} is not a bucket", accepted=ACCEPTED)
    segments = path.split("/") if path else []
    if not all(re.fullmatch(r"[A-Za-z0-9._=-]+", segment) and segment.strip(".") for segment in segments):
        raise InputError(
            field, f"{path!r} is not a safe path", accepted="A-Z a-z 0-9 . _ = - between slashes"
        )
    opener = {"s3": open_cloud.open_s3, "gs": open_cloud.open_gcs, "az": open_cloud.open_azure}[
        _CLOUDS[parts.scheme]
    ]
    try:
        return opener(f"{parts.scheme}://{bucket}/{path}".rstrip("/"), bucket, path, options)
    except (open_cloud.SettingsError, OSError):
        # Neither is repeated: a message about a key may hold the key.
        raise InputError(
            field,
            "the settings of this store, or of its connection in Airflow, cannot be used",
            accepted="the keys, account, region, endpoint and certificate file of this kind of store",
        ) from None


def _sftp(parts: SplitResult, host: str, port: int | None, options: StoreOptions, field: str) -> Store:
    from canvas_exports.core.storage.remote.sftp import Sftp  # noqa: PLC0415 - as below
    from canvas_exports.core.storage.remote.smart_open_store import SmartOpenStore  # noqa: PLC0415 - imports smart_open

    root = unquote(parts.path).rstrip("/")
    if ".." in root.split("/"):
        raise InputError(field, f"{root!r} leads upwards", accepted=ACCEPTED)
    user = unquote(parts.username) if parts.username else None
    return SmartOpenStore(_without_credentials(parts).rstrip("/"), Sftp(host, port, user, options), root)


def _without_credentials(parts: SplitResult) -> str:
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
