"""Take the pictures of the trigger forms for the documentation: ``python -m tests.support.reports.form_pictures``.

They are those of a real API server of Airflow, which knows the DAG files of this checkout.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import tempfile
import time
from pathlib import Path

import requests
from playwright.sync_api import Page, sync_playwright
from tests.support.reports.chromium import CHROMIUM

from canvas_demo.processes.ports import any_free
from canvas_demo.processes.programs import Programs

ROOT = Path(__file__).parents[3]
IMAGES = ROOT / "docs" / "images"
SIZE = {"width": 1240, "height": 960}
PATIENCE = 180.0  # seconds for the API server to start
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
    with tempfile.TemporaryDirectory() as folder:
        home, url = Path(folder), f"http://127.0.0.1:{any_free()}"
        (home / "passwords.json").write_text(json.dumps({"admin": "secret"}))
        programs = Programs(home / "programs", _environment(home, url))
        python = [sys.executable, "-m", "airflow"]
        try:
            programs.run("migrate", [*python, "db", "migrate"])
            programs.run("read", [*python, "dags", "reserialize"])
            port = url.rpartition(":")[2]
            programs.start("api-server", [*python, "api-server", "--host", "127.0.0.1", "--port", port])
            _take(url, _log_in(url, programs))
        finally:
            programs.stop()
    return 0


def _environment(home: Path, url: str) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
        "NO_PROXY": "127.0.0.1",
        "PYTHONPATH": str(ROOT / "plugins"),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(64),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }


def _log_in(url: str, programs: Programs) -> str:
    """Wait for the API server, and return a token of its administrator."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        programs.check()
        try:
            body = {"username": "admin", "password": "secret"}
            return str(requests.post(f"{url}/auth/token", json=body, timeout=10).json()["access_token"])
        except (requests.RequestException, ValueError):
            time.sleep(0.3)
    raise TimeoutError("the API server did not start")


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
