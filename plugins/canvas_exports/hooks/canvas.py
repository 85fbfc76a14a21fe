"""The Airflow connection ``canvas`` as clients."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook, Connection
from airflow.sdk.log import mask_secret

from canvas_exports.airflow_compat import AirflowNotFoundException, connection_form, connection_of, extra_of
from canvas_exports.core.canvas.http.rate_limiter import RateLimiter, RateLimits, shared_rate_limiter
from canvas_exports.core.model.contexts import Context, ContextKind
from canvas_exports.errors import (
    CanvasError,
    CanvasExportsError,
    InputError,
    PermissionDeniedError,
    Stopped,
)
from canvas_exports.foreign_text import harmless
from canvas_exports.hooks.archive_location import allowed_forms
from canvas_exports.hooks.connection_forms import CANVAS_FORM
from canvas_exports.hooks.connections import RefusedChoice, find_connection, missing_connection

if TYPE_CHECKING:
    from canvas_exports.core.canvas.async_client import AsyncCanvasClient
    from canvas_exports.core.canvas.auth.oauth import AccessToken, RefreshGrant
    from canvas_exports.core.canvas.client import CanvasClient
    from canvas_exports.hooks.shared_token import SharedToken

_log = logging.getLogger(__name__)

#: Least, most and default of the extras that pace requests.
RANGES = {"max_in_flight": (1, 10, 5), "floor": (50, 390, 150)}

#: Seconds after which the test of a connection waits for nothing more.
LONGEST_TEST = 30.0

_CONNECT, _READ = 5.0, 15.0  # seconds for a refresh, which must end before its lease does


@dataclass(frozen=True)
class CanvasSettings:
    """Settings of a ``canvas`` connection.

    Attributes:
        host: ``https://canvas.example.edu``; ``http`` only if the connection's schema says so.
        token: the access token, from the password field; empty where there is a grant.
        verify: ``True``, ``False``, or the path of a CA bundle.
        limits: how much of Canvas's rate limit the token may use.
        grant: a refresh token and its developer key; then the password is not used.
    """

    host: str
    token: str = field(repr=False)
    verify: bool | str = True
    limits: RateLimits = field(default_factory=RateLimits)
    grant: RefreshGrant | None = None

    @classmethod
    def read(cls, connection: Connection, extra: Mapping[str, Any]) -> CanvasSettings:
        """Read a connection.

        Raises:
            InputError: it is of another type, or a field is missing or malformed; names the connection and the field.
        """
        name = f"connection {connection.conn_id}"
        if str(extra.get("progress_api") or "rest").strip().lower() != "rest":
            _warn_of_progress_api(name)
        if connection.conn_type != CanvasHook.conn_type:
            raise InputError(
                name,
                f"it is of type {connection.conn_type or 'none'}, so its secrets are not sent to it as to a Canvas",
                accepted="a connection of type Canvas LMS (conn_type canvas)",
            )
        if not connection.host:
            raise InputError(
                f"{name}, host", "it is empty", accepted="the address of your Canvas: canvas.example.edu"
            )
        grant = _grant(name, extra)
        if grant is None and not connection.password:
            raise InputError(
                f"{name}, password",
                "it is empty",
                accepted="a Canvas access token; or leave it empty, and set refresh_token, client_id and client_secret",
            )
        host = connection.host.rstrip("/")
        if "://" not in host:
            host = f"{connection.schema or 'https'}://{host}"
        if connection.port:
            host = f"{host}:{connection.port}"
        return cls(
            host=host,
            token="" if grant is not None or connection.password is None else connection.password.strip(),
            verify=_verify(name, extra),
            limits=_limits(name, extra),
            grant=grant,
        )


def _grant(name: str, extra: Mapping[str, Any]) -> RefreshGrant | None:
    fields = ("client_id", "client_secret", "refresh_token")
    given = {key: str(extra.get(key) or "").strip() for key in fields}
    missing = [key for key in fields if not given[key]]
    if len(missing) == len(fields):
        return None
    if missing:
        raise InputError(
            f"{name}, {missing[0]}",
            "it is empty",
            accepted="client_id, client_secret and refresh_token together, or none of them and an access token",
        )
    from canvas_exports.core.canvas.auth.oauth import RefreshGrant

    for key in ("client_secret", "refresh_token"):
        mask_secret(given[key])
    return RefreshGrant(**given)


def _verify(name: str, extra: Mapping[str, Any]) -> bool | str:
    value = extra.get("verify")
    if value in (None, "", True, "true", "True"):
        return True
    if value in (False, "false", "False"):
        return False
    if isinstance(value, str):
        return value
    raise InputError(
        f"{name}, verify", f"{value!r} is not known", accepted="true, false, or the path of a CA bundle"
    )


@cache
def _warn_of_progress_api(name: str) -> None:
    """Warn, once in a process, of an extra that earlier versions read."""
    _log.warning("%s: progress_api is ignored: exports are polled over REST. Remove the extra.", name)


def _limits(name: str, extra: Mapping[str, Any]) -> RateLimits:
    values: dict[str, Any] = {}
    for key, kind in (("max_in_flight", int), ("floor", float)):
        if extra.get(key) not in (None, ""):
            values[key] = _number(name, key, extra[key], kind)
    try:
        return RateLimits(**values)
    except InputError as error:
        raise InputError(f"{name}, {error.field}", error.message.partition(": ")[2]) from None


def _number(name: str, key: str, value: object, kind: Callable[[str], float]) -> float:
    try:
        return kind(str(value))
    except (ValueError, OverflowError):
        raise InputError(
            f"{name}, {key}", f"{value!r} is not a number", accepted="a number, or leave it out"
        ) from None


@connection_form(CANVAS_FORM)
class CanvasHook(BaseHook):
    """Clients for one Canvas.

    The connection's host is the address of Canvas, its password an access token of a user who may export: an account
    administrator, as Canvas silently leaves out everything that the user may not see. In place of the token, the extras
    may hold a refresh token with its developer key: then all processes of this Airflow share one access token, which
    is renewed in time. Nothing is read before a client is asked for.

    Args:
        canvas_conn_id: the Airflow connection.
    """

    conn_name_attr = "canvas_conn_id"
    default_conn_name = "canvas_default"
    conn_type = "canvas"
    hook_name = "Canvas LMS"

    def __init__(self, canvas_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.canvas_conn_id = canvas_conn_id

    def settings(self) -> CanvasSettings:
        """Return the settings of the connection.

        Raises:
            InputError: there is no such connection, it lacks something, or a form may not reach it.
        """
        if isinstance(self.canvas_conn_id, RefusedChoice):
            self.canvas_conn_id.raise_error()
        connection = find_connection(self.canvas_conn_id)
        return CanvasSettings.read(connection, connection.extra_dejson)

    def get_conn(self) -> CanvasClient:
        """Return a synchronous client, to be closed by the caller. All clients of a process share one rate limiter."""
        return sync_client(self.settings())

    @asynccontextmanager
    async def async_conn(self) -> AsyncIterator[AsyncCanvasClient]:
        """Return an asynchronous client; look the connection up without blocking the event loop."""
        try:
            connection = await connection_of(self.canvas_conn_id)
        except AirflowNotFoundException:
            raise missing_connection(self.canvas_conn_id) from None
        extra = await extra_of(connection)

        def make() -> AsyncCanvasClient:
            # Blocks: it loads the client, registers secrets with Airflow, and looks for a CA bundle on the disk.
            return async_client(CanvasSettings.read(connection, extra))

        async with await asyncio.to_thread(make) as client:
            yield client

    def test_connection(self) -> tuple[bool, str]:
        """Return whether exports can be made, and a sentence with the token's user, their rights, and any problem.

        ``GET /api/v1/users/self``, then one page of ``GET /api/v1/accounts/self/courses`` and the ``content_list`` of its
        first course, which asks for the same right as exporting a cartridge does. Each is asked once, and half a minute
        after the test began no further wait is begun, because a person waits for the sentence.
        """
        try:
            return self._test()
        except CanvasExportsError as error:
            return False, str(error)
        except Stopped:
            return False, f"there was no response within {LONGEST_TEST:g} seconds; try again later"

    def _test(self) -> tuple[bool, str]:
        from canvas_exports.core.canvas.api.course_filters import CourseFilters
        from canvas_exports.core.doctor.canvas import describe_failure

        connection = find_connection(self.canvas_conn_id)
        check_ranges(f"connection {self.canvas_conn_id}", connection.extra_dejson)
        allowed_forms(connection)
        with sync_client(self.settings(), once=True) as client:
            over = threading.Timer(LONGEST_TEST, client.stop)
            over.daemon = True
            over.start()
            try:
                try:
                    user = client.identify()
                except CanvasError as error:
                    return False, describe_failure(client.host, error)
                who = f"Connected to {client.host} as {harmless(user.name or 'user')} (id {user.id})"
                try:
                    course = next(client.account_courses("self", CourseFilters()), None)
                    if course is not None:
                        client.content_list(Context(ContextKind.COURSE, str(course.id)))
                except PermissionDeniedError:
                    return True, (
                        f"{who}, who is not an administrator of the account: only courses where this user has a "
                        "teaching role can be exported."
                    )
                return True, f"{who}, who may export every course of the account."
            finally:
                over.cancel()


def check_ranges(name: str, extra: Mapping[str, Any]) -> None:
    """Check that the rate limits of a connection are within their documented ranges.

    A task goes on with other values, as it always did; the test of the connection names them.

    Raises:
        InputError: it is not; names the connection, the field and its range.
    """
    for key, (least, most, default) in RANGES.items():
        value = extra.get(key)
        if value not in (None, "") and not least <= _number(name, key, value, float) <= most:
            raise InputError(
                f"{name}, {key}",
                f"{value!r} is out of range",
                accepted=f"{least} to {most}; {default} if empty",
            )


def sync_client(settings: CanvasSettings, *, once: bool = False) -> CanvasClient:
    """Return a blocking client for workers.

    Args:
        settings: of the connection.
        once: repeat no request, and wait a shorter time for a response: a person waits for the result.
    """
    from canvas_exports.core.canvas.client import CanvasClient

    one_try: dict[str, Any] = (
        {"attempts": 1, "connect_timeout": _CONNECT, "read_timeout": _READ} if once else {}
    )
    return CanvasClient(
        settings.host,
        _token(settings),
        verify=settings.verify,
        rate_limiter=_rate_limiter(settings),
        **one_try,
    )


def async_client(settings: CanvasSettings) -> AsyncCanvasClient:
    """Return an asynchronous client for triggers."""
    from canvas_exports.core.canvas.async_client import AsyncCanvasClient

    return AsyncCanvasClient(
        settings.host, _token(settings), verify=settings.verify, rate_limiter=_rate_limiter(settings)
    )


def _token(settings: CanvasSettings) -> str | SharedToken:
    grant = settings.grant
    if grant is None:
        return settings.token
    from canvas_exports.core.canvas.auth.oauth import refresh
    from canvas_exports.core.canvas.http.origin import Origin
    from canvas_exports.core.canvas.http.transports.timeouts import Timeouts
    from canvas_exports.core.canvas.http.transports.transport import Transport
    from canvas_exports.hooks.shared_token import SharedToken, shared_token
    from canvas_exports.hooks.variable_store import VariableTexts

    origin = Origin.parse(settings.host)

    def ask() -> AccessToken:
        transport = Transport(verify=settings.verify, timeouts=Timeouts(_CONNECT, _READ))
        try:
            return refresh(grant, origin, transport.send)
        finally:
            transport.close()

    def make() -> SharedToken:
        return SharedToken(grant, str(origin), texts=VariableTexts(), refresh=ask)

    return shared_token((origin, grant, settings.verify), make)


def _rate_limiter(settings: CanvasSettings) -> RateLimiter:
    """Return the rate limiter that this process shares for this Canvas and token."""
    from canvas_exports.core.canvas.http.origin import Origin

    token = _token(settings)
    identity = token if isinstance(token, str) else token.identity
    return shared_rate_limiter(str(Origin.parse(settings.host)), identity, settings.limits)
