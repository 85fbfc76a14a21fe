from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.storage.options import NO_PROTECTION, Protection
from canvas_exports.errors import InputError
from canvas_exports.hooks.archive_protection import EXTRAS, read_protection

CMEK = "projects/campus/locations/eu/keyRings/backups/cryptoKeys/canvas"
#: A value of each extra that some cloud takes.
GOOD: dict[str, Any] = {
    "encryption": "aws:kms",
    "kms_key": CMEK,
    "encryption_scope": "backups",
    "storage_class": "STANDARD",
    "lock_mode": "compliance",
    "lock_for": "P1Y",
    "legal_hold": True,
    "tags": {"owner": "LMS"},
}


def test_nothing_asked_is_nothing_done() -> None:
    assert read_protection("s3", {}) == NO_PROTECTION
    assert read_protection("sftp", {"key_file": "/key"}) == NO_PROTECTION


@pytest.mark.parametrize(
    ("kind", "extra", "asked"),
    [
        ("s3", {"encryption": "AES256"}, Protection(encryption="AES256")),
        (
            "s3",
            {"encryption": "aws:kms:dsse", "kms_key": "alias/backups"},
            Protection(encryption="aws:kms:dsse", key="alias/backups"),
        ),
        ("gs", {"kms_key": CMEK}, Protection(key=CMEK)),
        ("az", {"encryption_scope": "backups"}, Protection(key="backups")),
        ("s3", {"storage_class": "GLACIER_IR"}, Protection(storage_class="GLACIER_IR")),
        ("gs", {"storage_class": "ARCHIVE"}, Protection(storage_class="ARCHIVE")),
        ("az", {"storage_class": "Cold"}, Protection(storage_class="Cold")),
        (
            "az",
            {"lock_mode": "governance", "lock_for": "P30D"},
            Protection(lock_mode="governance", lock_for=timedelta(days=30)),
        ),
        ("gs", {"legal_hold": "true"}, Protection(legal_hold=True)),
        ("s3", {"tags": '{"owner": "LMS team"}'}, Protection(tags={"owner": "LMS team"})),
    ],
)
def test_what_a_cloud_has_is_read(kind: str, extra: dict[str, Any], asked: Protection) -> None:
    assert read_protection(kind, extra) == asked


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (kind, name)
        for name, kinds in EXTRAS.items()
        for kind in ("s3", "gs", "az", "file", "sftp")
        if kind not in kinds
    ],
)
def test_what_an_archive_does_not_have_is_refused_by_name(kind: str, name: str) -> None:
    with pytest.raises(
        InputError, match=f"connection campus, extra {name}: {kind} archives do not support it"
    ):
        read_protection(kind, {name: GOOD[name]}, connection="campus")


@pytest.mark.parametrize(
    ("kind", "extra", "problem"),
    [
        ("s3", {"encryption": "rot13"}, "encryption.*AES256, aws:kms"),
        ("s3", {"kms_key": "alias/backups"}, "kms_key.*needs an encryption by KMS"),
        ("s3", {"kms_key": "alias/backups", "encryption": "AES256"}, "kms_key"),
        ("gs", {"kms_key": "canvas"}, "kms_key.*cryptoKeys"),
        ("az", {"encryption_scope": "x"}, "encryption_scope"),
        ("s3", {"storage_class": "DEEP_ARCHIVE"}, "storage_class.*cannot be read immediately"),
        ("s3", {"storage_class": "GLACIER"}, "storage_class.*cannot be read immediately"),
        ("s3", {"storage_class": "standard ia"}, "storage_class"),
        ("gs", {"storage_class": "GLACIER"}, "storage_class.*NEARLINE"),
        ("az", {"storage_class": "Archive"}, "storage_class.*Cool"),
        ("s3", {"lock_for": "P30D"}, "lock_for.*need each other"),
        ("s3", {"lock_mode": "governance"}, "lock_for.*need each other"),
        ("s3", {"lock_mode": "GOVERN", "lock_for": "P30D"}, "lock_mode.*governance, compliance"),
        ("s3", {"lock_mode": "governance", "lock_for": "30 days"}, "lock_for.*ISO 8601"),
        ("s3", {"lock_mode": "governance", "lock_for": "PT1M"}, "lock_for.*too short"),
        ("s3", {"lock_mode": "governance", "lock_for": "P200Y"}, "lock_for.*too long"),
        ("s3", {"legal_hold": "perhaps"}, "legal_hold.*true, false"),
        ("s3", {"tags": ["owner"]}, "tags"),
        ("s3", {"tags": "{owner"}, "tags"),
        ("s3", {"tags": {"owner": 1}}, "tags"),
        ("s3", {"tags": {"owner": "Zoë"}}, "tags"),
        ("s3", {"tags": {"": "x"}}, "tags"),
        ("s3", {"tags": {str(n): "x" for n in range(11)}}, "tags.*up to 10"),
    ],
)
def test_a_bad_value_is_refused_with_its_name_and_what_is_accepted(
    kind: str, extra: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InputError, match=f"connection archive, extra {problem}"):
        read_protection(kind, extra)


@given(st.sampled_from(["s3", "gs", "az", "sftp"]), st.sets(st.sampled_from(sorted(GOOD))))
def test_nothing_that_is_asked_for_is_ever_ignored(kind: str, names: set[str]) -> None:
    asked = {name: GOOD[name] for name in names}
    fields = {"kms_key": "key", "encryption_scope": "key"}
    try:
        read = read_protection(kind, asked)
    except InputError as error:
        assert any(f"extra {name}:" in str(error) for name in (*names, "lock_for"))  # noqa: PT017 - or else below
    else:
        assert all(
            getattr(read, fields.get(name, name)) != getattr(NO_PROTECTION, fields.get(name, name))
            for name in names
        )
