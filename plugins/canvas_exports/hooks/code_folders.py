"""The folders from which this Airflow loads code and configuration."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from canvas_exports.airflow_compat import conf, get_airflow_config

_PACKAGE = Path(__file__).parents[1]


def code_folders() -> list[Path]:
    """Return the folders in which no archive may be.

    They are the folders of DAGs (also of every DAG bundle), plugins and configuration, and this package, from Airflow's
    settings. Reads nothing from the disk.
    """
    return [Path(os.path.expandvars(text)).expanduser() for text in _named() if text]


def _named() -> Iterator[str]:
    yield str(_PACKAGE)
    for key in ("dags_folder", "plugins_folder"):
        yield conf.get("core", key, fallback="")
    home = os.environ.get("AIRFLOW_HOME", "~/airflow")
    for folder in ("dags", "plugins", "config"):
        yield f"{home}/{folder}"
    configuration = os.path.dirname(get_airflow_config())  # noqa: PTH120 - may begin with ~
    if os.path.realpath(os.path.expanduser(configuration)) != os.path.realpath(os.path.expanduser(home)):  # noqa: PTH111
        yield configuration  # AIRFLOW_HOME itself may hold an archive beside the three
    yield conf.get("dag_processor", "dag_bundle_storage_path", fallback="") or str(
        Path(tempfile.gettempdir(), "airflow", "dag_bundles")
    )
    bundles: Any = conf.getjson("dag_processor", "dag_bundle_config_list", fallback=[])
    for bundle in bundles if isinstance(bundles, list) else []:
        kwargs = bundle.get("kwargs") if isinstance(bundle, dict) else None
        path = kwargs.get("path") if isinstance(kwargs, dict) else None
        if isinstance(path, str):
            yield path
