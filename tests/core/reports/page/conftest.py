from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright
from tests.support.reports.chromium import CHROMIUM, DESK, Window
from tests.support.reports.run_views import night, row, view

from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.reports.page.run_page import render_page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_bytes(render_page(night()))
    return path.as_uri()


@pytest.fixture(scope="module")
def long_address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A run of three pages of the table, a few of them not good."""
    records = [
        row(n, Outcome.FAILED if n % 10 == 0 else Outcome.STORED, task_id="export") for n in range(1, 121)
    ]
    path = tmp_path_factory.mktemp("long") / "report.html"
    path.write_bytes(
        render_page(
            view(
                records,
                canvas="https://canvas.example.edu",
                airflow="https://airflow.example.edu",
                zone="Asia/Tokyo",
            )
        )
    )
    return path.as_uri()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Any]:
    contexts = []

    def opened(address: str, **settings: Any) -> Window:
        contexts.append(browser.new_context(**{"viewport": DESK, **settings}))
        return Window(contexts[-1].new_page(), address)

    yield opened
    for context in contexts:
        context.close()
