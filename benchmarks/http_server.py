"""The HTTP/1.1 server of the benchmarks: a thread for each connection, no copies it can avoid, and lines as one likes them.

Python's own server spends more on a small request than the client that is to be measured. This one understands what our
requests and those of the peers hold, and no more; bodies go by ``readinto`` and ``sendfile``.
"""

from __future__ import annotations

import argparse
import json
import mmap
import os
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from io import BufferedReader
from typing import Any

MIB = 1024**2
_PIECE = 128 * 1024  # bytes between two looks at the clock on a throttled line
_BURST = 0.01  # seconds that a throttled line may catch up
_LONGEST_LINE = 64 * 1024
_BACKLOG = 512
_REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True)
class Line:
    """What lies between server and client.

    Attributes:
        delay: seconds that every connection and every answer takes longer: a round trip.
        rate: bytes per second of each connection; 0 for as fast as it goes.
        certificate: PEM file with certificate and key; without, no TLS.
    """

    delay: float = 0.0
    rate: float = 0.0
    certificate: str | None = None

    def arguments(self) -> list[str]:
        """The command line that ``parse`` reads."""
        given = [f"--delay={self.delay}", f"--rate={self.rate}"]
        return [*given, f"--certificate={self.certificate}"] if self.certificate else given

    @classmethod
    def parse(cls, *positional: str) -> tuple[Line, list[str]]:
        """The line and the values of the positional arguments, from the command line."""
        parser = argparse.ArgumentParser()
        for name in positional:
            parser.add_argument(name)
        parser.add_argument("--delay", type=float, default=0.0, help="seconds of round trip")
        parser.add_argument("--rate", type=float, default=0.0, help="bytes per second of each connection")
        parser.add_argument("--certificate", help="PEM file with certificate and key: serve https")
        options = parser.parse_args()
        line = cls(options.delay, options.rate, options.certificate)
        return line, [getattr(options, name) for name in positional]


class Pace:
    """Holds one connection to its rate."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._due = time.monotonic()

    def moved(self, count: int) -> None:
        """Wait until so many more bytes may have gone over the line."""
        now = time.monotonic()
        self._due = max(self._due, now - _BURST) + count / self._rate
        if self._due > now:
            time.sleep(self._due - now)


@dataclass
class Request:
    """One request. Its body is read by ``take`` or by ``drain``; one of them, once."""

    method: str
    target: str
    headers: Mapping[str, str]
    reader: BufferedReader
    pace: Pace | None
    scratch: memoryview

    def take(self) -> bytes:
        """The body at once: for small ones."""
        taken = bytearray()
        self._pass(taken.extend)
        return bytes(taken)

    def drain(self) -> int:
        """Throw the body away; how many bytes the client meant, without the framing that AWS puts around them."""
        size = self._pass(None)
        return int(self.headers.get("x-amz-decoded-content-length", size))

    def _pass(self, keep: Callable[[memoryview], None] | None) -> int:
        if "chunked" not in self.headers.get("transfer-encoding", ""):
            return self._read(int(self.headers.get("content-length", "0")), keep)
        total = 0
        while size := int(self.reader.readline(_LONGEST_LINE).partition(b";")[0], 16):
            total += self._read(size, keep)
            self.reader.readline(_LONGEST_LINE)
        while self.reader.readline(_LONGEST_LINE).strip():
            continue  # trailers
        return total

    def _read(self, size: int, keep: Callable[[memoryview], None] | None) -> int:
        left = size
        while left:
            step = min(left, _PIECE if self.pace else len(self.scratch))
            count = self.reader.readinto(self.scratch[:step])
            if not count:
                raise ConnectionError("the client hung up")
            if keep:
                keep(self.scratch[:count])
            left -= count
            if self.pace:
                self.pace.moved(count)
        return size


@dataclass(frozen=True)
class Reply:
    """An answer: status, headers, and a small body or a part of a file. ``length`` is what a HEAD speaks of."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    part: range | None = None
    length: int | None = None


class Server:
    """Serves until the standard input ends.

    Args:
        line: how fast, how far, and whether encrypted.
        answer: from a request to its answer; called from many threads.
        file: path of the file that ``Reply.part`` speaks of.
    """

    def __init__(self, line: Line, answer: Callable[[Request], Reply], file: str | None = None) -> None:
        self._line = line
        self._answer = answer
        self._file = None if file is None else os.open(file, os.O_RDONLY)
        self._bytes = None if self._file is None else mmap.mmap(self._file, 0, prot=mmap.PROT_READ)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        self._tls: ssl.SSLContext | None = None
        if line.certificate:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(line.certificate)
        self.origin = f"{'https' if self._tls else 'http'}://127.0.0.1:{self._listener.getsockname()[1]}"

    def run(self, **document: object) -> None:
        """Print the address, and whatever else is to be known, as one line of JSON; then serve."""
        threading.Thread(target=self._accept, daemon=True).start()
        sys.stdout.write(json.dumps({"url": self.origin, **document}) + "\n")
        sys.stdout.flush()
        sys.stdin.read()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError, ValueError), connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            time.sleep(self._line.delay)
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection, _reader(connection) as reader:
                self._converse(connection, reader)

    def _converse(self, connection: socket.socket, reader: BufferedReader) -> None:
        scratch = memoryview(bytearray(MIB))
        pace = Pace(self._line.rate) if self._line.rate else None
        while first := reader.readline(_LONGEST_LINE):
            method, target, _ = first.decode("latin-1").split(" ", 2)
            headers = {}
            while line := reader.readline(_LONGEST_LINE).decode("latin-1").strip():
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            if headers.get("expect", "").lower() == "100-continue":
                time.sleep(self._line.delay)
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            reply = self._answer(Request(method, target, headers, reader, pace, scratch))
            time.sleep(self._line.delay)
            self._send(connection, reply, pace)
            if headers.get("connection", "").lower() == "close":
                return

    def _send(self, connection: socket.socket, reply: Reply, pace: Pace | None) -> None:
        length = len(reply.part) if reply.part is not None else len(reply.body)
        lines = [f"HTTP/1.1 {reply.status} {_REASONS[reply.status]}"]
        lines += [f"{name}: {value}" for name, value in reply.headers.items()]
        lines += [f"Content-Length: {length if reply.length is None else reply.length}", "", ""]
        connection.sendall("\r\n".join(lines).encode("latin-1") + reply.body)
        if reply.part is None:
            return
        assert self._file is not None
        assert self._bytes is not None
        at, step = reply.part.start, _PIECE if pace else MIB
        with memoryview(self._bytes) as content:
            while at < reply.part.stop:
                count = min(step, reply.part.stop - at)
                if self._tls:
                    connection.sendall(content[at : at + count])
                else:
                    count = os.sendfile(connection.fileno(), self._file, at, count)
                at += count
                if pace:
                    pace.moved(count)


def _reader(connection: socket.socket) -> BufferedReader:
    raw: Any = connection.makefile("rb", buffering=0)
    return BufferedReader(raw, 64 * 1024)
