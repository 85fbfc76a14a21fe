"""What Airflow's plugin manager registers, once, whichever way the package got here."""

from __future__ import annotations

from airflow.sdk.plugins_manager import AirflowPlugin

from canvas_exports.operators.links import CanvasLink, RunReportLink


class CanvasExportsPlugin(AirflowPlugin):
    """The buttons of an export task; they also work where the package is only a folder."""

    name = "canvas_exports"
    operator_extra_links = [CanvasLink(), RunReportLink()]  # noqa: RUF012 - Airflow declares no ClassVar
