"""Tells Airflow what is wrong with the broken files in include/backups; it holds no DAG of its own.

Airflow takes every DAG of a file with an import error out of service. So the file that holds the backups passes over the
broken ones, and the import error stands here, where it stops nothing.
"""

from __future__ import annotations

from canvas_exports.core.backups import include_folder, load_backups

load_backups(include_folder(__file__)).raise_problems()
