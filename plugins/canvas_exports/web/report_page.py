"""Serve the page of a run to the users who may read that run in Airflow.

``GET /canvas_exports/dags/{dag_id}/tasks/{task_id}/runs/{run_id}`` reads the XCom with the page, and nothing else: it opens
no archive and reads no connection. The page is treated as hostile: the browser shows it in an origin of its own, without
Airflow's cookies, and it can send no request.
"""

from __future__ import annotations

from airflow.api_fastapi.app import API_ROOT_PATH
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import requires_access_dag
from airflow.models.xcom import XComModel
from fastapi import Depends, FastAPI, HTTPException, Response, status
from fastapi.responses import RedirectResponse
from sqlalchemy import select

from canvas_exports.operators.task_support.report_xcom import PAGE_XCOM, page_url, unpack
from canvas_exports.web.login import log_in

HEADERS = {
    "Content-Security-Policy": (
        "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}

_LARGEST = 2**31 - 1  # what the database's column holds
_NONE = HTTPException(
    status.HTTP_404_NOT_FOUND, "This task has no run report. Reports are in the archive, below runs/."
)

#: Airflow checks no rights for the routes of a plugin: every route below requires both.
app = FastAPI(
    title="canvas_exports",
    docs_url=None,
    redoc_url=None,
    openapi_url=None,
    dependencies=[
        Depends(requires_access_dag("GET", DagAccessEntity.RUN)),
        Depends(requires_access_dag("GET", DagAccessEntity.XCOM)),
    ],
)
app.add_exception_handler(status.HTTP_401_UNAUTHORIZED, log_in)


_NO_REPORT = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>Run report</title>
<style>body { font: 16px/1.5 system-ui, sans-serif; margin: 1rem; }</style></head>
<body><main><h1>Run report</h1><p>This run has no run report. Runs of Canvas backups have one once their task report has ended.</p>
</main></body></html>
"""


@app.get("/dags/{dag_id}/runs/{run_id:path}")
def run_tab(dag_id: str, run_id: str, session: SessionDep) -> Response:
    """Lead to the page of a run, for the tab of the run in Airflow; a sentence where it has none."""
    found = None
    if not any("\0" in name for name in (dag_id, run_id)):
        found = session.execute(
            select(XComModel.task_id, XComModel.map_index)
            .where(XComModel.dag_id == dag_id, XComModel.run_id == run_id, XComModel.key == PAGE_XCOM)
            .order_by(XComModel.task_id.desc(), XComModel.map_index)
            .limit(1)
        ).first()
    if found is None:
        return Response(_NO_REPORT, media_type="text/html; charset=utf-8", headers=HEADERS)
    task_id, map_index = found
    return RedirectResponse(
        page_url(API_ROOT_PATH, dag_id=dag_id, run_id=run_id, task_id=task_id, map_index=map_index)
    )


@app.get("/dags/{dag_id}/tasks/{task_id}/runs/{run_id:path}")
def run_page(dag_id: str, task_id: str, run_id: str, session: SessionDep, map_index: int = -1) -> Response:
    """Return the page, or 404 where the task has none: a new attempt begins without one."""
    if not -1 <= map_index <= _LARGEST or any("\0" in name for name in (dag_id, task_id, run_id)):
        raise _NONE  # the database would refuse the query
    carried = session.scalars(
        XComModel.get_many(
            run_id=run_id, key=PAGE_XCOM, task_ids=task_id, dag_ids=dag_id, map_indexes=map_index
        )
    ).first()
    page = None if carried is None else unpack(XComModel.deserialize_value(carried))
    if page is None:
        raise _NONE
    return Response(page, media_type="text/html; charset=utf-8", headers=HEADERS)
