from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright
from tests.support.reports.chromium import CHROMIUM, DESK, Window


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Any]:
    contexts = []

    def opened(address: str, **settings: Any) -> Window:
        contexts.append(browser.new_context(**{"viewport": DESK, **settings}))
        return Window(contexts[-1].new_page(), address)

    yield opened
    for context in contexts:
        context.close()
