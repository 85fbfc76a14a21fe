"""obstore's errors as ours. Its messages hold URLs, and those of Azure a signature: only what is safe is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from canvas_exports.archive.store import absent
from canvas_exports.errors import (
    AlreadyStoredError,
    ArchiveDeniedError,
    ArchiveError,
    ArchiveUnavailableError,
    LockedError,
)

_DENIED = ("401", "403")
# Of GCS and Azure. In a batch, Azure tells no code.
_LOCKED = (
    "ObjectUnderActiveHold",
    "RetentionPolicyNotMet",
    "BlobImmutableDueToPolicy",
    "BlobImmutableDueToLegalHold",
)
_IMMUTABLE = "blob is immutable due to"
_MISDIRECTED = ("301", "400")
_CAUSES = re.compile(
    r"Connection refused|Connection reset|dns error|connection closed|timed out|invalid peer certificate: \w+"
)
# The addresses at which a machine in a cloud asks who it is: asked only if there were no other credentials.
_NO_CREDENTIALS = re.compile(r"169\.254\.\d+\.\d+|metadata\.google\.internal|fd00:ec2::254")


@contextmanager
def translated(uri: str, action: str, key: str) -> Iterator[None]:
    """Raise obstore's errors as ours.

    Args:
        uri: the archive's root.
        action: a verb, for the message.
        key: of the object.

    Raises:
        ObjectNotFoundError: there is no such object.
        AlreadyStoredError: there is one already.
        ArchiveDeniedError: no credentials, no right, no bucket.
        LockedError: nobody may delete or replace it yet.
        ArchiveUnavailableError: everything that may pass.
    """
    from obstore import exceptions  # noqa: PLC0415 - native code, only for who opens such a store

    try:
        yield
    except (exceptions.BaseError, OSError) as error:
        raise _ours(error, uri, action, key) from None


def _ours(error: Exception, uri: str, action: str, key: str) -> Exception:
    from obstore import exceptions  # noqa: PLC0415 - as above

    text = str(error)
    status = _found(r"status code: (\d{3})", text)
    code = _found(r"<Code>(\w+)</Code>", text) or _found(
        r"\(code: (\w+)\)", text
    )  # the latter of a bulk delete
    detail = ", ".join(part for part in (code, status and f"HTTP {status}") if part)
    if code in _LOCKED or _IMMUTABLE in text:
        return LockedError(f"cannot {action}: the store has locked it", key=key)
    if isinstance(error, exceptions.AlreadyExistsError):
        return AlreadyStoredError("the key is taken", key=key)
    # An upload is not known any more once it is complete: the answer to that was lost, and the call repeated.
    ended = code == "NoSuchUpload"
    no_bucket = code == "NoSuchBucket" or (status == "404" and action in ("store", "list") and not ended)
    if isinstance(error, FileNotFoundError) and not (no_bucket or ended):
        return absent(key)
    kind: type[ArchiveError] = ArchiveDeniedError
    if no_bucket:
        message = f"cannot {action}: there is no bucket {uri}; create it or correct the URI"
    elif _NO_CREDENTIALS.search(text):
        message = f"cannot {action}: no credentials for {uri}; name a connection that has them"
    elif (
        status in _DENIED
        or code == "AccessDenied"
        or isinstance(error, exceptions.PermissionDeniedError | exceptions.UnauthenticatedError)
    ):
        message = f"cannot {action} in {uri}: {detail}; check the credentials and their rights"
    elif status in _MISDIRECTED and code != "ExpiredToken":
        kind, message = ArchiveError, f"cannot {action} in {uri}: {detail}; check region and endpoint"
    else:
        cause = detail or _found(f"({_CAUSES.pattern})", text) or "no answer"
        kind, message = ArchiveUnavailableError, f"cannot {action} in {uri} at present: {cause}"
    return kind(message, key=key)


def _found(pattern: str, text: str) -> str | None:
    match = re.search(pattern, text)
    return match and match[1]
