"""Backups as data: one YAML file is one backup.

``document`` reads YAML and remembers the line of every field; ``schema`` checks its form against ``backup.schema.json``,
``checks`` its meaning by the rules of the engine itself; ``loader`` reads a whole folder and keeps the good files apart
from the broken ones; ``fields`` sorts the fields by the task they are for; ``summary`` says in English what a backup
does. Nothing here imports Airflow or makes a request: ``canvas_exports.dags`` turns backups into DAGs.
"""

from __future__ import annotations

from canvas_exports.core.backups.backup import Backup
from canvas_exports.core.backups.load import Loaded, include_folder, load_backups
from canvas_exports.core.backups.problems import Problem

__all__ = ["Backup", "Loaded", "Problem", "include_folder", "load_backups"]
