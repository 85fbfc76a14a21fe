"""Register links, pages and listeners with Airflow's plugin manager, installed as a package or as a folder."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any

from canvas_exports.airflow_compat import AirflowPlugin
from canvas_exports.notifications import run_note
from canvas_exports.operators.links import CanvasLink, RunReportLink
from canvas_exports.operators.report_xcom import PREFIX


@lru_cache
def _pages() -> Any:
    from canvas_exports.web.report_page import app  # noqa: PLC0415 - only the API server has what it needs

    return app


class RunReportPages:
    """Serve the pages of runs as an ASGI application, loaded with its first request: every process loads plugins."""

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        """Hand a request on; see ``web.report_page``."""
        await _pages()(scope, receive, send)


class CanvasExportsPlugin(AirflowPlugin):
    """Register the buttons of an export task, the page of a run, and the notes of runs.

    Works without an entry point, too, where the package is a folder of plugins.
    """

    name = "canvas_exports"
    operator_extra_links = [CanvasLink(), RunReportLink()]  # noqa: RUF012 - Airflow declares no ClassVar
    listeners = [run_note]  # noqa: RUF012 - as above
    fastapi_apps = [  # noqa: RUF012 - as above
        {"app": RunReportPages(), "url_prefix": PREFIX, "name": "Run reports of canvas_exports"}
    ]
