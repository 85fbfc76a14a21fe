"""Uploads: the form, where the token goes, and every error."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Iterator
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.canvas.scripted_canvas import TOKEN, ScriptedServer

from canvas_exports.core.canvas.api.migrations import PackageFile, UploadTicket
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.canvas.files.upload import Block, MultipartForm
from canvas_exports.core.canvas.http.rate_limiter import RateLimiter
from canvas_exports.errors import BadRequestError, CorruptPackageError, UploadError

FILE = PackageFile("501.imscc", 6)
BLOCKS: list[Block] = [b"abc", bytearray(b"de"), memoryview(b"f")]
DONE = "/api/v1/files/7/create_success"


def ticket(storage: ScriptedServer, **params: str) -> UploadTicket:
    return UploadTicket(f"{storage.url}/put?signature=secret", tuple(params.items()))


def parts(content_type: str, body: str) -> list[tuple[object, str | None, str]]:
    """Name, file name and content of each part, as another library reads them."""
    document = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n{body}".encode())
    found: list[tuple[object, str | None, str]] = []
    for part in document.walk():
        if not part.is_multipart():
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            name = part.get_param("name", header="content-disposition")
            found.append((name, part.get_filename(), content.decode()))
    return found


def test_the_parameters_go_first_and_the_file_last(client: CanvasClient, storage: ScriptedServer) -> None:
    storage.on("POST /put", {"status": 201, "json": {"id": 7}})
    client.upload(ticket(storage, key="a/b", Policy="p"), FILE, BLOCKS)
    (seen,) = storage.seen
    assert parts(seen.headers["content-type"], seen.body) == [
        ("key", None, "a/b"),
        ("Policy", None, "p"),
        ("file", "501.imscc", "abcdef"),
    ]
    assert int(seen.headers["content-length"]) == len(seen.body)
    assert "transfer-encoding" not in seen.headers


@given(
    params=st.dictionaries(
        st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1),
        st.text(max_size=20),
        max_size=5,
    ),
    size=st.integers(0, 100),
)
def test_the_form_is_as_long_as_it_says(params: dict[str, str], size: int) -> None:
    form = MultipartForm.of(UploadTicket("https://x", tuple(params.items())), PackageFile('a"b.zip', size))
    body = b"".join(form.stream([bytes(size)]))
    assert len(body) == form.length
    assert body.endswith(b"--\r\n")
    assert b'filename="a%22b.zip"' in body


def test_the_token_goes_to_canvas_only_and_only_to_say_that_the_file_is_there(
    client: CanvasClient, server: ScriptedServer, storage: ScriptedServer
) -> None:
    storage.on("POST /put", {"status": 303, "headers": {"Location": f"{server.url}{DONE}?uuid=u"}})
    server.on(f"GET {DONE}", {"json": {"id": 7}})
    client.upload(ticket(storage), FILE, BLOCKS)
    assert "authorization" not in storage.seen[0].headers
    assert server.seen[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert server.seen[0].target == f"{DONE}?uuid=u"


def test_not_even_canvas_itself_gets_the_token_with_the_file(
    client: CanvasClient, server: ScriptedServer
) -> None:
    server.on("POST /files_api", {"status": 302, "headers": {"Location": f"{DONE}?uuid=u"}})
    server.on(f"GET {DONE}", {"json": {"id": 7}})
    client.upload(UploadTicket(f"{server.url}/files_api", ()), FILE, BLOCKS)
    assert ["authorization" in seen.headers for seen in server.seen] == [False, True]


def test_canvas_can_be_asked_while_it_takes_the_file_itself(server: ScriptedServer) -> None:
    def patience(_: float) -> None:
        raise AssertionError("the upload holds the only slot of the rate limiter")

    server.on("POST /files_api", {"status": 201})
    server.on("GET /api/v1/users/self", {"json": {"id": 9}})
    with CanvasClient(server.url, TOKEN, rate_limiter=RateLimiter(), sleep=patience) as client:

        def blocks() -> Iterator[Block]:
            assert client.whoami().id == 9
            yield from BLOCKS

        client.upload(UploadTicket(f"{server.url}/files_api", ()), FILE, blocks())


def test_a_foreign_host_on_the_way_never_sees_the_token(
    client: CanvasClient, storage: ScriptedServer
) -> None:
    storage.on("POST /put", {"status": 302, "headers": {"Location": "/elsewhere"}})
    storage.on("GET /elsewhere", {"json": {}})
    client.upload(ticket(storage), FILE, BLOCKS)
    assert all("authorization" not in seen.headers for seen in storage.seen)


def test_storage_that_answers_201_is_believed(
    client: CanvasClient, server: ScriptedServer, storage: ScriptedServer
) -> None:
    location = {"Location": f"{server.url}/api/v1/files/7"}
    storage.on("POST /put", {"status": 201, "json": {"id": 7}, "headers": location})
    client.upload(ticket(storage), FILE, BLOCKS)
    assert server.seen == []


@pytest.mark.parametrize("status", [400, 403, 413, 500, 503])
def test_a_refused_upload_is_not_repeated_here(
    client: CanvasClient, storage: ScriptedServer, status: int
) -> None:
    storage.on("POST /put", {"status": status})
    with pytest.raises(UploadError, match=f"HTTP {status}") as caught:
        client.upload(ticket(storage), FILE, BLOCKS)
    assert caught.value.retryable
    assert "secret" not in str(caught.value) + repr(caught.value)
    assert len(storage.seen) == 1


def test_a_broken_connection_is_an_upload_that_may_have_arrived(
    client: CanvasClient, storage: ScriptedServer
) -> None:
    storage.on("POST /put", {"drop": True})
    with pytest.raises(UploadError, match="lost"):
        client.upload(ticket(storage), FILE, BLOCKS)


def test_saying_that_it_is_there_is_repeated_while_canvas_is_busy(
    client: CanvasClient, server: ScriptedServer, storage: ScriptedServer
) -> None:
    storage.on("POST /put", {"status": 303, "headers": {"Location": f"{server.url}{DONE}"}})
    server.on(
        f"GET {DONE}",
        {"status": 429, "text": "429 Too Many Requests (Rate Limit Exceeded)\n"},
        {"status": 502, "html": "<html>"},
        {"drop": True},
        {"json": {"id": 7}},
    )
    client.upload(ticket(storage), FILE, BLOCKS)
    assert len(server.seen) == 4
    assert len(storage.seen) == 1


@pytest.mark.parametrize("status", [400, 401, 404])
def test_what_canvas_says_about_the_file_is_not_repeated(
    client: CanvasClient, server: ScriptedServer, storage: ScriptedServer, status: int
) -> None:
    storage.on("POST /put", {"status": 303, "headers": {"Location": f"{server.url}{DONE}"}})
    server.on(f"GET {DONE}", {"status": status})
    with pytest.raises(UploadError, match=f"HTTP {status}"):
        client.upload(ticket(storage), FILE, BLOCKS)
    assert len(server.seen) == 1


def test_a_reason_that_canvas_gives_is_final(
    client: CanvasClient, server: ScriptedServer, storage: ScriptedServer
) -> None:
    storage.on("POST /put", {"status": 303, "headers": {"Location": f"{server.url}{DONE}?uuid=secret"}})
    server.on(f"GET {DONE}", {"status": 400, "json": {"message": "file size exceeds quota limits"}})
    with pytest.raises(BadRequestError, match="file size exceeds quota limits") as caught:
        client.upload(ticket(storage), FILE, BLOCKS)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("location", "problem"),
    [
        ("", "without saying where to"),
        ("ftp://host/x", "not plain"),
        ("/put", "redirected more than 10 times"),
    ],
)
def test_a_redirect_that_leads_nowhere_ends(
    client: CanvasClient, storage: ScriptedServer, location: str, problem: str
) -> None:
    for method in ("POST", "GET"):
        storage.on(f"{method} /put", {"status": 302, "headers": {"Location": location}})
    with pytest.raises(UploadError, match=problem):
        client.upload(ticket(storage), FILE, BLOCKS)


@pytest.mark.parametrize("blocks", [[b"abc"], [b"abcdefg"], []])
def test_a_file_of_another_size_is_never_ended(
    client: CanvasClient, storage: ScriptedServer, blocks: list[bytes]
) -> None:
    storage.on("POST /put", {"status": 201})
    with pytest.raises(UploadError, match="size"):
        client.upload(ticket(storage), FILE, blocks)
    assert not storage.seen or not storage.seen[0].body.endswith("--\r\n")


def test_what_the_package_raises_at_its_end_leaves_the_upload_without_its_end(
    client: CanvasClient, storage: ScriptedServer
) -> None:
    def damaged() -> Iterator[bytes]:
        yield b"abcdef"
        raise CorruptPackageError("another digest")

    storage.on("POST /put", {"status": 201})
    with pytest.raises(CorruptPackageError, match="another digest"):
        client.upload(ticket(storage), FILE, damaged())
    assert not storage.seen or not storage.seen[0].body.endswith("--\r\n")


def test_an_upload_takes_the_memory_of_a_block_however_large_it_is(storage: ScriptedServer) -> None:
    size, block = 64, bytes(1024 * 1024)
    form = MultipartForm.of(ticket(storage), PackageFile("large.imscc", size * len(block)))
    tracemalloc.start()
    try:
        sent = sum(len(piece) for piece in form.stream(block for _ in range(size)))
        assert tracemalloc.get_traced_memory()[1] < len(block)
    finally:
        tracemalloc.stop()
    assert sent == form.length


class _Discarding(BaseHTTPRequestHandler):
    """Storage that keeps nothing; below ``/full``, it says so before anything has come."""

    def do_POST(self) -> None:
        left = int(self.headers["Content-Length"])
        if self.path == "/full":
            self.send_response(413)
            self.end_headers()
            return
        piece = memoryview(bytearray(65_536))
        while left:
            left -= self.rfile.readinto(piece[: min(left, len(piece))])
        self.send_response(201)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def discarding() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Discarding) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_large_package_goes_over_the_wire_in_the_memory_of_a_block(
    client: CanvasClient, discarding: str
) -> None:
    block = bytes(1024 * 1024)
    file = PackageFile("large.imscc", 128 * len(block))
    tracemalloc.start()
    try:
        client.upload(UploadTicket(f"{discarding}/put", ()), file, (block for _ in range(128)))
        assert tracemalloc.get_traced_memory()[1] < 4 * len(block)
    finally:
        tracemalloc.stop()


def test_storage_that_refuses_before_everything_has_come_is_not_sent_the_rest(
    client: CanvasClient, discarding: str
) -> None:
    sent = 0

    def blocks() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(64):
            sent += 1
            yield bytes(1024 * 1024)

    with pytest.raises(UploadError, match=r"HTTP 413|lost"):
        client.upload(UploadTicket(f"{discarding}/full", ()), PackageFile("a", 64 * 1024 * 1024), blocks())
    assert sent < 64
