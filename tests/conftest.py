"""Every test runs offline, against an Airflow home of its own that nobody else sees."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import hypothesis
import pytest

REPOSITORY = Path(__file__).parents[1]


def _isolate_airflow() -> None:
    """Before the first import of Airflow: it reads its configuration only once."""
    for name in [name for name in os.environ if name.startswith("AIRFLOW")]:
        del os.environ[name]
    home = tempfile.mkdtemp(prefix="canvas-exports-tests-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    os.environ.update(
        AIRFLOW_HOME=home,
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
        AIRFLOW__CORE__DAGS_FOLDER=str(REPOSITORY / "dags"),
        AIRFLOW__CORE__PLUGINS_FOLDER=str(REPOSITORY / "plugins"),
        AIRFLOW__LOGGING__BASE_LOG_FOLDER=f"{home}/logs",
        AIRFLOW__USAGE_DATA_COLLECTION__ENABLED="False",
    )


_isolate_airflow()

hypothesis.settings.register_profile("offline", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("offline")


@pytest.fixture(autouse=True)
def _secrets_of_this_test_only() -> Iterator[None]:
    """A secret of one test is an ordinary word in the logs of the next."""
    from canvas_exports.core.text import redaction  # noqa: PLC0415 - not before Airflow is isolated

    before = redaction._known
    yield
    redaction._known = before


@pytest.fixture(autouse=True, scope="session")
def _any_clock() -> Iterator[None]:
    """Copies of 2026 to 2028 are no copies of the future, whatever the clock of this machine says."""
    from canvas_exports.core.archive.catalog import future_dates  # noqa: PLC0415 - not before Airflow is isolated

    as_shipped = future_dates.CLOCK_TOLERANCE
    behind = datetime(2029, 1, 1, tzinfo=timezone.utc) - datetime.now(timezone.utc)
    future_dates.CLOCK_TOLERANCE = max(as_shipped, behind)
    yield
    future_dates.CLOCK_TOLERANCE = as_shipped
