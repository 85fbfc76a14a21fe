"""Check a Canvas: whether it can be reached, whose token it is, what this user may do, and how much of the rate limit is left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.doctor.facts import Fact, ok, problem, warning
from canvas_exports.core.doctor.permissions import FOR_BACKUPS, FOR_RESTORES, NAMES
from canvas_exports.errors import (
    CanvasError,
    CredentialError,
    NotFoundError,
    PermissionDeniedError,
    UnexpectedResponseError,
)

_SCOPE = "url:GET|/api/v1/accounts/:account_id/permissions"
_PAGE = "Canvas: Admin, Permissions, Account Roles"


@dataclass(frozen=True)
class Source:
    """The place where the address and the credentials of a Canvas are set.

    Attributes:
        address: of the address.
        credentials: of the token.
    """

    address: str = "the host of the connection"
    credentials: str = "the credentials of the connection"


CONNECTION = Source()


def check_canvas(client: CanvasClient, subject: str, source: Source = CONNECTION) -> Iterator[Fact]:
    """Yield what is known of a Canvas, with two requests. Users are called by their numbers, never by their names.

    ``GET /api/v1/users/self``, then ``GET /api/v1/accounts/self/permissions``.

    Args:
        client: of the Canvas.
        subject: of the facts, such as the id of a connection.
        source: where its settings are.
    """
    try:
        user = client.identify()
    except CanvasError as error:
        yield problem(subject, describe_failure(client.host, error, source), _next_step(error, source))
        return
    yield ok(subject, f"{client.host} answers; the token belongs to user {user.id}.")
    yield from _permissions(client, subject, user.id)
    left, most = client.rate_limiter.remaining, client.rate_limiter.limits.high_water
    said = f"{left:.0f} of {most:.0f} units of the token's rate limit are left."
    if left < most / 2:  # these requests cost a few units
        yield warning(subject, said, "Other programs use this token: give backups a token of their own.")
    else:
        yield ok(subject, said)


def describe_failure(host: str, error: CanvasError, source: Source = CONNECTION) -> str:
    """Return the problem with the first response; Canvas names its request in nearly every response."""
    if isinstance(error, CredentialError):
        said = f"Canvas does not accept {source.credentials}: {error}"
        if error.status is not None and error.request_id is None:
            said += f" Nothing in the response shows that {host} is a Canvas: check the host, too."
        return said
    passing = error.retryable and not isinstance(error, UnexpectedResponseError)
    if error.status is None:
        return (
            f"no response from {host}; check {source.address}, and the way there from this machine: {error}"
        )
    if error.request_id is not None or passing:
        return str(error)
    return f"{host} does not answer as a Canvas does; check {source.address}: {error}"


def _next_step(error: CanvasError, source: Source) -> str:
    if isinstance(error, CredentialError):
        return f"Log in to Canvas as the user of the backups, create an access token, and replace {source.credentials}."
    return f"Check {source.address}, and whether this machine may reach it."


def _permissions(client: CanvasClient, subject: str, user: int) -> Iterator[Fact]:
    try:
        granted = client.account_permissions("self", NAMES)
    except PermissionDeniedError:
        yield problem(
            subject,
            f"User {user} may not read permissions in the root account. Without a role there, only courses in which this user "
            "teaches can be exported.",
            f"Give user {user} an account role in the root account ({_PAGE}; then Settings, Admins). If the developer key enforces "
            f"scopes, allow {_SCOPE}.",
        )
        return
    except NotFoundError as error:
        yield warning(subject, f"The permissions cannot be read: {error}", f"Check them by hand ({_PAGE}).")
        return
    except CanvasError as error:
        yield warning(subject, f"The permissions cannot be read: {error}", "Try again later.")
        return
    unknown = [name for name in NAMES if name not in granted]
    if unknown:
        yield warning(
            subject,
            f"Canvas does not say whether user {user} has {', '.join(unknown)}.",
            f"Check it by hand ({_PAGE}).",
        )
    missing = [permission for permission in FOR_BACKUPS if permission.is_missing(granted)]
    for permission in missing:
        tell = problem if permission.required else warning
        yield tell(
            subject,
            f'User {user} lacks the permission "{permission.label}": {permission.effect}.',
            f'Switch on "{permission.label}" for the role of user {user} ({_PAGE}).',
        )
    if not missing and not unknown:
        yield ok(subject, f"User {user} has every permission that backups need.")
    absent = [f'"{permission.label}"' for permission in FOR_RESTORES if permission.is_missing(granted)]
    if absent:
        yield ok(
            subject,
            f"User {user} cannot restore, without {' and '.join(absent)}. Backups do not need these permissions.",
        )
