"""Every test runs offline, against an Airflow home of its own that nobody else sees."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone

import hypothesis
import pytest
import tests.support.airflow.isolated_airflow  # noqa: F401 - before anything imports Airflow

hypothesis.settings.register_profile("offline", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("offline")


@pytest.fixture(autouse=True)
def _secrets_of_this_test_only() -> Iterator[None]:
    """A secret of one test is an ordinary word in the logs of the next."""
    from canvas_exports.core.text import redaction  # noqa: PLC0415 - not before Airflow is isolated

    before = redaction.KNOWN.forms
    yield
    redaction.KNOWN.forms = before


@pytest.fixture(autouse=True, scope="session")
def _any_clock() -> Iterator[None]:
    """Copies of 2026 to 2028 are no copies of the future, whatever the clock of this machine says."""
    from canvas_exports.core.archive.catalog import future_dates  # noqa: PLC0415 - not before Airflow is isolated

    as_shipped = future_dates.CLOCK_TOLERANCE
    behind = datetime(2029, 1, 1, tzinfo=timezone.utc) - datetime.now(timezone.utc)
    future_dates.CLOCK_TOLERANCE = max(as_shipped, behind)
    yield
    future_dates.CLOCK_TOLERANCE = as_shipped
