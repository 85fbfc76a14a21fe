"""All errors of this package, in one tree.

::

    CanvasExportsError
    ├── InputError              (ValueError)   input of a person is wrong; raised before anything is created
    │   └── ProblemsError                      several such problems at once
    ├── CanvasError                            Canvas, or the connection to it
    │   ├── CredentialError                    the token is unknown, expired or revoked: no call can succeed
    │   ├── PermissionDeniedError              the token is valid, but lacks the right for this object
    │   ├── NotFoundError                      the object is deleted, or was never visible to this token
    │   ├── BadRequestError                    Canvas refuses these arguments
    │   ├── ThrottledError          retryable  the token's rate limit is used up
    │   ├── CanvasUnavailableError  retryable  5xx, maintenance page, no connection, time-out
    │   │   └── ResponseLostError   retryable  a POST may or may not have taken effect: check before repeating it
    │   └── UnexpectedResponseError retryable  a response in no documented form
    ├── DownloadError               retryable  the package could not be downloaded
    │   └── DownloadRefusedError    retryable  the link has expired, or a login page came: a new link may work
    ├── UploadError                 retryable  the package could not be sent to Canvas's storage
    ├── ArchiveError                           object storage
    │   ├── ArchiveDeniedError                 no credentials, or no right to read or write there
    │   │   └── LockedError                    the object is locked and cannot be deleted yet
    │   ├── AlreadyStoredError                 the key is taken; nothing stored is ever replaced
    │   ├── ObjectNotFoundError (KeyError)     there is no object under this key
    │   ├── UnreadableDocumentError            a document of the archive is invalid or too large: passed over
    │   │   └── UnknownDigestError             no digest that the manifest states can be computed here
    │   ├── NoArchiveError                     no copy is stored at this address
    │   └── ArchiveUnavailableError retryable  the store is slow, down, full, or cut the connection
    └── PackageError                           the bytes arrived but are not the package that was requested
        ├── CorruptPackageError     retryable  not a zip, truncated, or with a wrong directory
        │   └── HostileXmlError     retryable  XML with a document type, or beyond every bound
        └── WrongPackageError                  a whole package, of another course or another Canvas

    Stopped                 (BaseException)    the work was cancelled

An error names the context and the export that it is about, what happened, and what to do next. It never contains a token, a
URL with a query, or a person's name. All errors survive pickling.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

from canvas_exports.foreign_text import harmless

_LONGEST = 2000  # characters of a message


class CanvasExportsError(Exception):
    """Root of the tree.

    The message is one printable line of bounded length, also where it contains text from Canvas, a store, a package or a
    person.

    Attributes:
        retryable: whether the same call may succeed later without any change.
        context: the context of the error, such as ``course:101``, if known.
        export_id: Canvas's id of the content export, if known.
    """

    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, context: str | None = None, export_id: int | None = None) -> None:
        message = self._printable(message)
        super().__init__(message)
        self.message = message
        self.context = context and harmless(context, most=_LONGEST)
        self.export_id = export_id

    @property
    def reason(self) -> str:
        """Return the message without context and export, for a report that names them elsewhere."""
        return self.message

    @staticmethod
    def _printable(message: str) -> str:
        return harmless(message, most=_LONGEST)

    def __str__(self) -> str:
        about = [part for part in (self.context, self.export_id and f"export {self.export_id}") if part]
        return f"{', '.join(about)}: {self.message}" if about else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception's own __reduce__ replays positional arguments only and would lose the keyword ones.
        return (_rebuild, (type(self), self.args, self.__dict__.copy()))


def _rebuild(
    kind: type[CanvasExportsError], args: tuple[Any, ...], state: dict[str, Any]
) -> CanvasExportsError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class Stopped(BaseException):
    """The work was cancelled, for example because its task was killed.

    Not an ``Exception``, like ``asyncio.CancelledError``: code that goes on after the failure of one course must not go on
    after this.
    """


class InputError(CanvasExportsError, ValueError):
    """Input of a person is wrong. The message names the field, the value and the accepted values.

    Attributes:
        field: the field.
        problem: what is wrong with it, as a sentence.
        accepted: what is accepted instead; empty if the problem says it.
    """

    def __init__(self, field: str, problem: str, *, accepted: Iterable[str] | str | None = None) -> None:
        listed = "" if accepted is None else accepted if isinstance(accepted, str) else ", ".join(accepted)
        hint = f" Accepted: {listed}." if listed else ""
        super().__init__(f"{field}: {problem.rstrip('.')}.{hint}")
        self.field = field
        self.problem = harmless(f"{problem.rstrip('.')}.", most=_LONGEST)
        self.accepted = harmless(listed, most=_LONGEST)


class ProblemsError(InputError):
    """Several inputs are wrong; each problem is on a line of its own."""

    @staticmethod
    def _printable(message: str) -> str:
        return "\n".join(harmless(line, most=_LONGEST) for line in message.split("\n"))


class CanvasError(CanvasExportsError):
    """Canvas refused, or could not be reached.

    Attributes:
        status: HTTP status, if there was a response.
        request: method and path of the call, without query.
        request_id: Canvas's ``X-Request-Context-Id``, which Instructure's support asks for.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        request: str | None = None,
        request_id: str | None = None,
        context: str | None = None,
        export_id: int | None = None,
    ) -> None:
        super().__init__(message, context=context, export_id=export_id)
        self.status = status
        self.request = request and harmless(request, most=_LONGEST)
        self.request_id = request_id and harmless(request_id, most=100)

    @property
    def reason(self) -> str:
        """Return the message with the HTTP status and Canvas's id of the request."""
        return self.message + self._http_details()

    def __str__(self) -> str:
        return super().__str__() + self._http_details(self.request)

    def _http_details(self, request: str | None = None) -> str:
        status = self.status and f"HTTP {self.status}"
        request_id = self.request_id and f"request {self.request_id}"
        details = [part for part in (request, status, request_id) if part]
        return f" ({', '.join(details)})" if details else ""


class CredentialError(CanvasError):
    """The token is unknown, expired or revoked. No other call with it can succeed."""


class PermissionDeniedError(CanvasError):
    """The token is valid but lacks the right for this object. Other objects may still work."""


class NotFoundError(CanvasError):
    """Deleted, never there, or hidden from this token: Canvas does not distinguish these."""


class BadRequestError(CanvasError):
    """Canvas refuses these arguments; repeating the call cannot help."""


class ThrottledError(CanvasError):
    """The token's rate limit is used up. Wait and repeat; never the outcome of a course."""

    retryable = True


class CanvasUnavailableError(CanvasError):
    """Canvas is down, in maintenance, or cannot be reached. Repeating later may help."""

    retryable = True


class ResponseLostError(CanvasUnavailableError):
    """A POST was sent but its response never arrived: it may have taken effect.

    Do not repeat it before checking the list of content exports, or of content migrations.
    """


class UnexpectedResponseError(CanvasError):
    """A response in no form that Canvas documents (HTML, truncated JSON, a missing field)."""

    retryable = True


class DownloadError(CanvasExportsError):
    """The package could not be downloaded, for example because the connection broke off.

    Attributes:
        restart: the bytes received are useless, but the same package can be downloaded again at once, from its first byte.
        spoiled: storage no longer has the package, or has it with another length than Canvas announced. If this persists,
            only a new export helps.
    """

    retryable = True

    def __init__(
        self,
        message: str,
        *,
        restart: bool = False,
        spoiled: bool = False,
        context: str | None = None,
        export_id: int | None = None,
    ) -> None:
        super().__init__(message, context=context, export_id=export_id)
        self.restart = restart
        self.spoiled = spoiled


class DownloadRefusedError(DownloadError):
    """The link was refused, or led to a login page. A new link may work."""


class UploadError(CanvasExportsError):
    """The package could not be sent to Canvas's storage: refused, broken off, or answered by another server.

    Nothing was imported, unless the content migration says so: check it before trying again.
    """

    retryable = True


class ArchiveError(CanvasExportsError):
    """Object storage refused or failed.

    Attributes:
        key: the object's key below the archive's root, if known.
    """

    def __init__(
        self,
        message: str,
        *,
        key: str | None = None,
        context: str | None = None,
        export_id: int | None = None,
    ) -> None:
        super().__init__(message, context=context, export_id=export_id)
        self.key = key


class ArchiveDeniedError(ArchiveError):
    """No credentials for the archive, or no right for this operation there."""


class LockedError(ArchiveDeniedError):
    """The store has locked the object, for a time or until a legal hold is removed, and does not delete it yet.

    This is no failure: leave the object and try again after the lock has ended.

    Attributes:
        until: end of the lock (UTC); ``None`` for a legal hold, or if the store does not report it.
    """

    def __init__(
        self,
        message: str,
        *,
        until: datetime | None = None,
        key: str | None = None,
        context: str | None = None,
        export_id: int | None = None,
    ) -> None:
        super().__init__(message, key=key, context=context, export_id=export_id)
        self.until = until


class AlreadyStoredError(ArchiveError):
    """Another object has this key. Nothing stored is ever replaced."""


class ObjectNotFoundError(ArchiveError, KeyError):
    """There is no object under this key.

    Stores raise no other error for this. It is also a ``KeyError``, for code that treats a store as a mapping. Code of this
    package catches ``ObjectNotFoundError``, so that the ``KeyError`` of a mistake is never taken for an absent object.
    """


class UnreadableDocumentError(ArchiveError):
    """A document in the archive (a manifest, a report, a plan, ...) is invalid or too large to be read.

    Only the content of this document is affected: other documents are read as if it did not exist.

    Attributes:
        why: the reason, without quoting the document.
    """

    def __init__(self, reason: str, *, key: str | None = None) -> None:
        shown = None if key is None else harmless(key)
        super().__init__(reason if shown is None else f"{shown} cannot be read: {reason}", key=shown)
        self.why = reason


class UnknownDigestError(UnreadableDocumentError):
    """A package cannot be compared: of the digests that its manifest states, none can be computed here.

    A later release may have written them, or a digest's library is not installed. Such a copy is neither intact nor damaged.
    """

    def __init__(self, reason: str, *, key: str | None = None) -> None:
        super().__init__(f"{reason}; update this software", key=key)


class NoArchiveError(ArchiveError):
    """No copy of anything is stored at this address, so nothing can be said about copies there.

    An archive is recognised by its manifests. An address without any is wrong, or is an archive in which nothing was stored
    yet.
    """

    def __init__(self, uri: str, reason: str) -> None:
        super().__init__(f"no archive here: {harmless(uri)}: {reason}")


class ArchiveUnavailableError(ArchiveError):
    """The store is slow, down, full, or cut the connection. Repeating later may help."""

    retryable = True


class PackageError(CanvasExportsError):
    """The bytes arrived, but they are not the whole package that was requested. Never published."""


class CorruptPackageError(PackageError):
    """Not a zip, truncated, of another length than announced, or with a wrong directory."""

    retryable = True


class HostileXmlError(CorruptPackageError):
    """XML that Canvas never writes: with a document type, or with more depth, length or work than any course needs."""


class WrongPackageError(PackageError):
    """A whole package, but of another course or another Canvas."""


# Names of earlier releases.
AnswerLostError = ResponseLostError
UnexpectedAnswerError = UnexpectedResponseError
