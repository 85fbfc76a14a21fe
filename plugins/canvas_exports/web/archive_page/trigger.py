"""Start a run of a DAG as the user: through Airflow's own API, which asks for the right, checks the fields and logs the action."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx
from airflow.api_fastapi.app import API_ROOT_PATH
from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN
from fastapi import HTTPException, Request, status

from canvas_exports.foreign_text import harmless
from canvas_exports.web.airflow_application import AIRFLOW

_PATIENCE = 60.0  # seconds


async def start_run(request: Request, dag_id: str, conf: Mapping[str, Any]) -> str:
    """Start a run and return its id. The requests to Airflow's API stay in this process.

    A paused DAG without a schedule is unpaused, as Airflow's own trigger form does, if the user may: its runs would wait for
    ever. One with a schedule stays paused.

    Args:
        request: of the user, with the cookie or token.
        dag_id: of the DAG.
        conf: the fields of its trigger form; Airflow checks them.

    Raises:
        HTTPException: Airflow refused; with its reason.
    """
    authorization = request.headers.get("authorization")
    if authorization is None:
        authorization = f"Bearer {request.cookies.get(COOKIE_NAME_JWT_TOKEN, '')}"
    transport = httpx.ASGITransport(app=request.scope[AIRFLOW])
    async with httpx.AsyncClient(transport=transport, timeout=_PATIENCE) as api:
        api.headers["Authorization"] = authorization
        dag = (
            f"{request.url.scheme}://{request.url.netloc}{API_ROOT_PATH}api/v2/dags/{quote(dag_id, safe='')}"
        )
        answer = await api.post(f"{dag}/dagRuns", json={"logical_date": None, "conf": dict(conf)})
        if answer.is_success:
            await unpause(api, dag)
    if answer.is_success:
        return str(answer.json()["dag_run_id"])
    code = answer.status_code if answer.is_client_error else status.HTTP_502_BAD_GATEWAY
    raise HTTPException(code, f"Airflow did not start {dag_id}: {_reason(answer)}")


async def unpause(api: httpx.AsyncClient, dag: str) -> None:
    """Unpause a DAG without a schedule, if the user may. If not, its run waits, and the page says so.

    Args:
        api: with the user's token.
        dag: URL of the DAG in Airflow's API.
    """
    found = await api.get(dag)
    if found.is_success and found.json()["is_paused"] and not found.json()["timetable_summary"]:
        await api.patch(dag, params={"update_mask": "is_paused"}, json={"is_paused": False})


def _reason(answer: httpx.Response) -> str:
    try:
        detail = answer.json().get("detail")
    except (ValueError, AttributeError):
        detail = None
    return harmless(detail) if isinstance(detail, str) else f"it answered {answer.status_code}."
