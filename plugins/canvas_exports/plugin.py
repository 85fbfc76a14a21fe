"""Register links, pages and listeners with Airflow's plugin manager, installed as a package or as a folder."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable
from typing import Any

from canvas_exports.airflow_compat import AirflowPlugin
from canvas_exports.notifications import run_note
from canvas_exports.operators.links import CanvasLink, RunReportLink
from canvas_exports.operators.task_support.report_xcom import PREFIX
from canvas_exports.web.airflow_application import AIRFLOW

#: Where the page of the archive is, below the address of Airflow's UI.
ARCHIVE_PAGE = "canvas_archive"


class Pages:
    """Serve an application of ``web``, loaded with its first request: every process loads plugins, few serve pages.

    Args:
        module: that has the application, as ``app``.
    """

    def __init__(self, module: str) -> None:
        self._module = module

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        """Hand a request on, with Airflow's own application as ``AIRFLOW`` beside it."""
        app = importlib.import_module(self._module).app
        await app({**scope, AIRFLOW: scope.get("app")}, receive, send)


class CanvasExportsPlugin(AirflowPlugin):
    """Register the buttons of an export task, the page of a run, the page of the archive, and the notes of runs.

    Works without an entry point, too, where the package is a folder of plugins.
    """

    name = "canvas_exports"
    operator_extra_links = [CanvasLink(), RunReportLink()]  # noqa: RUF012 - Airflow declares no ClassVar
    listeners = [run_note]  # noqa: RUF012 - as above
    fastapi_apps = [  # noqa: RUF012 - as above
        {
            "app": Pages("canvas_exports.web.report_page"),
            "url_prefix": PREFIX,
            "name": "Run reports of canvas_exports",
        },
        {
            "app": Pages("canvas_exports.web.archive_page.app"),
            "url_prefix": f"/{ARCHIVE_PAGE}",
            "name": "Canvas archive",
        },
    ]
    external_views = [  # noqa: RUF012 - as above
        {
            "name": "Canvas archive",
            "href": f"{ARCHIVE_PAGE}/",  # no slash before it: there may be a path before Airflow's own
            "url_route": ARCHIVE_PAGE,
            "destination": "nav",
            "category": "browse",
        },
        {
            "name": "Run report",
            "href": f"{PREFIX.lstrip('/')}/dags/{{DAG_ID}}/runs/{{RUN_ID}}",
            "url_route": "canvas_run_report",
            "destination": "dag_run",
        },
    ]
