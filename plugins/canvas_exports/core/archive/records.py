"""Records: the verifications, drills and holds of a copy, in documents of their own beside its manifest.

A record is about a package, so its key begins with that of the package. If several manifests name one package (an unchanged
course), its records stand beside the first of them, are valid for all, and stay as long as the package does.

A manifest is never rewritten. The name of a record states its result, so a listing answers most questions without reading::

    courses/101/20261123T020000Z-common_cartridge-501.json                                      the manifest
    courses/101/20261123T020000Z-common_cartridge-501.verify-20261130T031500Z-full-intact.json  a verification
    courses/101/20261123T020000Z-common_cartridge-501.drill-20261201T040000Z-course-passed.json a restore drill
    courses/101/20261123T020000Z-common_cartridge-501.hold-20261202T090000Z-legal-set.json      a hold

A hold is a word that a person puts on a package: it and every copy that names it stay, under any policy, until the same
word is ``lifted``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum
from typing import Any

from canvas_exports.core.archive.layout import CONTEXT_FOLDERS
from canvas_exports.core.storage.object_keys import check_key
from canvas_exports.core.text.wording import YEARS

_TIME = "%Y%m%dT%H%M%SZ"
_WORD = "[a-z]+"


class RecordKind(str, Enum):
    """The action that a record documents."""

    VERIFY = "verify"
    DRILL = "drill"
    HOLD = "hold"


_NAME = re.compile(
    rf"(?P<stem>.+)\.(?P<kind>{'|'.join(kind.value for kind in RecordKind)})-(?P<at>[0-9]{{8}}T[0-9]{{6}}Z)"
    rf"-(?P<detail>{_WORD})-(?P<result>{_WORD})\.json"
)


@dataclass(frozen=True)
class RecordName:
    """The content of a record's name.

    Attributes:
        manifest: key of the manifest that was written for the package it is about (see ``layout.manifest_key``).
        kind: what was done.
        at: when it ended (UTC, whole seconds).
        detail: how: the level of a verification, what a drill restored into, why something is held. A word of ``a-z``.
        result: how it ended, likewise: such as ``intact``, ``damaged``, ``passed``, ``set``.
    """

    manifest: str
    kind: RecordKind
    at: datetime
    detail: str
    result: str

    @property
    def key(self) -> str:
        """Return the key of the record.

        Raises:
            ValueError: it is not a valid name; a mistake of the program.
        """
        stem = self.manifest.removesuffix(".json")
        key = f"{stem}.{self.kind.value}-{self.at.astimezone(timezone.utc):{_TIME}}-{self.detail}-{self.result}.json"
        if stem == self.manifest or not _NAME.fullmatch(key) or self.at.year not in YEARS:
            raise ValueError(f"not a record's name: {key[:200]!r}")
        return check_key(key)


def described(key: str, size: int, digests: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
    """Return the version of a record's schema, and what the record says of its package.

    It is 1, which requires a SHA-256, as long as the package has one.
    """
    package = {"key": key, "size": size, "digests": dict(digests)}
    if (sha256 := digests.get("sha256")) is None:
        return 2, package
    return 1, {**package, "sha256": sha256}


def read_record_name(key: str) -> RecordName | None:
    """Read the key of a record; ``None`` for every other key, manifests included."""
    found = _NAME.fullmatch(key)
    if found is None:
        return None
    try:
        at = datetime.strptime(found["at"], _TIME).replace(tzinfo=timezone.utc)
    except ValueError:  # the thirtieth of February
        return None
    if at.year not in YEARS:
        return None
    return RecordName(
        f"{found['stem']}.json", RecordKind(found["kind"]), at, found["detail"], found["result"]
    )


def is_manifest_key(key: str) -> bool:
    """Return whether a key below ``courses/``, ``groups/`` or ``users/`` can be a manifest's."""
    return key.endswith(".json") and key.startswith(CONTEXT_FOLDERS) and read_record_name(key) is None
