"""An S3 server that throws bodies away: what is measured is the client."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class SinkServer:
    """Knows sizes of objects, and the small documents themselves."""

    def __init__(self) -> None:
        sizes: dict[str, int] = {}
        parts: dict[str, int] = {}
        lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _swallow(self) -> int:
                size = left = int(self.headers.get("Content-Length") or 0)
                buffer = memoryview(bytearray(1 << 20))
                while left:
                    left -= self.rfile.readinto(buffer[: min(left, len(buffer))])
                return size

            def do_PUT(self) -> None:
                path, query = self._target()
                size = self._swallow()
                with lock:
                    if "uploadId" in query:
                        parts[path] = parts.get(path, 0) + size
                    else:
                        sizes[path] = size
                self._answer(200, "", ETag='"0"')

            def do_POST(self) -> None:
                path, query = self._target()
                self._swallow()
                if "uploadId" in query:
                    sizes[path] = parts.pop(path)
                    self._answer(
                        200, "<CompleteMultipartUploadResult><ETag>0</ETag></CompleteMultipartUploadResult>"
                    )
                else:
                    self._answer(
                        200,
                        "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>",
                    )

            def do_HEAD(self) -> None:
                size = sizes.get(self._target()[0])
                self.send_response(404 if size is None else 200)
                self.send_header("Content-Length", str(size or 0))
                self.send_header("Last-Modified", "Mon, 23 Nov 2026 02:00:00 GMT")
                self.send_header("ETag", '"0"')
                self.end_headers()

            def do_GET(self) -> None:
                self._answer(404, "")

            def _target(self) -> tuple[str, dict[str, list[str]]]:
                url = urlsplit(self.path)
                return url.path, parse_qs(url.query, keep_blank_values=True)

            def _answer(self, status: int, body: str, **headers: str) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True).start()
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
