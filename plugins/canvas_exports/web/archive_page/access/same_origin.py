"""Accept a form only from a page of this Airflow: its cookie also comes with forms of other sites on the same domain."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from airflow.api_fastapi.app import API_BASE_URL
from fastapi import HTTPException, Request, status

_LARGEST = 16_384  # bytes of a form
_MOST_FIELDS = 30


def check_same_origin(request: Request) -> None:
    """Refuse a request that another page made the browser send.

    Browsers state where a request comes from, in ``Sec-Fetch-Site`` or ``Origin``, and no page can change that. A client without
    either is accepted only with a token of its own, which no page can add.

    Raises:
        HTTPException: 403.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        is_ours = site == "same-origin"
    elif origin is not None:
        own = {urlsplit(API_BASE_URL).netloc, request.headers.get("host", "")} - {""}
        is_ours = urlsplit(origin).netloc in own
    else:
        is_ours = request.headers.get("authorization", "").lower().startswith("bearer ")
    if not is_ours:
        raise HTTPException(
            status.HTTP_403_FORBIDDEN, "This form was not sent from this Airflow's own page. Open it here."
        )


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a form, without blanks around them. The last of equal names counts.

    Raises:
        HTTPException: 400 if it is too large, or no form.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST:
            raise HTTPException(status.HTTP_400_BAD_REQUEST, "This form is too large.")
    try:
        pairs = parse_qsl(bytes(body).decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise HTTPException(status.HTTP_400_BAD_REQUEST, "This is not a form.") from None
    return {name: text.strip() for name, text in pairs}
