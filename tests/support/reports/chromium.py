"""A page in Chromium."""

from __future__ import annotations

import shutil

from playwright.sync_api import ConsoleMessage, Page, Request

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DESK = {"width": 1280, "height": 900}


class Window:
    """A page that was opened, and all it complained about or asked for."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.asked: list[str] = []
        page.set_default_timeout(10_000)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._request)
        page.goto(address)

    def _console(self, message: ConsoleMessage) -> None:
        self.complaints.append(message.text)

    def _request(self, request: Request) -> None:
        self.asked.append(request.url)

    def column(self, number: int) -> list[str]:
        return self.page.locator(f"#rows tbody tr > :nth-child({number})").all_inner_texts()

    def row_count(self) -> int:
        return self.page.locator("#rows tbody tr").count()
