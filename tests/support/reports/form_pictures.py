"""Take the pictures of the trigger forms for the documentation: ``python -m tests.support.reports.form_pictures``.

They are those of a real API server of Airflow, which knows the DAG files of this checkout.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from tests.support.airflow.api_server import ApiServer
from tests.support.reports.chromium import CHROMIUM

ROOT = Path(__file__).parents[3]
IMAGES = ROOT / "docs" / "images"
SIZE = {"width": 1240, "height": 960}
#: Of each picture: the DAG, and what is typed into the fields of its form.
FORMS = {
    "form.png": (
        "canvas_export",
        {
            "courses": "2001, 2008\nsis_course_id:BIO-340/2026-AUT\nhttps://canvas.example.edu/courses/2015/modules",
        },
    ),
    "restore-form.png": (
        "canvas_restore",
        {"course": "2001", "copy": "newest", "into": "sis_course_id:RESTORED"},
    ),
}


def main() -> int:
    """Start an API server, and write a picture of each form."""
    if CHROMIUM is None:
        sys.stderr.write("no chromium here: apt-get install chromium\n")
        return 1
    with (
        tempfile.TemporaryDirectory() as folder,
        ApiServer(Path(folder), ROOT / "dags", user="admin", role="admin") as server,
    ):
        for name, command in (("migrate", ["db", "migrate"]), ("read", ["dags", "reserialize"])):
            server.programs.run(name, [sys.executable, "-m", "airflow", *command])
        _take(server.url, server.start())
    return 0


def _take(url: str, token: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": SIZE["width"], "height": SIZE["height"]})
        context.add_cookies([{"name": "_token", "value": token, "url": url}])
        context.set_default_timeout(60_000)
        for name, (dag_id, typed) in FORMS.items():
            page = context.new_page()
            page.goto(f"{url}/dags/{dag_id}")
            page.get_by_role("button", name="Trigger").first.click()
            _fill(page, typed)
            page.screenshot(path=IMAGES / name)
            page.close()
        browser.close()


def _fill(page: Page, typed: dict[str, str]) -> None:
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Run Parameters").wait_for()
    for name, text in typed.items():
        dialog.locator(f"#element_{name}").fill(text)
    page.wait_for_timeout(1000)  # the form shows what it makes of the input


if __name__ == "__main__":
    sys.exit(main())
