"""Scripts on ``canvasapi``: ``python -m benchmarks.peers.scripts URL FOLDER WORKERS``, the token in ``CANVAS_TOKEN``.

With one worker it is the loop that everybody begins with; with more, the thread pool that follows. Each course is asked
for, waited for (a look every 5 seconds) and downloaded before its worker goes on. A refusal for the rate limit is waited
out, as canvasapi leaves that to its user.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import requests
from canvasapi import Canvas  # type: ignore[import-untyped]  # it has no types
from canvasapi.course import Course  # type: ignore[import-untyped]  # it has no types
from canvasapi.exceptions import RateLimitExceeded  # type: ignore[import-untyped]  # it has no types

T = TypeVar("T")

POLL = 5.0  # seconds
_WAIT = 10.0  # after a refusal
_CHUNK = 1024 * 1024


def main(url: str, folder: Path, workers: int) -> None:
    """Export every course of account 1."""
    token = os.environ["CANVAS_TOKEN"]
    folder.mkdir(parents=True, exist_ok=True)
    courses = list(Canvas(url, token).get_account(1).get_courses(per_page=100))
    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(lambda course: _export(course, token, folder), courses):
            pass


def _export(course: Course, token: str, folder: Path) -> None:
    export = _patiently(lambda: course.export_content("common_cartridge", skip_notifications=True))
    while export.workflow_state not in ("exported", "failed"):
        time.sleep(POLL)
        export = _patiently(partial(course.get_content_export, export.id))
    if export.workflow_state == "failed":
        raise RuntimeError(f"the export of course {course.id} failed")
    headers = {"Authorization": f"Bearer {token}"}
    with requests.get(export.attachment["url"], headers=headers, stream=True, timeout=60) as answer:
        answer.raise_for_status()
        with (folder / f"{course.id}.imscc").open("wb") as file:
            shutil.copyfileobj(answer.raw, file, _CHUNK)


def _patiently(ask: Callable[[], T]) -> T:
    while True:
        try:
            return ask()
        except RateLimitExceeded:  # noqa: PERF203 - rare
            time.sleep(_WAIT)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
