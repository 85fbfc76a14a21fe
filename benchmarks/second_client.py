"""Another tool of the university with the same token, which uses half of its budget all the time."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any

import requests
from typing_extensions import Self

from benchmarks.campus_server import SECOND, SECOND_PER_SECOND

AGENT = "second-client"


class SecondClient:
    """Asks for something that costs one unit, five times a second, for as long as the ``with`` block lasts."""

    def __init__(self, canvas: dict[str, Any]) -> None:
        self._url = canvas["url"] + SECOND
        self._headers = {"Authorization": f"Bearer {canvas['token']}", "User-Agent": AGENT}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=AGENT, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(30)

    def _run(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            while not self._over.wait(1 / SECOND_PER_SECOND):
                session.get(self._url, headers=self._headers, timeout=30)
