"""One mapped, deferrable task for each course: how Airflow's own documentation would have it done.

The operator asks Canvas for an export and defers; the trigger polls its progress every 15 seconds on ``aiohttp``; back on
a worker, the package is streamed to a folder. Canvas's courses are listed by a task before.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import requests
from airflow.sdk import BaseHook, BaseOperator
from airflow.triggers.base import BaseTrigger, TriggerEvent

POLL = 15.0  # seconds
CONNECTION = "canvas_mapped"
VARIABLE = "mapped_archive"
_CHUNK = 1024 * 1024


def list_courses() -> list[int]:
    """The ids of all courses, page by page."""
    session, url = _canvas()
    found: list[int] = []
    page: str | None = f"{url}/api/v1/accounts/1/courses?per_page=100"
    while page:
        answer = session.get(page, timeout=60)
        answer.raise_for_status()
        found += [course["id"] for course in answer.json()]
        page = answer.links.get("next", {}).get("url")
    return found


class ExportCourseOperator(BaseOperator):
    """Export one course to a folder."""

    template_fields = ("course_id", "folder")

    def __init__(self, *, course_id: int, folder: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.course_id = course_id
        self.folder = folder

    def execute(self, context: Any) -> None:  # noqa: ARG002 - Airflow's signature
        """Ask for the export, and wait in the triggerer."""
        session, url = _canvas()
        answer = session.post(
            f"{url}/api/v1/courses/{self.course_id}/content_exports",
            data={"export_type": "common_cartridge", "skip_notifications": "true"},
            timeout=60,
        )
        answer.raise_for_status()
        export = answer.json()
        self.defer(
            trigger=ProgressTrigger(progress_url=export["progress_url"]),
            method_name="download",
            kwargs={"export_id": export["id"]},
        )

    def download(self, context: Any, event: dict[str, Any], export_id: int) -> str:  # noqa: ARG002 - Airflow's signature
        """Store the package."""
        if event["state"] != "completed":
            raise RuntimeError(f"export {export_id} ended as {event['state']}")
        session, url = _canvas()
        answer = session.get(f"{url}/api/v1/courses/{self.course_id}/content_exports/{export_id}", timeout=60)
        answer.raise_for_status()
        target = Path(self.folder) / f"{self.course_id}.imscc"
        target.parent.mkdir(parents=True, exist_ok=True)
        with session.get(answer.json()["attachment"]["url"], stream=True, timeout=60) as package:
            package.raise_for_status()
            with target.open("wb") as file:
                shutil.copyfileobj(package.raw, file, _CHUNK)
        return str(target)


class ProgressTrigger(BaseTrigger):
    """Poll a progress until it is over."""

    def __init__(self, progress_url: str, poll: float = POLL) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow leaves it untyped
        self.progress_url = progress_url
        self.poll = poll

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments."""
        return f"{__name__}.ProgressTrigger", {"progress_url": self.progress_url, "poll": self.poll}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll, and speak once."""
        connection = await BaseHook.aget_connection(CONNECTION)
        headers = {"Authorization": f"Bearer {connection.password}", "User-Agent": "mapped-dag"}
        async with aiohttp.ClientSession(headers=headers) as session:
            while True:
                await asyncio.sleep(self.poll)
                async with session.get(self.progress_url) as answer:
                    answer.raise_for_status()
                    progress = await answer.json()
                if progress["workflow_state"] in ("completed", "failed"):
                    yield TriggerEvent({"state": progress["workflow_state"]})
                    return


def _canvas() -> tuple[requests.Session, str]:
    connection = BaseHook.get_connection(CONNECTION)
    session = requests.Session()
    session.headers.update({"Authorization": f"Bearer {connection.password}", "User-Agent": "mapped-dag"})
    return session, str(connection.host)
