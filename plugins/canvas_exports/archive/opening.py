"""From a root URI to a ``Store``."""

from __future__ import annotations

from canvas_exports.archive.credentials import StoreOptions
from canvas_exports.archive.store import Store


def open_store(uri: str, options: StoreOptions | None = None) -> Store:
    """The store below a root URI. Opens no connection: the first operation, or ``check_writable``, does.

    Args:
        uri: ``s3://bucket/path``, ``gs://bucket/path``, ``az://container/path``, ``file:///path``,
            ``sftp://user@host/path``, ... It names a place, never a password.
        options: credentials and settings; what is missing comes from the environment.

    Raises:
        InputError: a malformed URI, an unknown scheme, a password in the URI, or a package that is not installed.
    """
    raise NotImplementedError


def check_writable(store: Store) -> None:
    """Prove, before anything is created in Canvas, that objects can be written: put a tiny probe and delete it.

    A store that forbids deleting is fine; the probe then stays, under one reserved name.

    Raises:
        ArchiveDeniedError: no credentials, no such bucket, or no right to write (permanent).
        ArchiveUnavailableError: the store cannot be reached (retryable).
    """
    raise NotImplementedError
