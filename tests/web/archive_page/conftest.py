from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from tests.support.airflow.archive_page import ArchiveAirflow, archive_airflow, chromium
from tests.support.reports.chromium import CHROMIUM


@pytest.fixture(scope="session")  # the folder is the last one of the tests
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArchiveAirflow]:
    with archive_airflow(tmp_path_factory.mktemp("archive_page")) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium here: apt-get install chromium")
    with chromium() as started:
        yield started
