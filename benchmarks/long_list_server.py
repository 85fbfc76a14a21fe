"""A Canvas that knows one thing, a very long list of courses: ``python -m benchmarks.long_list_server COUNT``.

Pages of a hundred, as Canvas sends them, made up as they are asked for.
"""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

FIRST = 1_000_001  # number of the first course
PAGE = 100


class Handler(BaseHTTPRequestHandler):
    """One connection; the server's ``count`` says how many courses there are."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """A page of the list, whatever was asked for."""
        count: int = self.server.count  # type: ignore[attr-defined] # set below
        page = int(parse_qs(urlsplit(self.path).query).get("page", ["1"])[0])
        numbers = range((page - 1) * PAGE, min(page * PAGE, count))
        body = json.dumps([_course(FIRST + number) for number in numbers]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if page * PAGE < count:
            place = f"http://{self.headers['Host']}{urlsplit(self.path).path}"
            self.send_header("Link", f'<{place}?page={page + 1}&per_page={PAGE}>; rel="next"')
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _course(number: int) -> dict[str, object]:
    return {
        "id": number,
        "name": f"Introduction to the Study of Subject {number}",
        "course_code": f"SUBJ-{number}",
        "account_id": 1,
        "root_account_id": 1,
        "uuid": f"{number:040x}",
        "workflow_state": "available",
        "enrollment_term_id": 12,
        "sis_course_id": f"2026-FALL-{number}",
        "start_at": None,
        "default_view": "modules",
        "term": {"id": 12, "name": "Fall 2026", "sis_term_id": "2026-FALL"},
    }


def main(count: int) -> None:
    """Print the address as a line of JSON, and serve until the standard input ends."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.count = count  # type: ignore[attr-defined] # read by the handler
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{server.server_port}"}) + "\n")
        sys.stdout.flush()
        sys.stdin.read()
        server.shutdown()


if __name__ == "__main__":
    main(int(sys.argv[1]))
