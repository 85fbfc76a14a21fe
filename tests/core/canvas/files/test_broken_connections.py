"""Downloads from storage that breaks each connection lose no byte that arrived."""

from __future__ import annotations

import hashlib
import re
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import pytest
from tests.support.canvas.package_server import FILE, KEY, an_export, fetch, to
from tests.support.canvas.range_storage import Memory
from tests.support.canvas.scripted_canvas import COURSE, Clock, ScriptedServer, Seen

from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.canvas.files import download
from canvas_exports.errors import DownloadError

MiB = 1024 * 1024
ETAG = '"abc"'
PACKAGE = b"PK\x03\x04" + hashlib.shake_128(b"package").digest(5 * MiB + 123)


def chunked(data: bytes, each: int = 64 * 1024) -> bytes:
    parts = [data[at : at + each] for at in range(0, len(data), each)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def breaking(every: int, *, in_chunks: bool, parts: bool = False) -> Mapping[str, Any]:
    """Storage that serves ranges, and closes the connection after so many bytes of a body."""

    def then(seen: Seen) -> Mapping[str, Any]:
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", seen.headers.get("range", ""))
        headers: dict[str, str | None] = {"ETag": ETAG, "Accept-Ranges": "bytes" if parts else ""}
        status, body = 200, PACKAGE
        if found and seen.headers.get("if-range") == ETAG:
            start, stop = int(found[1]), int(found[2] or len(PACKAGE) - 1) + 1
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(PACKAGE)}"
            status, body = 206, PACKAGE[start:stop]
        if in_chunks:
            headers |= {"Content-Length": None, "Transfer-Encoding": "chunked"}
            body = chunked(body)
        return {"status": status, "body": body, "headers": headers, "cut": every}

    return {"then": then}


def starts(server: ScriptedServer) -> list[int]:
    return [int(re.findall(r"=(\d+)-", seen.headers.get("range", "=0-"))[0]) for seen in server.seen]


@pytest.mark.parametrize("in_chunks", [True, False])
@pytest.mark.parametrize("every", [300_000, 900_000, 2_000_000])
def test_every_byte_that_arrived_before_a_break_counts(
    client: CanvasClient, server: ScriptedServer, every: int, *, in_chunks: bool
) -> None:
    server.on(FILE, breaking(every, in_chunks=in_chunks))
    assert fetch(client, an_export(server, size=len(PACKAGE))) == PACKAGE
    steps = [after - before for before, after in zip(starts(server), starts(server)[1:], strict=False)]
    assert min(steps) >= every - (every // 1000 if in_chunks else 0)  # but for the lines between chunks
    assert len(server.seen) <= len(PACKAGE) // (every * 999 // 1000) + 1


@pytest.mark.parametrize("in_chunks", [True, False])
def test_every_byte_of_a_part_that_arrived_before_a_break_counts(
    client: CanvasClient,
    server: ScriptedServer,
    storage: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
    *,
    in_chunks: bool,
) -> None:
    monkeypatch.setattr(download, "DIVISIBLE", 0)
    server.on(FILE, to(f"{storage.url}/bucket/key"))
    storage.on(KEY, breaking(300_000, in_chunks=in_chunks, parts=True))
    memory = Memory(4, MiB)
    blocks = client.download(COURSE, an_export(server, size=len(PACKAGE)), memory, 3)
    assert b"".join(memory.yielded(block) for block in blocks) == PACKAGE
    assert memory.is_whole
    assert len(storage.seen) <= 6 * 4 + 2  # each part of a mebibyte breaks three times


@pytest.mark.parametrize("in_chunks", [True, False])
def test_a_connection_that_breaks_hundreds_of_times_ends_with_the_package(
    client: CanvasClient, server: ScriptedServer, clock: Clock, *, in_chunks: bool
) -> None:
    """A fixed number of breaks would be a bound on the size of a package."""
    server.on(FILE, breaking(20_000, in_chunks=in_chunks))
    with pytest.raises(DownloadError, match="again and again"):
        fetch(client, an_export(server, size=len(PACKAGE)))
    server.on(FILE, breaking(50_000, in_chunks=in_chunks))
    assert fetch(client, an_export(server, size=len(PACKAGE))) == PACKAGE
    assert max(clock.slept) < 1  # what moves on is not made to wait


@pytest.fixture
def resetting() -> Iterator[str]:
    """A server that resets its connections after 900 kB instead of closing them."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        head = b""
                        while b"\r\n\r\n" not in head and (came := connection.recv(65536)):
                            head += came
                        found = re.search(rb"Range: bytes=(\d+)-", head)
                        start = int(found[1]) if found else 0
                        span = (
                            f"Content-Range: bytes {start}-{len(PACKAGE) - 1}/{len(PACKAGE)}\r\n"
                            if found
                            else ""
                        )
                        lines = f"HTTP/1.1 {206 if found else 200} X\r\nETag: {ETAG}\r\n{span}"
                        lines += f"Content-Length: {len(PACKAGE) - start}\r\n\r\n"
                        connection.sendall(lines.encode() + PACKAGE[start : start + 900_000])
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/key"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_a_reset_forgets_nothing_that_was_read_before(
    client: CanvasClient, server: ScriptedServer, resetting: str
) -> None:
    server.on(FILE, to(resetting))
    assert fetch(client, an_export(server, size=len(PACKAGE))) == PACKAGE
