"""Serve the page of a run to the users who may read that run in Airflow.

``GET /canvas_exports/dags/{dag_id}/tasks/{task_id}/runs/{run_id}`` reads the XCom with the page, and nothing else: it opens
no archive and reads no connection. The page is treated as hostile: the browser shows it in an origin of its own, without
Airflow's cookies, and it can send no request.
"""

from __future__ import annotations

from urllib.parse import quote, urlencode

from airflow.api_fastapi.app import API_ROOT_PATH
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import requires_access_dag
from airflow.models.xcom import XComModel
from fastapi import Depends, FastAPI, HTTPException, Request, Response, status
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import RedirectResponse

from canvas_exports.operators.report_xcom import PAGE_XCOM, unpack

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


@app.exception_handler(status.HTTP_401_UNAUTHORIZED)
async def log_in(request: Request, error: Exception) -> Response:
    """Redirect a browser to Airflow's login and back; return 401 to any other client."""
    assert isinstance(error, HTTPException)
    if "text/html" in request.headers.get("accept", ""):
        # Without the host: behind a proxy, the one that we see may not be the one that the person sees.
        # Quoted: a login that hands the address on as it is (Airflow 3.1's) must not change the + of a run id.
        here = f"{quote(request.url.path)}?{request.url.query}".rstrip("?")
        return RedirectResponse(f"{API_ROOT_PATH}api/v2/auth/login?{urlencode({'next': here})}")
    return await http_exception_handler(request, error)


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
