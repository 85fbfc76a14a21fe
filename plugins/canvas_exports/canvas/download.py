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
from typing import Any

from canvas_exports.canvas.answers import is_refusal
from canvas_exports.canvas.dialogue import Dialogue, Patience, Pause, Send, exchange, unreachable
from canvas_exports.canvas.models import Attachment
from canvas_exports.canvas.origin import host_of, resolve
from canvas_exports.canvas.peer import Peer
from canvas_exports.canvas.promises import (
    Mark,
    check_continuation,
    check_start,
    is_part,
    mark_of,
    serves_parts,
)
from canvas_exports.canvas.ranges import OneBuffer, Parts, Space, read
from canvas_exports.canvas.redirects import Hop, first_hop, is_login, next_hop
from canvas_exports.canvas.wire import Answer, Fault, Outgoing, Reply, Stream
from canvas_exports.errors import CanvasError, CanvasUnavailableError, DownloadError, ThrottledError

BLOCK = 1024 * 1024  # bytes; smaller ones cost a third of the throughput, larger ones gain nothing
DIVISIBLE = 256 * 1024 * 1024  # bytes; a smaller package is not worth more than one connection
_MOST_RESUMPTIONS = 100  # of one package, each of which brought it forward

_OK, _PARTIAL, _UNAUTHORIZED, _FORBIDDEN, _RANGE_NOT_SATISFIABLE = 200, 206, 401, 403, 416
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BUSY = frozenset({408, 425, 429})
_SERVER_ERROR = 500
_PACKAGE_STARTS = (b"PK\x03\x04", b"PK\x05\x06")  # a zip, and the empty one of 22 bytes
_PAGE_STARTS = (b"<!doctype", b"<html", b"<?xml", b"<error", b"{", b"[")


class RefusedError(DownloadError):
    """The link was refused on the way; a fresh one may work."""


class Download:
    """One download of one attachment.

    Args:
        peer: the Canvas it comes from.
        attachment: what Canvas said about the package.
        run: carries out a dialogue.
        refresh: asks Canvas for the attachment again.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        peer: Peer,
        attachment: Attachment,
        *,
        run: Callable[[Dialogue[Answer]], Answer],
        refresh: Callable[[], Attachment],
        sleep: Callable[[float], Any],
    ) -> None:
        self._peer = peer
        self._attachment = attachment
        self._run = run
        self._refresh = refresh
        self._sleep = sleep
        self._offset = 0
        self._mark: Mark | None = None
        self._source: str | None = None
        self._serves_parts = False
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
            DownloadError: bounded attempts failed. With ``restart``, a new download may start right away.
        """
        space = space or OneBuffer(BLOCK)
        stalls = 0
        for _ in range(_MOST_RESUMPTIONS):
            before = self._offset
            body = self._open()
            try:
                divisible = self._serves_parts and self._attachment.size > DIVISIBLE
                if connections > 1 and divisible and (yield from self._parts(body, space, connections)):
                    return
                while count := read(body, view := self._room(space)):
                    self._inspect(view[:count])
                    self._offset += count
                    yield view[:count]
            finally:
                body.close()
            if self._offset == self._attachment.size:
                return
            if getattr(body, "is_whole", False):
                raise DownloadError(
                    f"storage has {self._offset} bytes where Canvas says the package has {self._attachment.size}",
                    spoiled=True,
                )
            stalls = stalls + 1 if self._offset == before else 0
            if stalls >= self._peer.attempts:
                break
            if self._offset and not self._mark:
                raise DownloadError(
                    f"{self._broken()}, and storage offers nothing to resume by", restart=True
                )
            self._sleep(self._pause(stalls))
        raise DownloadError(f"{self._broken()}, again and again")

    def part(self, start: int, stop: int) -> bytes | None:
        """Some bytes of the package alone; ``None`` where storage does not serve parts of what Canvas leads to.

        Raises:
            DownloadError: bounded attempts failed.
        """
        if self._source is None:
            self._open().close()
        body = self._open_part(start, stop) if self._serves_parts else None
        if body is None:
            return None
        found = bytearray(stop - start)
        at = 0
        try:
            while count := read(body, memoryview(found)[at:]):
                at += count
        finally:
            body.close()
        return bytes(found) if at == len(found) else None

    def _room(self, space: Space) -> memoryview:
        """Memory for the next bytes; after the last one, for the one byte that would be too many."""
        return space.part()[:BLOCK] if self._offset < self._attachment.size else memoryview(bytearray(1))

    def _parts(self, body: Stream, space: Space, connections: int) -> Generator[memoryview, None, bool]:
        """The package over several connections; ``False`` if it has to come over the one that is open."""
        first = space.whole(wait=True)
        if first is None:
            return False
        try:
            second = self._open_part(len(first), min(2 * len(first), self._attachment.size))
        except DownloadError:
            second = None
        if second is None:
            space.give_up(first)
            return False
        parts = Parts(
            self._attachment.size,
            space,
            self._open_part,
            attempts=self._peer.attempts,
            pause=lambda failures: self._sleep(self._pause(failures)),
        )
        with closing(parts.in_order(first, {0: body, len(first): second}, connections)) as blocks:
            for block in blocks:
                self._inspect(block)
                self._offset += len(block)
                yield block
        return True

    def _open_part(self, start: int, stop: int) -> Stream | None:
        """Bytes of the object from which the package comes; ``None`` if storage has others, or no parts."""
        size = self._attachment.size
        status = 0
        for _ in range(self._peer.attempts):
            url = self._source or ""
            answer = self._run(part_of(self._peer, url, start, stop, self._mark))
            if answer.stream is not None:
                if is_part(answer, start, stop, size, self._mark):
                    return answer.stream
                answer.stream.close()
                return None
            status = answer.status
            with self._renewing:
                if self._source == url:  # nobody else has asked for a fresh link meanwhile
                    fresh = self._follow()
                    assert fresh.stream is not None
                    fresh.stream.close()
                    self._source = fresh.source
        raise DownloadError(f"storage refused parts of the package, again and again (HTTP {status})")

    def _open(self) -> Stream:
        answer = self._follow()
        assert answer.stream is not None
        try:
            if self._offset:
                check_continuation(answer, self._offset, self._attachment.size, self._mark)
            else:
                check_start(answer, self._attachment.size)
                self._mark = mark_of(answer)
                self._source = answer.source
                self._serves_parts = serves_parts(answer, self._mark)
        except DownloadError:
            answer.stream.close()
            raise
        return answer.stream

    def _follow(self) -> Answer:
        """The answer at the end of the way, by a fresh link where the first one is refused.

        Files answer a token that Canvas no longer knows with a login page. Asking for the link tells whether it was that:
        then there is another token now, and it is worth another try.
        """
        for _ in range(self._peer.attempts):
            token = self._peer.tokens.current()
            try:
                return self._run(opening(self._peer, self._attachment.url, self._offset, self._mark))
            except RefusedError:
                self._replace(self._refresh())
                if self._peer.tokens.current() == token:
                    break
        return self._run(opening(self._peer, self._attachment.url, self._offset, self._mark))

    def _pause(self, failures: int) -> float:
        return float(min(2.0**failures, 30.0) * (0.5 + self._peer.jitter()) / 2)

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
                f"more bytes came than the {self._attachment.size} Canvas announced", spoiled=True
            )

    def _broken(self) -> str:
        return f"the download broke off after {self._offset} of {self._attachment.size} bytes"


def opening(peer: Peer, url: str, offset: int = 0, mark: Mark | None = None) -> Dialogue[Answer]:
    """Follow the way from Canvas's URL to an answer with a body; with an offset, ask for the rest only.

    Raises:
        RefusedError: somebody on the way refused, or asked for a login.
        DownloadError: a redirect that must not be followed, or no answer within bounded attempts.
    """
    hop = first_hop(peer.origin, url)
    patience = Patience(peer)
    while True:
        outgoing = _outgoing(peer, hop, offset, mark)
        reply = yield from _ask(peer, hop, outgoing)
        error = _passing(reply, hop)
        if error is not None:
            pause = patience.after(error)
            if pause is None:
                raise DownloadError(f"{host_of(hop.url)} did not deliver: {error.message}")
            if pause:
                yield Pause(pause)
            continue
        assert isinstance(reply, Answer)
        login = False
        if reply.status in _REDIRECTS:
            location = reply.headers.get("location")
            login = is_login(peer.origin, resolve(hop.url, location or ""))
            if not login:
                hop = next_hop(peer.origin, hop, location)
                continue
        if reply.stream is not None:
            return reply if hop.on_canvas else replace(reply, source=hop.url)
        if hop.on_canvas and hop.bearer and (login or reply.status in (_UNAUTHORIZED, _FORBIDDEN)):
            bare = first_hop(peer.origin, url, bearer=False)
            if bare.has_verifier:
                hop = bare
                continue
        raise _refusal(reply, hop, login=login, offset=offset)


def part_of(peer: Peer, url: str, start: int, stop: int, mark: Mark | None) -> Dialogue[Answer]:
    """Ask storage itself for some of an object's bytes.

    Raises:
        DownloadError: no answer within bounded attempts.
    """
    hop = Hop(url, bearer=False, on_canvas=False)
    outgoing = _outgoing(peer, hop, start, mark, stop)
    patience = Patience(peer)
    while True:
        reply = yield from _ask(peer, hop, outgoing)
        error = _passing(reply, hop)
        if error is None:
            assert isinstance(reply, Answer)
            return reply
        pause = patience.after(error)
        if pause is None:
            raise DownloadError(f"{host_of(url)} did not deliver: {error.message}")
        yield Pause(pause)


def _ask(peer: Peer, hop: Hop, outgoing: Outgoing) -> Dialogue[Reply]:
    """Canvas within its budget, anybody else at once and without the token."""
    if hop.on_canvas:
        return (yield from exchange(outgoing, peer, bearer=hop.bearer))
    reply = yield Send(outgoing)
    assert isinstance(reply, Answer | Fault)
    return reply


def _passing(reply: Reply, hop: Hop) -> CanvasError | None:
    """What may be better in a moment."""
    if isinstance(reply, Fault):
        return unreachable(reply, host_of(hop.url))
    if hop.on_canvas and is_refusal(reply):
        return ThrottledError("the rate budget of this token is used up")
    if reply.status >= _SERVER_ERROR or reply.status in _BUSY:
        return CanvasUnavailableError(f"HTTP {reply.status}")
    return None


def _refusal(answer: Answer, hop: Hop, *, login: bool, offset: int) -> DownloadError:
    if login:
        return RefusedError(
            "Canvas asks for a login instead of delivering; check that the token is valid for files and that its user "
            "may download them"
        )
    if answer.status == _RANGE_NOT_SATISFIABLE and offset:
        return DownloadError("storage cannot resume the package", restart=True)
    hint = "the package may have been deleted; export again" if hop.on_canvas else "the link may have expired"
    about_rights = hop.on_canvas and answer.status in (_UNAUTHORIZED, _FORBIDDEN)
    return RefusedError(
        f"{host_of(hop.url)} refused to deliver (HTTP {answer.status}); {hint}", spoiled=not about_rights
    )


def _outgoing(peer: Peer, hop: Hop, offset: int, mark: Mark | None, stop: int | None = None) -> Outgoing:
    headers = peer.headers(accept="*/*")
    headers["Accept-Encoding"] = "identity"
    if mark and (offset or stop):
        headers["Range"] = f"bytes={offset}-" if stop is None else f"bytes={offset}-{stop - 1}"
        headers["If-Range"] = mark.validator
    return Outgoing("GET", hop.url, headers, stream=True)
