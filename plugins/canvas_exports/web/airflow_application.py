"""The key under which the plugin hands Airflow's own application to its pages."""

from __future__ import annotations

#: In the scope of a request.
AIRFLOW = "canvas_exports.airflow"
