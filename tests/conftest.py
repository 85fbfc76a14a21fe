"""Every test runs offline, against an Airflow home of its own that nobody else sees."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import hypothesis

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
