"""The two requests that sweep S3, against a server whose answers are written down here."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from canvas_exports.core.storage.cloud.s3 import S3Sdk, S3Uploads
from canvas_exports.core.storage.options import AccessKeys, KeysProvider, StoreOptions
from canvas_exports.errors import ArchiveDeniedError, ArchiveUnavailableError

KEYS = AccessKeys("access", "SECRET", "session")


class Server:
    """Lists two pages of uploads; anything else it answers with ``status``."""

    def __init__(self) -> None:
        self.pages = {
            "": page("canvas/a.zip", "1", after="canvas/a.zip"),
            "canvas/a.zip": page("canvas/b.zip", "2"),
        }
        self.status = 204
        self.seen: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                query = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
                server.seen.append((self.command, self.path))
                server.headers.append({name.lower(): value for name, value in self.headers.items()})
                listing = self.command == "GET"
                body = server.pages[query.get("key-marker", [""])[0]] if listing else b""
                self.send_response(200 if listing else server.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_DELETE = _answer  # noqa: N815 - the base class's names

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True).start()
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def page(
    key: str, upload: str, after: str | None = None, initiated: str = "2026-01-01T00:00:00.000Z"
) -> bytes:
    more = (
        f"<NextKeyMarker>{after}</NextKeyMarker><NextUploadIdMarker>m</NextUploadIdMarker>" if after else ""
    )
    truncated = f"<IsTruncated>{str(bool(after)).lower()}</IsTruncated>"
    return (
        f"<ListMultipartUploadsResult>{truncated}{more}<Upload><Key>{key}</Key><UploadId>{upload}</UploadId>"
        f"<Initiated>{initiated}</Initiated></Upload></ListMultipartUploadsResult>"
    ).encode()


@pytest.fixture
def server() -> Iterator[Server]:
    started = Server()
    yield started
    started.close()


def uploads(server: Server, keys: KeysProvider | None = lambda: KEYS) -> S3Uploads:
    sdk = S3Sdk(
        "s3://bucket/canvas",
        StoreOptions(retries=0),
        bucket="bucket",
        endpoint=server.endpoint,
        region="eu-central-1",
        keys=keys,
    )
    return S3Uploads(sdk, "canvas")


def test_every_page_is_read_and_every_old_upload_aborted(server: Server) -> None:
    assert uploads(server).sweep(timedelta(0)) == ["a.zip", "b.zip"]
    assert [target for verb, target in server.seen if verb == "DELETE"] == [
        "/bucket/canvas/a.zip?uploadId=1",
        "/bucket/canvas/b.zip?uploadId=2",
    ]


def test_requests_are_signed_with_the_session_and_hold_no_secret(server: Server) -> None:
    uploads(server).sweep(timedelta(0))
    for headers in server.headers:
        assert headers["x-amz-security-token"] == "session"
        assert "Credential=access/" in headers["authorization"]
        assert "x-amz-security-token" in headers["authorization"]
        assert "SECRET" not in str(headers)


def test_an_entry_for_the_host_in_netrc_does_not_replace_the_signature(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    uploads(server).sweep(timedelta(0))
    assert all(headers["authorization"].startswith("AWS4-HMAC-SHA256") for headers in server.headers)


def test_a_list_that_cannot_be_read_is_unavailable(server: Server) -> None:
    server.pages[""] = b"<Listing>"
    with pytest.raises(ArchiveUnavailableError):
        uploads(server).sweep(timedelta(0))


def test_an_upload_that_somebody_else_aborted_is_no_failure(server: Server) -> None:
    server.status = 404
    assert uploads(server).sweep(timedelta(0)) == ["a.zip", "b.zip"]


@pytest.mark.parametrize(("status", "kind"), [(403, ArchiveDeniedError), (503, ArchiveUnavailableError)])
def test_an_abort_that_is_refused_is_reported(server: Server, status: int, kind: type[Exception]) -> None:
    server.status = status
    with pytest.raises(kind) as raised:
        uploads(server).sweep(timedelta(0))
    assert "uploadId" not in str(raised.value)


def test_only_what_began_since_is_aborted_of_one_key(server: Server) -> None:
    began = datetime(2026, 1, 1, tzinfo=timezone.utc)
    uploads(server).abort("b.zip", began + timedelta(seconds=1))
    uploads(server).abort("b", began)
    assert {verb for verb, _ in server.seen} == {"GET"}
    uploads(server).abort("b.zip", began)
    assert [target for verb, target in server.seen if verb == "DELETE"] == ["/bucket/canvas/b.zip?uploadId=2"]


def test_what_cannot_be_aborted_is_left_to_the_sweep(server: Server) -> None:
    server.status = 503
    uploads(server).abort("b.zip", datetime(2026, 1, 1, tzinfo=timezone.utc))
    uploads(server, None).abort("b.zip", datetime(2026, 1, 1, tzinfo=timezone.utc))
