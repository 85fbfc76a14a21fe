"""A StatsD server that keeps what it is sent."""

from __future__ import annotations

import socket
import threading
import time
from typing import NamedTuple

_PATIENCE = 10.0  # seconds
_MARK = "mark"


class Sample(NamedTuple):
    """One line of the protocol: ``name:value|kind``."""

    name: str
    value: float
    kind: str


class StatsD:
    """Listens on a free UDP port of the loopback interface."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._samples: list[Sample] = []
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._send(b"")
        self._thread.join()
        self._socket.close()

    def _listen(self) -> None:
        while data := self._socket.recv(65535):
            for line in data.decode().splitlines():
                name, _, rest = line.rpartition(":")
                value, _, kind = rest.partition("|")
                self._samples.append(Sample(name, float(value), kind))

    def samples(self, prefix: str) -> list[Sample]:
        """What has been sent under names that begin like this. A mark sent last tells that the rest has arrived."""
        marks = sum(sample.name == _MARK for sample in self._samples)
        self._send(f"{_MARK}:1|c".encode())
        deadline = time.monotonic() + _PATIENCE
        while sum(sample.name == _MARK for sample in self._samples) == marks:
            assert time.monotonic() < deadline, "what is sent does not arrive"
            time.sleep(0.005)
        return [sample for sample in self._samples if sample.name.startswith(prefix)]

    def _send(self, data: bytes) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(data, ("127.0.0.1", self.port))
