"""The name that a service gives its host: in containers each has its own."""

from __future__ import annotations

import os

VARIABLE = "CANVAS_CLUSTER_HOST"


def own() -> str:
    """The service's name. Airflow calls it, as its ``[core] hostname_callable``."""
    return os.environ[VARIABLE]
