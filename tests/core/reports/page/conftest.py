from __future__ import annotations

import pytest
from tests.support.reports.run_views import night, row, view

from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.reports.page.run_page import render_page


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
