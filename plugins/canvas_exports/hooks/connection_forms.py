"""The forms of the connection types: labels, hidden fields, and the fields of the extra. Importing it loads nothing else.

In the form of a provider's info, which Airflow reads from 3.2 on; ``airflow_compat`` makes what 3.1 asks the hooks for.
"""

from __future__ import annotations

from typing import Any


def _field(label: str, description: str) -> dict[str, Any]:
    return {"label": label, "description": description, "schema": {"type": ["string", "null"]}}


_FORMS = _field(
    "Forms", "DAGs whose form may name it, with commas: canvas_export, canvas_restore; empty: all."
)
_PROTECTION = {
    "encryption": ("Encryption", "S3: AES256, aws:kms or aws:kms:dsse."),
    "kms_key": ("KMS key", "S3 and GCS: the key that encrypts each object."),
    "encryption_scope": ("Encryption scope", "Azure: the scope that encrypts each object."),
    "storage_class": ("Storage class", "Of packages: STANDARD_IA, COLDLINE, Cool, ..."),
    "lock_mode": ("Lock", "governance or compliance: whether a user may lift locks."),
    "lock_for": ("Locked for", "How long packages and manifests are locked (ISO 8601: P90D)."),
    "legal_hold": ("Legal hold", "true: locked until the hold is removed."),
    "tags": ("Tags", 'Of every object, as JSON: {"owner": "LMS"}.'),
}

CANVAS_FORM: dict[str, Any] = {
    "ui-field-behaviour": {
        "hidden-fields": ["login"],
        "relabeling": {"password": "Access token", "schema": "Scheme"},
        "placeholders": {
            "host": "canvas.example.edu",
            "schema": "https",
            "password": "an access token of an account administrator; empty with a refresh token",
        },
    },
    "conn-fields": {
        "client_id": {
            "label": "Developer key",
            "description": "In place of an access token: the number of a developer key of Canvas.",
            "schema": {"type": ["string", "null"]},
        },
        "client_secret": {
            "label": "Secret of the developer key",
            "description": "What Canvas shows under Show Key.",
            "schema": {"type": ["string", "null"], "format": "password"},
        },
        "refresh_token": {
            "label": "Refresh token",
            "description": "What Canvas gave when an account administrator allowed the developer key.",
            "schema": {"type": ["string", "null"], "format": "password"},
        },
        "max_in_flight": {
            "label": "Requests in flight",
            "description": "How many requests this token may have under way at once, 1 to 10; empty: 5. Canvas refuses beyond 11.",
            "schema": {"type": ["integer", "null"], "minimum": 1, "maximum": 10},
        },
        "floor": {
            "label": "Rate floor",
            "description": "No request is made while less than this is left of the token's rate budget of 600: 50 to 390; empty: 150.",
            "schema": {"type": ["integer", "null"], "minimum": 50, "maximum": 390},
        },
        "verify": {
            "label": "TLS verification",
            "description": "true, false, or the path of a CA bundle on the workers and triggerers; empty: true.",
            "schema": {"type": ["string", "null"]},
        },
        "forms": _FORMS,
    },
}

ARCHIVE_FORM: dict[str, Any] = {
    "ui-field-behaviour": {
        "hidden-fields": ["login", "password", "port", "schema"],
        "relabeling": {"host": "Root of the archive"},
        "placeholders": {"host": "s3://campus-backups/canvas"},
    },
    "conn-fields": {
        "archive_conn_id": {
            "label": "Connection with its credentials",
            "description": "Such as aws_default, of a type that fits the root; empty: those of the workers.",
            "schema": {"type": ["string", "null"]},
        },
        "also_archives": {
            "label": "Further archives",
            "description": "Connections of this type, with commas: archives that are to hold the same.",
            "schema": {"type": ["string", "null"]},
        },
        "digest": _field("Digest", "sha256: SHA-256 alone, for sites bound to FIPS; empty: the quickest."),
        **{name: _field(label, text) for name, (label, text) in _PROTECTION.items()},
        "forms": _FORMS,
    },
}
