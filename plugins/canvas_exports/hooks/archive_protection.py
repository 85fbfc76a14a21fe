"""Read encryption, storage class, locks and tags from the extras of an archive's connection."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, cast, get_args

from canvas_exports.core.model.durations import read_duration
from canvas_exports.core.model.flags import read_flag
from canvas_exports.core.storage.options import LockMode, Protection
from canvas_exports.errors import InputError

S3, GCS, AZURE = "s3", "gs", "az"

#: The clouds that support each extra.
EXTRAS: dict[str, tuple[str, ...]] = {
    "encryption": (S3,),
    "kms_key": (S3, GCS),
    "encryption_scope": (AZURE,),
    "storage_class": (S3, GCS, AZURE),
    "lock_mode": (S3, GCS, AZURE),
    "lock_for": (S3, GCS, AZURE),
    "legal_hold": (S3, GCS, AZURE),
    "tags": (S3, AZURE),
}

_ENCRYPTIONS = ("AES256", "aws:kms", "aws:kms:dsse")
_KEYS = {
    S3: (r"[\w:/+=,.@-]+", "the id, alias or ARN of a KMS key"),
    GCS: (
        r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+",
        "projects/<project>/locations/<location>/keyRings/<ring>/cryptoKeys/<key>",
    ),
    AZURE: (r"[A-Za-z0-9][A-Za-z0-9-]{2,62}", "the name of an encryption scope"),
}
# Storage classes from which objects cannot be read immediately.
_OFFLINE = {S3: ("GLACIER", "DEEP_ARCHIVE"), AZURE: ("Archive",)}
_CLASSES = {
    S3: (r"[A-Z0-9_]+", "STANDARD, STANDARD_IA, ONEZONE_IA, INTELLIGENT_TIERING, GLACIER_IR, ..."),
    GCS: (r"STANDARD|NEARLINE|COLDLINE|ARCHIVE", "STANDARD, NEARLINE, COLDLINE, ARCHIVE"),
    AZURE: (r"Hot|Cool|Cold", "Hot, Cool, Cold"),
}
_MOST_TAGS = 10
_TAG = r"[A-Za-z0-9 +\-=._:/]"
_LONGEST_NAME, _LONGEST_VALUE = 128, 256
_LONGEST_LOCK = timedelta(days=100 * 365)


def read_protection(kind: str, extra: Mapping[str, Any], *, connection: str = "archive") -> Protection:
    """Read the protection that a connection sets.

    Args:
        kind: ``s3``, ``gs``, ``az``, or the scheme of another archive, which supports none of these extras.
        extra: of the connection, without empty values.
        connection: its id, for messages.

    Raises:
        InputError: this kind of archive does not support the extra or its value.
    """

    def malformed(name: str, problem: str, accepted: str) -> InputError:
        return InputError(f"connection {connection}, extra {name}", problem, accepted=accepted)

    for name, kinds in EXTRAS.items():
        if name in extra and kind not in kinds:
            raise malformed(
                name, f"{kind} archives do not support it", f"it in connections of {', '.join(kinds)}"
            )
    lock_for = extra.get("lock_for")
    lock_mode = extra.get("lock_mode")
    if (lock_for is None) != (lock_mode is None):
        raise malformed("lock_for", "lock_mode and lock_for need each other", "both, or neither")
    if lock_mode is not None and lock_mode not in get_args(LockMode):
        raise malformed("lock_mode", f"{lock_mode!r} is not a lock mode", ", ".join(get_args(LockMode)))
    encryption = extra.get("encryption")
    key = _name(kind, "encryption_scope" if kind == AZURE else "kms_key", extra, _KEYS, malformed)
    if encryption is not None and encryption not in _ENCRYPTIONS:
        raise malformed("encryption", f"{encryption!r} is not an encryption of S3", ", ".join(_ENCRYPTIONS))
    if kind == S3 and key is not None and encryption in (None, "AES256"):
        raise malformed("kms_key", "it needs an encryption by KMS", "encryption aws:kms or aws:kms:dsse")
    storage_class = _name(kind, "storage_class", extra, _CLASSES, malformed)
    if storage_class in _OFFLINE.get(kind, ()):
        raise malformed(
            "storage_class",
            f"objects in {storage_class} cannot be read immediately, but verification and restore read packages",
            _CLASSES[kind][1],
        )
    return Protection(
        encryption=encryption,
        key=key,
        storage_class=storage_class,
        lock_mode=cast("LockMode | None", lock_mode),
        lock_for=None if lock_for is None else _lock_duration(lock_for, malformed),
        legal_hold=_legal_hold(extra.get("legal_hold", False), malformed),
        tags=_tags(extra.get("tags", {}), malformed),
    )


_MakeError = Callable[[str, str, str], InputError]


def _name(
    kind: str,
    field: str,
    extra: Mapping[str, Any],
    known: Mapping[str, tuple[str, str]],
    malformed: _MakeError,
) -> str | None:
    value = extra.get(field)
    if value is None:
        return None
    pattern, accepted = known[kind]
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise malformed(field, f"{value!r} is malformed", accepted)
    return value


def _lock_duration(value: Any, malformed: _MakeError) -> timedelta:
    accepted = "ISO 8601, from PT1H to P100Y: P30D, P1Y"
    try:
        length = read_duration(value, field="lock_for")
    except InputError:
        raise malformed("lock_for", f"{value!r} is not a duration", accepted) from None
    if not timedelta(hours=1) <= length <= _LONGEST_LOCK:
        raise malformed("lock_for", f"{value!r} is too short or too long", accepted)
    return length


def _legal_hold(value: Any, malformed: _MakeError) -> bool:
    try:
        return read_flag("legal_hold", value)
    except InputError:
        raise malformed("legal_hold", f"{value!r} is neither true nor false", "true, false") from None


def _tags(value: Any, malformed: _MakeError) -> dict[str, str]:
    accepted = (
        f'an object of up to {_MOST_TAGS} names with values, such as {{"owner": "LMS"}}: letters without accents, digits, '
        f"spaces and + - = . _ : /, names up to {_LONGEST_NAME}, values up to {_LONGEST_VALUE} characters"
    )
    try:
        tags = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        tags = None
    if not isinstance(tags, dict) or len(tags) > _MOST_TAGS:
        raise malformed("tags", "the tags are malformed", accepted)
    for name, text in tags.items():
        if not (
            isinstance(text, str)
            and re.fullmatch(f"{_TAG}{{1,{_LONGEST_NAME}}}", name)
            and re.fullmatch(f"{_TAG}{{0,{_LONGEST_VALUE}}}", text)
        ):
            raise malformed("tags", f"{name!r} and its value are not a valid tag", accepted)
    return tags
