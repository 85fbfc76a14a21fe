"""Where S3 expects the name of a bucket: in the path of its addresses, or before the name of the host."""

from __future__ import annotations

import re

from canvas_exports.errors import InputError

STYLES = ("auto", "path", "virtual")

# What can be the first label of a host's name, and is covered by a wildcard certificate.
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,61}[a-z0-9])")


def is_virtual(style: str, bucket: str, endpoint: str | None) -> bool:
    """Whether the bucket stands before the host's name.

    ``auto`` is as boto3 does it: with Amazon, if the bucket's name allows it; not with another server.

    Args:
        style: one of ``STYLES``.
        bucket: its name.
        endpoint: URL of another server than Amazon's.

    Raises:
        InputError: no such style.
    """
    if style not in STYLES:
        raise InputError(
            "addressing_style", f"{style!r} is no way to address a bucket", accepted=", ".join(STYLES)
        )
    return style == "virtual" or (style == "auto" and not endpoint and _LABEL.fullmatch(bucket) is not None)
