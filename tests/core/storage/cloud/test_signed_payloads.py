"""What says, over plain http, that a part arrived as it was sent."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.support.store_servers.s3 import ACCESS_KEY, SECRET_KEY, client, moto, rclone

from canvas_exports.core.storage.buffers import BLOCK_SIZE
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.options import StoreOptions
from canvas_exports.core.storage.store import Store

BLOCKS = [b"a" * BLOCK_SIZE, b"b" * BLOCK_SIZE, b"c" * 1000]


@contextmanager
def server_that_remembers(taken: list[dict[str, str]]) -> Iterator[str]:
    """It has nothing, takes everything, and remembers the headers of what it took."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(404)
            self.end_headers()

        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            taken.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(200)
            self.send_header("ETag", '"e"')
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def store_at(endpoint: str, *, unsigned: bool) -> Store:
    keys = StoreOptions(
        endpoint=endpoint, access_key=ACCESS_KEY, secret_key=SECRET_KEY, unsigned_payload=unsigned
    )
    return open_store("s3://bucket/root", keys)


@pytest.mark.parametrize("unsigned", [False, True])
def test_over_plain_http_it_is_a_signed_digest_or_if_asked_a_checksum(unsigned: bool) -> None:
    taken: list[dict[str, str]] = []
    with server_that_remembers(taken) as endpoint, store_at(endpoint, unsigned=unsigned) as store:
        store.put("a.zip", [b"package"])
        assert store.signs_payloads == (not unsigned)
    (headers,) = taken
    signed = "UNSIGNED-PAYLOAD" if unsigned else hashlib.sha256(b"package").hexdigest()
    assert headers["x-amz-content-sha256"] == signed
    assert ("x-amz-checksum-crc64nvme" in headers) == unsigned


@pytest.mark.parametrize("kind", ["moto", "rclone"])
def test_servers_take_parts_with_a_checksum(tmp_path: Path, kind: str) -> None:
    (tmp_path / "bucket").mkdir()
    with moto() if kind == "moto" else rclone(tmp_path) as endpoint:
        if kind == "moto":
            client(endpoint).create_bucket(Bucket="bucket")
        with store_at(endpoint, unsigned=True) as store:
            store.put("a.zip", BLOCKS)
            assert store.read("a.zip") == b"".join(BLOCKS)
            assert store.put_if_absent("a.json", b"{}")
