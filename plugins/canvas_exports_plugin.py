"""Registers the plugin when ``canvas_exports`` is only a folder here; an installed one registers itself.

Airflow loads every file of this folder as a module named after the file alone. ``.airflowignore`` hides the package
from that, and this file is the one it finds.
"""

from __future__ import annotations

from importlib.metadata import entry_points

if not entry_points(group="airflow.plugins", name="canvas_exports"):
    from canvas_exports.plugin import CanvasExportsPlugin

    __all__ = ["CanvasExportsPlugin"]
