"""Fetching a package: one stream of blocks, whatever the connection does on the way.

The way always starts at Canvas's own URL, never at a storage URL from an earlier hop, so that an expired signature
is simply replaced. A connection that breaks is taken up where it broke, if storage can prove that it is still the
same object; if it cannot, the caller is told to start over, because the bytes it has passed on may be of another.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial

from canvas_exports.core.canvas.api.models import Attachment
from canvas_exports.core.canvas.files.parallel_ranges import (
    ParallelRanges,
    ReconnectPolicy,
    ReusedBuffer,
    Space,
    StallDetector,
    fetch_range,
    read_some,
)
from canvas_exports.core.canvas.files.redirects import Hop, first_hop, is_login, next_hop
from canvas_exports.core.canvas.files.validators import (
    Validator,
    check_full_response,
    check_resumed_response,
    matches_range,
    supports_ranges,
    validator_of,
    wrong_length,
)
from canvas_exports.core.canvas.http.blocking_calls import FlowRunner
from canvas_exports.core.canvas.http.flow import Flow, RetryPolicy, Send, Wait, error_of_failure, send_flow
from canvas_exports.core.canvas.http.messages import Failure, PreparedRequest, Response, Result, Stream
from canvas_exports.core.canvas.http.origin import host_of, resolve
from canvas_exports.core.canvas.http.responses import is_throttled
from canvas_exports.core.canvas.http.session import CanvasSession
from canvas_exports.errors import (
    CanvasError,
    CanvasUnavailableError,
    DownloadError,
    DownloadRefusedError,
    ThrottledError,
)

BLOCK = 1024 * 1024  # bytes; smaller ones cost a third of the throughput, larger ones gain nothing
DIVISIBLE = 256 * 1024 * 1024  # bytes; a smaller package is not worth more than one connection
_LOOK_UP = (
    0.5  # seconds after which somebody who waits for another's fresh link sees that nobody wants it any more
)

_OK, _PARTIAL, _UNAUTHORIZED, _FORBIDDEN, _RANGE_NOT_SATISFIABLE = 200, 206, 401, 403, 416
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BUSY = frozenset({408, 425, 429})
_SERVER_ERROR = 500
_PACKAGE_STARTS = (b"PK\x03\x04", b"PK\x05\x06")  # a zip, and the empty one of 22 bytes
_PAGE_STARTS = (b"<!doctype", b"<html", b"<?xml", b"<error", b"{", b"[")


class Download:
    """One download of one attachment.

    Args:
        peer: the Canvas it comes from.
        attachment: what Canvas said about the package.
        line: carries out dialogues, and waits.
        refresh: asks Canvas for the attachment again.
    """

    def __init__(
        self,
        session: CanvasSession,
        attachment: Attachment,
        *,
        runner: FlowRunner,
        refresh: Callable[[FlowRunner], Attachment],
    ) -> None:
        self._session = session
        self._attachment = attachment
        self._runner = runner
        self._refresh = refresh
        self._offset = 0
        self._validator: Validator | None = None
        self._source: str | None = None
        self._supports_ranges = False
        self._renewing = threading.Lock()

    @property
    def size(self) -> int:
        """Bytes, as Canvas announces them."""
        return self._attachment.size

    def blocks(self, space: Space | None = None, connections: int = 1) -> Iterator[memoryview]:
        """The package, in blocks of at most 1 MiB, or of the space; each valid until the next is asked for.

        Args:
            space: where the bytes are to lie; see ``CanvasClient.download``.
            connections: to storage, if the package is large and storage serves parts of it.

        Raises:
            DownloadError: bounded attempts failed. With ``restart``, a new download may start right away; with ``spoiled``,
                another export has to be made if it stays so.
            Stopped: the line was called off.
        """
        space = space or ReusedBuffer(BLOCK)
        reconnects = ReconnectPolicy(self._attachment.size, self._session)
        while True:
            before = self._offset
            body = self._open(self._runner)
            try:
                divisible = self._supports_ranges and self._attachment.size > DIVISIBLE
                if connections > 1 and divisible and (yield from self._parts(body, space, connections)):
                    return
                slow = yield from self._arriving(body, space)
            finally:
                body.close()
            if self._offset == self._attachment.size:
                return
            if body.is_complete:
                raise wrong_length(self._offset, self._attachment.size)
            pause = reconnects.after(0 if slow else self._offset - before)
            if pause is None:
                raise DownloadError(f"{self._broken()}, again and again")
            if self._offset and not self._validator:
                raise DownloadError(
                    f"{self._broken()}, and storage offers nothing to resume by", restart=True
                )
            self._runner.stop_signal.wait(pause)

    def _arriving(self, body: Stream, space: Space) -> Generator[memoryview, None, bool]:
        """What comes over one connection, until it ends, breaks, or brings next to nothing: whether it is the last."""
        speed = StallDetector(self._session.clock)
        while not speed.is_stalled:
            self._runner.stop_signal.check()
            view = self._room(space)
            with speed:
                speed.got = count = read_some(body, view)
            if not count:
                return False
            self._inspect(view[:count])
            self._offset += count
            yield view[:count]
        return True

    def part(self, start: int, stop: int) -> bytes | None:
        """Some bytes of the package alone; ``None`` where storage does not serve parts of what Canvas leads to.

        Raises:
            DownloadError: bounded attempts failed.
        """
        if self._source is None:
            self._open(self._runner).close()
        if not self._supports_ranges:
            return None
        found = bytearray(stop - start)
        come = fetch_range(
            memoryview(found), start, partial(self._open_part, self._runner), self._runner, self._session
        )
        return bytes(found) if come else None

    def _room(self, space: Space) -> memoryview:
        """Memory for the next bytes; after the last one, for the one byte that would be too many."""
        return (
            space.free_space()[:BLOCK] if self._offset < self._attachment.size else memoryview(bytearray(1))
        )

    def _parts(self, body: Stream, space: Space, connections: int) -> Generator[memoryview, None, bool]:
        """The package over several connections; ``False`` if it has to come over the one that is open."""
        first = space.acquire(wait=True)
        if first is None:
            return False
        second: Stream | None = None
        try:
            second = self._open_part(self._runner, len(first), min(2 * len(first), self._attachment.size))
        except DownloadError:
            pass
        finally:  # whatever else has happened: the block is nobody's yet
            if second is None:
                space.release(first)
        if second is None:
            return False
        runner = self._runner.branch()
        parts = ParallelRanges(
            self._attachment.size,
            space,
            partial(self._open_part, runner),
            runner=runner,
            session=self._session,
        )
        begun = {0: body, len(first): second}
        with closing(parts.in_order(first, begun, connections)) as blocks:
            for block in blocks:
                self._runner.stop_signal.check()
                self._inspect(block)
                self._offset += len(block)
                yield block
        return True

    def _open_part(self, runner: FlowRunner, start: int, stop: int) -> Stream | None:
        """Bytes of the object from which the package comes; ``None`` if storage has others, or no parts."""
        size = self._attachment.size
        status = 0
        for _ in range(self._session.attempts):
            url = self._source or ""
            response = runner.run(range_flow(self._session, url, start, stop, self._validator))
            if response.stream is not None:
                if matches_range(response, start, stop, size, self._validator):
                    return response.stream
                response.stream.close()
                return None
            status = response.status
            self._renew(runner, url)
        raise DownloadError(f"storage refused parts of the package, again and again (HTTP {status})")

    def _renew(self, runner: FlowRunner, url: str) -> None:
        """Ask for a fresh link in place of one that was refused, unless somebody else has done so meanwhile."""
        while not self._renewing.acquire(timeout=_LOOK_UP):
            runner.stop_signal.check()
        try:
            if self._source == url:
                fresh = self._follow(runner)
                assert fresh.stream is not None
                fresh.stream.close()
                self._source = fresh.source
        finally:
            self._renewing.release()

    def _open(self, runner: FlowRunner) -> Stream:
        response = self._follow(runner)
        assert response.stream is not None
        try:
            if self._offset:
                check_resumed_response(response, self._offset, self._attachment.size, self._validator)
            else:
                check_full_response(response, self._attachment.size)
                self._validator = validator_of(response)
                self._source = response.source
                self._supports_ranges = supports_ranges(response, self._validator)
        except DownloadError:
            response.stream.close()
            raise
        return response.stream

    def _follow(self, runner: FlowRunner) -> Response:
        """The answer at the end of the way, by a fresh link where the first one is refused.

        Files answer a token that Canvas no longer knows with a login page. Asking for the link tells whether it was that:
        then there is another token now, and it is worth another try.
        """
        for _ in range(self._session.attempts):
            token = self._session.tokens.current()
            try:
                return runner.run(
                    open_flow(self._session, self._attachment.url, self._offset, self._validator)
                )
            except DownloadRefusedError:
                self._replace(self._refresh(runner))
                if self._session.tokens.current() == token:
                    break
        return runner.run(open_flow(self._session, self._attachment.url, self._offset, self._validator))

    def _replace(self, attachment: Attachment) -> None:
        if self._offset and (attachment.id, attachment.size) != (self._attachment.id, self._attachment.size):
            raise DownloadError("Canvas replaced the package meanwhile", restart=True)
        self._attachment = attachment

    def _inspect(self, block: memoryview) -> None:
        if self._offset == 0 and not bytes(block[:4]).startswith(_PACKAGE_STARTS):
            head = bytes(block[:64]).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
            if head.startswith(_PAGE_STARTS):
                raise DownloadError(
                    "a page came instead of the package; the token's user may not be allowed to download it"
                )
        if self._offset + len(block) > self._attachment.size:
            raise DownloadError(
                f"the package is longer than announced: more bytes came than the {self._attachment.size} that Canvas names",
                spoiled=True,
            )

    def _broken(self) -> str:
        return f"the download broke off after {self._offset} of {self._attachment.size} bytes"


def open_flow(
    session: CanvasSession, url: str, offset: int = 0, validator: Validator | None = None
) -> Flow[Response]:
    """Follow the way from Canvas's URL to an answer with a body; with an offset, ask for the rest only.

    Raises:
        DownloadRefusedError: somebody on the way refused, or asked for a login.
        DownloadError: a redirect that must not be followed, or no answer within bounded attempts.
    """
    hop = first_hop(session.origin, url)
    retries = RetryPolicy(session)
    while True:
        prepared = _prepare(session, hop, offset, validator)
        result = yield from _ask(session, hop, prepared)
        error = _passing(result, hop)
        if error is not None:
            pause = retries.after(error)
            if pause is None:
                raise DownloadError(f"{host_of(hop.url)} did not deliver: {error.message}")
            if pause:
                yield Wait(pause)
            continue
        assert isinstance(result, Response)
        login = False
        if result.status in _REDIRECTS:
            location = result.headers.get("location")
            login = is_login(session.origin, resolve(hop.url, location or ""))
            if not login:
                hop = next_hop(session.origin, hop, location)
                continue
        if result.stream is not None:
            return result if hop.on_canvas else replace(result, source=hop.url)
        if hop.on_canvas and hop.bearer and (login or result.status in (_UNAUTHORIZED, _FORBIDDEN)):
            bare = first_hop(session.origin, url, bearer=False)
            if bare.has_verifier:
                hop = bare
                continue
        raise _refusal(result, hop, login=login, offset=offset)


def range_flow(
    session: CanvasSession, url: str, start: int, stop: int, validator: Validator | None
) -> Flow[Response]:
    """Ask storage itself for some of an object's bytes.

    Raises:
        DownloadError: no answer within bounded attempts.
    """
    hop = Hop(url, bearer=False, on_canvas=False)
    prepared = _prepare(session, hop, start, validator, stop)
    retries = RetryPolicy(session)
    while True:
        result = yield from _ask(session, hop, prepared)
        error = _passing(result, hop)
        if error is None:
            assert isinstance(result, Response)
            return result
        pause = retries.after(error)
        if pause is None:
            raise DownloadError(f"{host_of(url)} did not deliver: {error.message}")
        yield Wait(pause)


def _ask(session: CanvasSession, hop: Hop, prepared: PreparedRequest) -> Flow[Result]:
    """Canvas within its budget, anybody else at once and without the token."""
    if hop.on_canvas:
        return (yield from send_flow(prepared, session, bearer=hop.bearer))
    result = yield Send(prepared)
    assert isinstance(result, Response | Failure)
    return result


def _passing(result: Result, hop: Hop) -> CanvasError | None:
    """What may be better in a moment."""
    if isinstance(result, Failure):
        return error_of_failure(result, host_of(hop.url))
    if hop.on_canvas and is_throttled(result):
        return ThrottledError("the rate budget of this token is used up")
    if result.status >= _SERVER_ERROR or result.status in _BUSY:
        return CanvasUnavailableError(f"HTTP {result.status}")
    return None


def _refusal(response: Response, hop: Hop, *, login: bool, offset: int) -> DownloadError:
    if login:
        return DownloadRefusedError(
            "Canvas asks for a login instead of delivering; check that the token is valid for files and that its user "
            "may download them"
        )
    if response.status == _RANGE_NOT_SATISFIABLE and offset:
        return DownloadError("storage cannot resume the package", restart=True)
    about_rights = response.status in (_UNAUTHORIZED, _FORBIDDEN)
    if hop.on_canvas and about_rights:
        hint = "the token's user may lack the right to download files"
    elif hop.on_canvas:
        hint = "the package may have been deleted; export again"
    else:
        hint = "the link may have expired" + (", or the right to download be missing" if about_rights else "")
    return DownloadRefusedError(
        f"{host_of(hop.url)} refused to deliver (HTTP {response.status}); {hint}",
        spoiled=not (hop.on_canvas and about_rights),
    )


def _prepare(
    session: CanvasSession, hop: Hop, offset: int, validator: Validator | None, stop: int | None = None
) -> PreparedRequest:
    headers = session.headers(accept="*/*")
    headers["Accept-Encoding"] = "identity"
    if validator and (offset or stop):
        headers["Range"] = f"bytes={offset}-" if stop is None else f"bytes={offset}-{stop - 1}"
        headers["If-Range"] = validator.if_range
    return PreparedRequest("GET", hop.url, headers, stream=True)
