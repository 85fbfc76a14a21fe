"""Every error this package raises, in one tree.

::

    CanvasExportsError
    ├── InputError              (ValueError)   what a person wrote is wrong; raised before anything is created
    │   └── ProblemsError                      several such things at once
    ├── CanvasError                            Canvas, or the way to it
    │   ├── CredentialError                    the token is unknown, expired or revoked: stop everything
    │   ├── PermissionDeniedError              the token is good, the right is missing for this object
    │   ├── NotFoundError                      the object is deleted, or was never visible to this token
    │   ├── BadRequestError                    Canvas refuses these arguments
    │   ├── ThrottledError          retryable  the token's rate budget is used up
    │   ├── CanvasUnavailableError  retryable  5xx, maintenance page, no connection, time-out
    │   │   └── AnswerLostError     retryable  a POST may or may not have taken effect: look before repeating it
    │   └── UnexpectedAnswerError   retryable  an answer that fits no documented form
    ├── DownloadError               retryable  the package could not be fetched (login page, cut, expired link)
    ├── UploadError             retryable  the package could not be handed over to Canvas's storage
    ├── ArchiveError                           object storage
    │   ├── ArchiveDeniedError                 no credentials, or no right to read or write there
    │   │   └── LockedError                    the object is under a lock: nobody may delete it yet
    │   ├── AlreadyStoredError                 the key is taken; nothing stored is ever replaced
    │   ├── ObjectNotFoundError (KeyError)     there is no object under this key
    │   ├── UnreadableDocumentError            a document of the archive is not what it should be: passed over
    │   ├── NoArchiveError                     no copy lies at this address: a wrong one, or nothing was ever stored
    │   └── ArchiveUnavailableError retryable  the store is slow, down, full, or cut the connection
    └── PackageError                           the bytes arrived but are not the package asked for
        ├── CorruptPackageError     retryable  not a zip, truncated, or a directory that lies
        └── WrongPackageError                  a whole package, of another course or another Canvas

An error says which context and which export it is about, what happened, and what to do next. It never holds a
token, a URL with a query, or a person's name. All of them survive pickling.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

from canvas_exports.foreign_text import harmless

_LONGEST = 2000  # characters of a message


class CanvasExportsError(Exception):
    """Root of the tree.

    Whatever Canvas, a store, a package or a person has put into a message, it is one printable line of bounded length.

    Attributes:
        retryable: whether the same call may succeed later without anyone changing anything.
        context: the context the error is about, such as ``course:101``, where one is known.
        export_id: Canvas's id of the content export, where one is known.
    """

    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, context: str | None = None, export_id: int | None = None) -> None:
        message = self._shown(message)
        super().__init__(message)
        self.message = message
        self.context = context and harmless(context, most=_LONGEST)
        self.export_id = export_id

    @property
    def reason(self) -> str:
        """What happened, for a report that says elsewhere which context and export it is about."""
        return self.message

    @staticmethod
    def _shown(message: str) -> str:
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
    """Whoever began this has called it off, as when a task is killed.

    No ``Exception``, as ``asyncio.CancelledError`` is none: who goes on after whatever was wrong with one course must not
    go on after this.
    """


class InputError(CanvasExportsError, ValueError):
    """What a person wrote is wrong: names the field, the value and what is accepted instead."""

    def __init__(self, field: str, problem: str, *, accepted: Iterable[str] | str | None = None) -> None:
        hint = ""
        if accepted is not None:
            listed = accepted if isinstance(accepted, str) else ", ".join(accepted)
            hint = f" Accepted: {listed}."
        super().__init__(f"{field}: {problem.rstrip('.')}.{hint}")
        self.field = field


class ProblemsError(InputError):
    """Several things that a person wrote are wrong: each stands on a line of its own."""

    @staticmethod
    def _shown(message: str) -> str:
        return "\n".join(harmless(line, most=_LONGEST) for line in message.split("\n"))


class CanvasError(CanvasExportsError):
    """Canvas refused, or could not be reached.

    Attributes:
        status: HTTP status, where there was an answer.
        request: verb and path of the call, without query.
        request_id: Canvas's ``X-Request-Context-Id``; Instructure's support asks for it.
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
        """What happened, with the answer's status, and Canvas's id of the request."""
        return self.message + self._answered()

    def __str__(self) -> str:
        return super().__str__() + self._answered(self.request)

    def _answered(self, request: str | None = None) -> str:
        status = self.status and f"HTTP {self.status}"
        request_id = self.request_id and f"request {self.request_id}"
        details = [part for part in (request, status, request_id) if part]
        return f" ({', '.join(details)})" if details else ""


class CredentialError(CanvasError):
    """The token is unknown, expired or revoked. No other call with it can succeed."""


class PermissionDeniedError(CanvasError):
    """The token is valid but lacks the right for this object. Other objects may still work."""


class NotFoundError(CanvasError):
    """Deleted, never there, or hidden from this token: Canvas does not tell these apart."""


class BadRequestError(CanvasError):
    """Canvas refuses these arguments; repeating the call cannot help."""


class ThrottledError(CanvasError):
    """The token's rate budget is used up. Wait and repeat; never an outcome of a context."""

    retryable = True


class CanvasUnavailableError(CanvasError):
    """Canvas is down, in maintenance, or cannot be reached. Repeating later may help."""

    retryable = True


class AnswerLostError(CanvasUnavailableError):
    """A POST was sent and its answer never came: it may have taken effect.

    Never repeat it blindly; look in the list of content exports, or of content migrations, first.
    """


class UnexpectedAnswerError(CanvasError):
    """An answer that fits no form Canvas documents (HTML, cut JSON, a missing field)."""

    retryable = True


class DownloadError(CanvasExportsError):
    """The package could not be fetched: a login page, a cut connection, an expired link.

    Attributes:
        restart: the bytes so far are of no use, but the same package can be fetched again from its first byte, now.
        spoiled: storage no longer has the package, or has it at another length than Canvas announced. If that stays so,
            only another export helps.
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


class UploadError(CanvasExportsError):
    """The package could not be handed over to Canvas's storage: refused, cut off, or answered by somebody else.

    Nothing was imported, unless Canvas says so of the migration: ask it before trying again.
    """

    retryable = True


class ArchiveError(CanvasExportsError):
    """Object storage refused or failed.

    Attributes:
        key: the object's key below the archive's root, where one is known.
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
    """No credentials for the archive, or no right to do this there."""


class LockedError(ArchiveDeniedError):
    """The object is under a lock of its store, for a time or until a hold is lifted: nobody may delete it yet.

    Nothing is wrong: leave it alone and look again once the lock has ended.

    Attributes:
        until: when the lock ends (UTC), where the store tells; ``None`` under a legal hold, or where it does not tell.
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
    """The key is taken by another object. Nothing stored is ever replaced."""


class ObjectNotFoundError(ArchiveError, KeyError):
    """There is no object under this key.

    It is the only way a store says so. It is a ``KeyError`` too, for those who treat a store as a mapping; code of this
    package catches it by its own name, so that the ``KeyError`` of a mistake elsewhere is never taken for an absent object.
    """


class UnreadableDocumentError(ArchiveError):
    """A document in the archive (a manifest, a report, a plan, ...) is not what it should be, or is too large to be read.

    It is never about more than what that document tells: the others are read as if it were not there.

    Attributes:
        why: in words of ours: nothing of the document is quoted.
    """

    def __init__(self, reason: str, *, key: str | None = None) -> None:
        shown = None if key is None else harmless(key)
        super().__init__(reason if shown is None else f"{shown} cannot be read: {reason}", key=shown)
        self.why = reason


class NoArchiveError(ArchiveError):
    """No copy of anything lies at this address, so no question about copies has an answer there.

    An archive is known by its manifests. Whoever asks an address that holds none has a wrong address, or an archive in
    which nothing was stored yet; neither is good news.
    """

    def __init__(self, uri: str, reason: str) -> None:
        super().__init__(f"no archive here: {harmless(uri)}: {reason}")


class ArchiveUnavailableError(ArchiveError):
    """The store is slow, down, full, or cut the connection. Repeating later may help."""

    retryable = True


class PackageError(CanvasExportsError):
    """The bytes arrived, but they are not the whole package that was asked for. Never published."""


class CorruptPackageError(PackageError):
    """Not a zip, truncated, of another length than announced, or with a directory that lies."""

    retryable = True


class WrongPackageError(PackageError):
    """A whole package, but of another course or another Canvas."""
