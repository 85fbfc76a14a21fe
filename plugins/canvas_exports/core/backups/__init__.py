"""Backups as data: one YAML file is one backup.

``yaml_document`` reads YAML with the line of every field; ``schema`` checks its form against ``backup.schema.json``, and
``checks`` checks its values by the rules that the tasks apply; ``problems`` describes what is wrong. ``load`` reads a whole
folder and separates valid files from invalid ones; ``fields`` groups the fields by task; ``summary`` describes a backup in
English. This package makes no request: ``canvas_exports.dags`` builds DAGs from backups.
"""

from __future__ import annotations

from canvas_exports.core.backups.backup import Backup
from canvas_exports.core.backups.load import LoadedBackups, include_folder, load_backups
from canvas_exports.core.backups.problems import Problem

__all__ = ["Backup", "LoadedBackups", "Problem", "include_folder", "load_backups"]
