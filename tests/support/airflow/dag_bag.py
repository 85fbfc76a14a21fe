"""Read DAG files into Airflow's database, in every release: its classes moved and take other arguments from 3.2 on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.utils.db import initdb

_BUNDLE = "dags-folder"
_NAME: dict[str, Any] = {"bundle_name": _BUNDLE}
try:
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
except ImportError:  # 3.1
    from airflow.models.dagbag import DagBag, sync_bag_to_db  # type: ignore[no-redef]

    _NAME = {}


def read_dags(folder: Path) -> DagBag:
    """Create the database, and read the DAG files of a folder."""
    initdb()
    DagBundlesManager().sync_bundles_to_db()
    bag = DagBag(dag_folder=folder, bundle_path=folder, **_NAME)
    sync_bag_to_db(bag, _BUNDLE, None)
    return bag
