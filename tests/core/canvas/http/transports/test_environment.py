"""Proxies and certificates: what the environment may say, and what an untrusted server means."""

from __future__ import annotations

import asyncio
import ssl
import threading
import warnings
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import certifi
import pytest
from tests.support.certificate import write_certificate

from canvas_exports.core.canvas.api.export_request import ExportRequest
from canvas_exports.core.canvas.async_client import AsyncCanvasClient
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.canvas.http.rate_limiter import RateLimiter
from canvas_exports.core.canvas.http.transports.environment import Proxies, authorities, tls_context
from canvas_exports.core.model.contexts import Context
from canvas_exports.errors import CanvasUnavailableError, InputError, ResponseLostError


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


def test_without_a_proxy_there_is_none() -> None:
    assert Proxies().of("https://canvas.example.edu/x") is None


@pytest.mark.parametrize(
    ("name", "value", "proxy"),
    [
        ("HTTPS_PROXY", "http://proxy.example:3128", "http://proxy.example:3128"),
        ("https_proxy", "proxy.example:3128", "http://proxy.example:3128"),
        ("ALL_PROXY", "http://proxy.example:3128", "http://proxy.example:3128"),
        ("HTTP_PROXY", "http://proxy.example:3128", None),
    ],
)
def test_the_proxy_is_the_one_for_the_scheme(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, proxy: str | None
) -> None:
    monkeypatch.setenv(name, value)
    assert Proxies().of("https://canvas.example.edu/x") == proxy


@pytest.mark.parametrize("exempt", ["canvas.example.edu", ".example.edu", "*"])
def test_no_proxy_is_heeded(monkeypatch: pytest.MonkeyPatch, exempt: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", exempt)
    assert Proxies().of("https://canvas.example.edu:8443/x") is None


def test_authorities_are_certifis_unless_said_otherwise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = tmp_path / "own.pem"
    own.write_text("")
    assert authorities(verify=True) == certifi.where()
    assert authorities(verify=False) is False
    assert authorities(verify=str(own)) == str(own)
    monkeypatch.setenv("CURL_CA_BUNDLE", str(own))
    assert authorities(verify=True) == str(own)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))
    assert authorities(verify=True) == str(tmp_path)
    assert authorities(verify=str(own)) == str(own)


def test_a_missing_authority_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        authorities(verify=str(tmp_path / "absent.pem"))


def test_a_context_is_loaded_from_a_file_or_a_folder(tmp_path: Path) -> None:
    assert tls_context(authority=False) is False
    assert isinstance(tls_context(certifi.where()), ssl.SSLContext)
    assert isinstance(tls_context(str(tmp_path)), ssl.SSLContext)


class _Hello(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = b'{"id": 9}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        return


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    write_certificate(path)
    return path


@pytest.fixture
def secure(certificate: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with _Quiet(("127.0.0.1", 0), _Hello) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def never(_: float) -> None:
    raise AssertionError("there is nothing to wait for")


def test_an_untrusted_certificate_is_an_error_at_once_and_says_what_to_set(secure: str) -> None:
    with CanvasClient(secure, "t", rate_limiter=RateLimiter(), sleep=never) as client:
        with pytest.raises(CanvasUnavailableError, match="set verify"):
            client.whoami()
        with pytest.raises(CanvasUnavailableError) as caught:
            client.create_export(Context.parse("1"), ExportRequest.build("zip"))
        assert not isinstance(caught.value, ResponseLostError)


async def test_an_untrusted_certificate_is_the_same_error_on_the_loop(secure: str) -> None:
    async with AsyncCanvasClient(secure, "t", rate_limiter=RateLimiter()) as client:
        with pytest.raises(CanvasUnavailableError, match="set verify"):
            await client.whoami()


@pytest.mark.parametrize("trusting", ["the authority", "everything"])
def test_an_authority_of_ones_own_and_no_verification_work(
    secure: str, certificate: Path, trusting: str
) -> None:
    verify: str | bool = str(certificate) if trusting == "the authority" else False

    async def ask() -> int:
        async with AsyncCanvasClient(secure, "t", rate_limiter=RateLimiter(), verify=verify) as client:
            return (await client.whoami()).id

    with warnings.catch_warnings():  # what the client sets about warnings is not to outlive the test
        with CanvasClient(secure, "t", rate_limiter=RateLimiter(), verify=verify) as client:
            assert client.whoami().id == 9
        assert asyncio.run(ask()) == 9
