"""Takes the picture of the page for the documentation: ``python -m tests.support.reports.report_picture``."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright
from tests.support.reports.chromium import CHROMIUM
from tests.support.reports.run_views import night

from canvas_exports.core.reports.page.run_page import render_page

PICTURE = Path(__file__).parents[3] / "docs" / "images" / "report.png"
SIZE = {"width": 1180, "height": 1860}


def main() -> int:
    """Open the page of ``views.night`` and write ``docs/images/report.png``."""
    if CHROMIUM is None:
        sys.stderr.write("no chromium here: apt-get install chromium\n")
        return 1
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        window = browser.new_page(viewport={"width": SIZE["width"], "height": SIZE["height"]})
        window.set_content(render_page(night()).decode())
        window.screenshot(path=PICTURE)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
