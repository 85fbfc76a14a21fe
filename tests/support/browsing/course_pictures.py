"""Takes the pictures of a course for the documentation: ``python -m tests.support.browsing.course_pictures``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright
from tests.support.reports.chromium import CHROMIUM

from canvas_exports.cli.main import main as canvas_archive

ROOT = Path(__file__).parents[3]
ARCHIVE = ROOT / "tests" / "data" / "previous_release" / "archive"
IMAGES = ROOT / "docs" / "images"
SIZE = {"width": 1100, "height": 960}


def main() -> int:
    """Write a recorded course with ``canvas-archive open``, and pictures of its home page and of a quiz in ``docs/images/``."""
    if CHROMIUM is None:
        sys.stderr.write("no chromium here: apt-get install chromium\n")
        return 1
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        course = Path(folder) / "course"
        status = canvas_archive(["open", "102", "--archive", str(ARCHIVE), "--output", str(course)])
        if status:
            return status
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": SIZE["width"], "height": SIZE["height"]})
        page.goto((course / "index.html").as_uri())
        page.screenshot(path=IMAGES / "course.png")
        page.set_viewport_size({"width": SIZE["width"], "height": SIZE["height"] * 2 // 3})
        page.goto(next((course / "pages").glob("quiz-new-quiz-review-*[0-9a-f].html")).as_uri())
        page.screenshot(path=IMAGES / "course-quiz.png")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
