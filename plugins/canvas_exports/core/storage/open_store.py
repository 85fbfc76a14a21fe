"""From a root URI to a ``Store``."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from canvas_exports.core.archive.key_patterns import probe_key
from canvas_exports.core.model.backoff import pauses
from canvas_exports.core.storage.forbidden_folders import check_root
from canvas_exports.core.storage.options import StoreOptions
from canvas_exports.core.storage.protection import NONE
from canvas_exports.core.storage.store import PROBE_TEXT, Store
from canvas_exports.errors import ArchiveError, ArchiveUnavailableError, InputError, ObjectNotFoundError

ACCEPTED = "s3://bucket/path, gs://bucket/path, az://container/path, file:///path, sftp://user@host/path"

_TRIES_AGAIN = 2

_CLOUDS = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "az": "az", "azure": "az"}
_SFTP = ("sftp", "ssh", "scp")


def open_store(uri: str, options: StoreOptions | None = None, *, field: str = "archive") -> Store:
    """The store below a root URI. Opens no connection: the first operation, or ``check_writable``, does.

    Args:
        uri: ``s3://bucket/path``, ``gs://bucket/path``, ``az://container/path``, ``file:///path``,
            ``sftp://user@host/path``. It names a place, never a password.
        options: credentials and settings; what is missing comes from the environment.
        field: the name of the field to blame in an error.

    Raises:
        InputError: a malformed URI, an unknown scheme, a password in the URI, or a package that is not installed.
    """
    options = options or StoreOptions()
    try:
        parts = urlsplit(uri.strip())
        port = parts.port
    except ValueError:
        raise InputError(field, "this is not a URI", accepted=ACCEPTED) from None
    if parts.password is not None:
        # Not repeated in the message: it holds the password.
        raise InputError(field, "credentials belong in the connection, not in the URI", accepted=ACCEPTED)
    if parts.query or parts.fragment:
        raise InputError(field, "an archive's URI has no query and no fragment", accepted=ACCEPTED)
    if parts.scheme in _CLOUDS:
        return _cloud(parts, options, field)
    if options.protection != NONE:
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
    raise InputError(field, f"{_without_user(parts)!r} is not a place to store in", accepted=ACCEPTED)


def check_writable(store: Store) -> None:
    """Prove, before anything is created in Canvas, that packages can be stored: by the very operations that store them.

    One tiny object is stored as a manifest is and one as a large package is, both under names that no other task uses. They
    are looked up, listed, read in part and deleted. Afterwards the store knows what it can do (``Store.find_out``). A store
    that forbids deleting is fine; the probes then stay, for a later sweep or a lifecycle rule.

    Raises:
        ArchiveDeniedError: no credentials, no such bucket, no right to write, or no locks where the archive's
            connection asks for them (permanent).
        ArchiveUnavailableError: the store cannot be reached, or does not give back what it was given (retryable).
        ArchiveError: the store does not offer what it takes (permanent).
    """
    store.check_locks()
    small = probe_key(".json")
    stored = []
    try:
        store.find_out(small)
        stored.append(small)
        large = _put_large(store)
        stored.append(large)
        try:
            given = store.read(large, len(PROBE_TEXT), 7)
        except ObjectNotFoundError:
            raise ArchiveUnavailableError(
                "the store does not find what it has just been given: an archive needs one that is consistent at once",
                key=large,
            ) from None
        if given != PROBE_TEXT[:7]:
            raise ArchiveUnavailableError("the store gives back other bytes than it was given", key=large)
        next(iter(store.list(small)), None)
    finally:
        for key in stored:  # what an answer that was lost has left is swept later
            with suppress(ArchiveError):  # what may have gone wrong before is the one to tell
                store.delete(key)


def _put_large(store: Store) -> str:
    """Store as large packages are; what may pass is tried again, as the small object has shown that the store is there."""
    for pause in pauses(_TRIES_AGAIN):
        key = probe_key(".zip")
        try:
            store.put(key, iter((PROBE_TEXT, PROBE_TEXT)))
        except ArchiveUnavailableError:
            if pause is None:
                raise
            time.sleep(pause)
        else:
            return key
    raise AssertionError("the last of the pauses is none")


def _cloud(parts: SplitResult, options: StoreOptions, field: str) -> Store:
    from canvas_exports.core.storage.cloud import open_cloud  # noqa: PLC0415 - obstore, only for who opens such a store

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
            "the settings of its connection cannot be used",
            accepted="the keys, account, region, endpoint and certificate file of this kind of store",
        ) from None


def _sftp(parts: SplitResult, host: str, port: int | None, options: StoreOptions, field: str) -> Store:
    from canvas_exports.core.storage.remote.sftp import Sftp  # noqa: PLC0415 - as below
    from canvas_exports.core.storage.remote.smart_open_store import SmartOpenStore  # noqa: PLC0415 - imports smart_open

    root = unquote(parts.path).rstrip("/")
    if ".." in root.split("/"):
        raise InputError(field, f"{root!r} leads upwards", accepted=ACCEPTED)
    user = unquote(parts.username) if parts.username else None
    return SmartOpenStore(_without_user(parts).rstrip("/"), Sftp(host, port, user, options), root)


def _without_user(parts: SplitResult) -> str:
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
