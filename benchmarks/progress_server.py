"""A Canvas of nothing but running exports, as quick as Python can be: ``python -m benchmarks.progress_server``.

It speaks just enough HTTP for keep-alive clients. Every Progress it is asked for is running, and further on at each look,
up to 90 per cent. ``GET /log`` tells what was asked so far: requests in each second since the server started, and the
most under way together (with ``--delay`` seconds for each). Answers carry the headers that Canvas's do; the rate limit
they report is never near.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter, defaultdict
from email.utils import formatdate

_HEADERS = (
    "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: %d\r\nConnection: keep-alive\r\n"
    "Date: %s\r\nServer: Apache\r\nCache-Control: max-age=0, private, must-revalidate\r\n"
    'ETag: W/"8a5c1e2f0b7d4c39"\r\nVary: Accept-Encoding\r\nX-Rate-Limit-Remaining: 599.9%d\r\nX-Request-Cost: %.4f\r\n'
    "X-Request-Context-Id: 6f9d4c1e-7a55-4b56-9f0e-52b1d28a3c11\r\nX-Canvas-Meta: q=1;b=2;m=3;\r\nX-Frame-Options: SAMEORIGIN\r\n"
    "X-Session-Id: 5f2c7b1a9d\r\nX-Runtime: 0.018\r\nReferrer-Policy: no-referrer-when-downgrade\r\n\r\n"
)


class Requests:
    """What was asked, and how far each export is."""

    def __init__(self, delay: float, cost: float) -> None:
        self.delay = delay
        self.cost = cost
        self.started = time.monotonic()
        self.seconds: Counter[int] = Counter()
        self.under_way = self.most = 0
        self._looks: defaultdict[str, int] = defaultdict(int)

    def log(self) -> bytes:
        """Everything so far, as JSON."""
        last = max(self.seconds, default=0)
        seconds = [self.seconds[number] for number in range(last + 1)]
        document = {"seconds": seconds, "most_under_way": self.most}
        return json.dumps(document).encode()

    def answer(self, line: bytes) -> bytes:
        """The body of an answer."""
        path = line.split(b" ", 2)[1].decode()
        if path == "/log":
            return self.log()
        self.seconds[int(time.monotonic() - self.started)] += 1
        number = path.rpartition("/")[2]
        return (
            f'{{"id":{number},"context_id":501,"context_type":"ContentExport","user_id":1,"tag":"content_export",'
            f'"completion":{self._completion(number)},"workflow_state":"running","created_at":"2026-11-23T02:00:00Z",'
            f'"updated_at":"2026-11-23T02:01:10Z","message":null,"url":"http://127.0.0.1/api/v1/progress/{number}"}}'
        ).encode()

    def _completion(self, number: str) -> float:
        self._looks[number] += 1
        return min(5.0 * self._looks[number], 90.0)


class Connection(asyncio.Protocol):
    """One keep-alive connection, one request at a time."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests
        self._received = b""
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer when the request is whole."""
        self._received += data
        head, end, _ = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        self._received = b""
        requests = self._requests
        requests.under_way += 1
        requests.most = max(requests.most, requests.under_way)
        line = head.partition(b"\r\n")[0]
        if requests.delay:
            asyncio.get_running_loop().call_later(requests.delay, self._answer, line)
        else:
            self._answer(line)

    def _answer(self, line: bytes) -> None:
        requests = self._requests
        requests.under_way -= 1
        body = requests.answer(line)
        head = _HEADERS % (len(body), formatdate(usegmt=True), requests.under_way, requests.cost)
        self._transport.write(head.encode() + body)


async def serve(delay: float, cost: float) -> None:
    """Print the address as one line of JSON, and serve until the standard input ends."""
    loop = asyncio.get_running_loop()
    requests = Requests(delay, cost)
    listening = await loop.create_server(lambda: Connection(requests), "127.0.0.1", 0, backlog=1024)
    port = listening.sockets[0].getsockname()[1]
    sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{port}", "token": "a-token"}) + "\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    listening.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--cost", type=float, default=0.05)
    options = parser.parse_args()
    asyncio.run(serve(options.delay, options.cost))
