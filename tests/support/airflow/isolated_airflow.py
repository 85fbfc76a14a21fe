"""Give Airflow a home of its own. Import this module before Airflow."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]


def _isolate() -> None:
    """Set the environment before the first import of Airflow, which reads its configuration only once."""
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


_isolate()
