"""Take the pictures of the page of the archive for the documentation: ``python -m tests.support.reports.archive_pictures``.

They are those of a real API server of Airflow, which shows an archive with a history.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.airflow.archive_page import ARCHIVE, archive_airflow, chromium
from tests.support.reports.chromium import CHROMIUM

IMAGES = Path(__file__).parents[3] / "docs" / "images"
COURSE = ("courses", "course:101")


@contextmanager
def short_folder(name: str) -> Iterator[Path]:
    """A temporary folder with a name that may stand in a picture."""
    folder = Path(tempfile.gettempdir()) / name
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def main() -> int:
    """Start an API server, and write the pictures."""
    if CHROMIUM is None:
        sys.stderr.write("no chromium here: apt-get install chromium\n")
        return 1
    with (
        short_folder("canvas") as folder,
        archive_airflow(folder, path="") as airflow,
        chromium() as browser,
    ):
        page = airflow.window(browser, "otto").new_page()
        page.goto(f"{airflow.url}/plugin/canvas_archive")
        inside = page.frame_locator("iframe")
        inside.get_by_role("link", name=ARCHIVE).first.click()
        inside.get_by_role("heading", name="Without a good copy").wait_for()
        page.screenshot(path=IMAGES / "archive-overview.png")
        for name, path in (
            ("archive-course.png", COURSE),
            ("archive-alarm.png", ("courses", "course:104")),
            ("archive-search.png", ("search?host=videos.example.org",)),
            ("archive-restore.png", (*COURSE, "do", "restore")),
        ):
            page.goto(airflow.page(ARCHIVE, *path))
            page.screenshot(path=IMAGES / name)
        page.goto(airflow.page(ARCHIVE, *COURSE))
        page.get_by_role("link", name="Read the copy of").first.click()
        page.get_by_role("link", name="Welcome").first.click()
        page.frame_locator("iframe").get_by_role("link", name="Biology").wait_for()
        page.screenshot(path=IMAGES / "archive-read.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
