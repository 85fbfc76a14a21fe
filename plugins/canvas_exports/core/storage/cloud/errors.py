"""Translate obstore's errors. Its messages hold URLs, and those of Azure a signature: only safe parts are kept."""

from __future__ import annotations

import re

from canvas_exports.core.storage.cloud.error_codes import ErrorResponse, no_credentials
from canvas_exports.core.storage.store import not_found
from canvas_exports.errors import (
    AlreadyStoredError,
    ArchiveDeniedError,
    ArchiveError,
    ArchiveUnavailableError,
    LockedError,
)

# In a batch, Azure sends no code.
_IMMUTABLE = "blob is immutable due to"
_CAUSES = re.compile(
    r"Connection refused|Connection reset|dns error|connection closed|timed out|invalid peer certificate: \w+"
)
# The addresses at which a machine in a cloud asks who it is: asked only if there were no other credentials.
_NO_CREDENTIALS = re.compile(r"169\.254\.\d+\.\d+|metadata\.google\.internal|fd00:ec2::254")
# Of a bulk delete, the code stands in brackets.
_CODES = (r"<Code>([\w.]{1,64})</Code>", r"\(code: ([\w.]{1,64})\)")


def error_response_of(error: Exception) -> ErrorResponse:
    """Return status and code of the response that an error of obstore is about."""
    text = str(error)
    status = _found(r"status code: (\d{3})", text)
    code = next((found for pattern in _CODES if (found := _found(pattern, text))), None)
    return ErrorResponse(int(status) if status else None, code)


def ours(error: Exception, uri: str, action: str, key: str) -> Exception:
    """Return the archive's error for one of obstore's.

    ``ObjectNotFoundError``: there is no such object. ``AlreadyStoredError``: there is one already. ``ArchiveDeniedError``: no
    credentials, no right, no bucket. ``LockedError``: it may not be deleted or replaced yet. ``ArchiveUnavailableError``:
    everything that may pass.

    Args:
        error: of obstore.
        uri: the archive's root.
        action: a verb, for the message.
        key: of the object.
    """
    from obstore import exceptions  # noqa: PLC0415 - native code, loaded only for such a store

    text, refusal = str(error), error_response_of(error)
    # An upload is not known any more once it is complete: the answer to that was lost, and the call repeated.
    ended = refusal.code == "NoSuchUpload"
    missing = refusal.status == 404 and action in ("store", "list") and not ended  # noqa: PLR2004 - HTTP's
    refused = exceptions.PermissionDeniedError | exceptions.UnauthenticatedError
    translated_error: Exception = refusal.error(uri, action, key)
    if refusal.is_lock or _IMMUTABLE in text:
        translated_error = LockedError(f"cannot {action}: the store has locked it", key=key)
    elif isinstance(error, exceptions.AlreadyExistsError) and refusal.is_taken:
        translated_error = AlreadyStoredError("the key is taken", key=key)
    elif refusal.code == "NoSuchBucket" or missing:
        translated_error = ArchiveDeniedError(no_bucket(uri, action), key=key)
    elif isinstance(error, FileNotFoundError) and not ended:
        translated_error = not_found(key)
    elif _NO_CREDENTIALS.search(text):
        translated_error = ArchiveDeniedError(f"cannot {action} in {uri}: {no_credentials(uri)}", key=key)
    elif not refusal.detail and "ETag Header missing" in text:
        translated_error = ArchiveError(
            f"cannot {action} in {uri}: the store's answers bear no ETag; what stands before it may remove them",
            key=key,
        )
    elif not refusal.detail and "invalid multipart response" in text:
        translated_error = ArchiveUnavailableError(
            f"cannot {action} in {uri} at present: the store began to accept the upload and then refused it without a reason "
            "that can be read; look at its own log",
            key=key,
        )
    elif not refusal.detail and isinstance(error, refused):
        translated_error = ArchiveDeniedError(
            f"cannot {action} in {uri}; check the credentials and their rights", key=key
        )
    elif not refusal.detail and (cause := _found(f"({_CAUSES.pattern})", text)):
        translated_error = ArchiveUnavailableError(f"cannot {action} in {uri} at present: {cause}", key=key)
    return translated_error


def is_of_abort(error: Exception) -> bool:
    """Return whether an error is about the abort of an upload in parts: the one before it, which mattered, is lost then."""
    return re.search(r"method: DELETE|performing DELETE", str(error)) is not None


def was_never_sent(error: Exception) -> bool:
    """Return whether a request did not even reach a server: then it has done nothing there, and can be repeated."""
    return re.search(r"Connection refused|dns error|tcp connect error", str(error)) is not None


def no_bucket(uri: str, action: str) -> str:
    """Return the message for a bucket that does not exist."""
    return f"cannot {action}: there is no bucket {uri}; create it or correct the URI"


def _found(pattern: str, text: str) -> str | None:
    match = re.search(pattern, text)
    return match and match[1]
