"""The settings of a store, as plain data. Secrets never appear in ``repr`` or in a log."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from canvas_exports.core.storage.buffers import MiB
from canvas_exports.core.text.log_redaction import mask_secrets

LockMode = Literal["governance", "compliance"]


@dataclass(frozen=True)
class Protection:
    """Protection of the objects of a store: encryption, storage class, locks, tags. All of it is optional.

    ``hooks.archive_protection`` reads it from a connection, and refuses what a backend cannot do.

    Attributes:
        encryption: kind of server-side encryption of S3: ``AES256``, ``aws:kms`` or ``aws:kms:dsse``.
        key: the key to encrypt with: of KMS (S3), of Cloud KMS (GCS), or the name of an encryption scope (Azure).
        storage_class: of packages. Manifests and reports stay in the default class of the bucket: they are read often.
        lock_mode: ``governance``: a user with a special permission may lift the lock; ``compliance``: no user may.
        lock_for: how long a package and its manifest are locked, from the moment they are stored.
        legal_hold: lock them until the hold is lifted.
        tags: of every object.
    """

    encryption: str | None = None
    key: str | None = None
    storage_class: str | None = None
    lock_mode: LockMode | None = None
    lock_for: timedelta | None = None
    legal_hold: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def locks(self) -> bool:
        """Return whether objects are to be locked."""
        return self.lock_for is not None or self.legal_hold


NO_PROTECTION = Protection()


@dataclass(frozen=True)
class AccessKeys:
    """The keys of an S3 account as they are now. ``expires_at`` is ``None`` for keys that do not expire."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        mask_secrets(self.secret_key, self.session_token)


KeysProvider = Callable[[], AccessKeys]


@dataclass(frozen=True)
class ResponseLimits:
    """The limits of one response of a store, where it is no stored object: a page of a list, an error, the state of a lock.

    Attributes:
        size: bytes of its body, decoded. A thousand of the longest names, each character written as nine, are less.
        seconds: from the start of the request to the end of its body, however steadily the bytes arrive.
    """

    size: int = 32 * MiB
    seconds: float = 300


@dataclass(frozen=True)
class StoreOptions:
    """The settings of a store that its URI does not contain. Missing ones come from the environment, as for the backend's own tools.

    Attributes:
        endpoint: URL of an S3, GCS or Azure compatible server; ``None`` for the cloud's own.
        region: S3 region.
        addressing_style: position of the bucket in an S3 address: ``path``, ``virtual`` (in the host name), or ``auto``.
        access_key: S3 access key id.
        secret_key: S3 secret access key.
        session_token: S3 session token that goes with the two.
        keys: called when keys are needed and the last ones are about to expire, so that an upload may take longer than
            they are valid; wins over the three above. Called from several threads.
        account: Azure storage account.
        account_key: Azure account key.
        sas_token: Azure shared access signature.
        service_account: GCS service account key, the JSON document itself.
        username: SFTP user; wins over one in the URI.
        password: SFTP password.
        key_file: path of an SFTP private key, or of a GCS service account key.
        private_key: SFTP private key in PEM, OpenSSH's format included.
        passphrase: of the SFTP private key.
        known_hosts: path of the file that names the SFTP host's key; ``None`` for the user's own.
        host_key: the SFTP host's public key as ``ssh-ed25519 AAAA...``; wins over ``known_hosts``.
        verify: ``False`` skips TLS certificate checks; a path names a bundle of authorities to trust besides the
            system's.
        unsigned_payload: S3 over plain http: do not sign what is sent, which hashes it a second time, but send a CRC64NVME
            with every part. A store that supports it refuses parts that were damaged in transit, but not forged ones.
        retries: repetitions of a request that the store fails; the waits between them grow.
        limits: of each response to a cloud's SDK.
        protection: encryption, storage class, locks and tags.
        required_digest: the only algorithm by which packages may be digested, ``sha256``; ``None`` for the choice of
            ``core.packages.digests``.
        settings: further settings of the backend under obstore's names.
        forbidden: folders that a file archive may neither lie in nor hold; see ``forbidden_folders``.
    """

    endpoint: str | None = None
    region: str | None = None
    addressing_style: str = "auto"
    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    keys: KeysProvider | None = field(default=None, repr=False)
    account: str | None = None
    account_key: str | None = field(default=None, repr=False)
    sas_token: str | None = field(default=None, repr=False)
    service_account: str | None = field(default=None, repr=False)
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    key_file: str | None = None
    private_key: str | None = field(default=None, repr=False)
    passphrase: str | None = field(default=None, repr=False)
    known_hosts: str | None = None
    host_key: str | None = None
    verify: bool | str = True
    unsigned_payload: bool = False
    retries: int = 6
    limits: ResponseLimits = ResponseLimits()
    protection: Protection = NO_PROTECTION
    required_digest: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)
    forbidden: Sequence[Path] = ()

    def __post_init__(self) -> None:
        mask_secrets(
            self.secret_key,
            self.session_token,
            self.account_key,
            self.sas_token,
            self.service_account,
            self.password,
            self.private_key,
            self.passphrase,
            *(
                value
                for name, value in self.settings.items()
                if re.search(r"key|secret|token|password", name)
            ),
        )
