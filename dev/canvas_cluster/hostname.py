"""The host name of a service, as each container has its own."""

from __future__ import annotations

import os

VARIABLE = "CANVAS_CLUSTER_HOST"


def own() -> str:
    """Return the service's name. Airflow calls it as its ``[core] hostname_callable``."""
    return os.environ[VARIABLE]
