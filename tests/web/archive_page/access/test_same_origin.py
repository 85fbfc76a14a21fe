"""A form is accepted only from Airflow's own page: its cookie also comes with forms of other sites of the domain."""

from __future__ import annotations

import pytest
from fastapi import HTTPException, Request

from canvas_exports.web.archive_page.access.same_origin import check_same_origin


def request(**headers: str) -> Request:
    given = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
    return Request({"type": "http", "method": "POST", "headers": given})


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "same-origin", "origin": "https://airflow.example.edu"},
        {"origin": "https://airflow.example.edu", "host": "airflow.example.edu"},
        {"authorization": "Bearer token"},
    ],
)
def test_our_own_pages_and_clients_with_a_token_are_accepted(headers: dict[str, str]) -> None:
    check_same_origin(request(**headers))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"cookie": "_token=x", "host": "airflow.example.edu"},
        {
            "sec_fetch_site": "same-site",
            "origin": "https://airflow.example.edu",
            "host": "airflow.example.edu",
        },
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "none"},
        {"origin": "null", "host": "airflow.example.edu"},
        {
            "origin": "https://evil.example.edu",
            "host": "airflow.example.edu",
            "authorization": "Bearer token",
        },
        {"origin": "https://airflow.example.edu.evil.net", "host": "airflow.example.edu"},
        {"authorization": "Basic token"},
    ],
)
def test_every_other_page_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(HTTPException) as refused:
        check_same_origin(request(**headers))
    assert refused.value.status_code == 403
