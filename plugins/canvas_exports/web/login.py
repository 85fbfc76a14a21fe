"""Lead a browser that is not logged in to Airflow's login, and back."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from airflow.api_fastapi.app import API_ROOT_PATH
from fastapi import HTTPException, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import RedirectResponse


async def log_in(request: Request, error: Exception) -> Response:
    """Redirect a browser to Airflow's login and back; return 401 to any other client. Handles 401 of an application."""
    assert isinstance(error, HTTPException)
    if "text/html" in request.headers.get("accept", "") and request.method in ("GET", "HEAD"):
        # Without the host: behind a proxy, the one that we see may not be the one that the person sees.
        # Quoted: a login that hands the address on as it is (Airflow 3.1's) must not change the + of a run id.
        here = f"{quote(request.url.path)}?{request.url.query}".rstrip("?")
        return RedirectResponse(f"{API_ROOT_PATH}api/v2/auth/login?{urlencode({'next': here})}")
    return await http_exception_handler(request, error)
