"""What a store is asked to do with what it keeps: encrypt it, lock it, tag it, keep it in a cheaper place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

LockMode = Literal["governance", "compliance"]


@dataclass(frozen=True)
class Protection:
    """All of it optional. ``hooks.protection`` reads it from a connection and refuses what a backend cannot do.

    Attributes:
        encryption: S3's kind of server-side encryption: ``AES256``, ``aws:kms`` or ``aws:kms:dsse``.
        key: the key to encrypt with: of KMS (S3), of Cloud KMS (GCS), or the name of an encryption scope (Azure).
        storage_class: of packages; manifests and reports stay in the bucket's own class, for they are read often.
        lock_mode: ``governance``: who has a special right may lift the lock; ``compliance``: nobody may.
        lock_for: how long a package and its manifest are locked, from the moment they are stored.
        legal_hold: lock them until somebody lifts the hold.
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
        """Whether anything is to be locked."""
        return self.lock_for is not None or self.legal_hold


NONE = Protection()
