"""Answer a request for a range of bytes (RFC 9110, section 14): films and long downloads ask for parts."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import quote

from fastapi import HTTPException, Request, Response, status

from canvas_exports.web.archive_page.transfers import Transfer, TransferResponse

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


def requested_range(header: str | None, size: int) -> range | None:
    """Return the bytes that a request asks for; ``None`` for all: without a range, or with one that need not be honoured.

    Args:
        header: ``Range`` of the request.
        size: of the whole.

    Raises:
        HTTPException: 416, the range lies outside.
    """
    found = _RANGE.fullmatch(header or "")
    if found is None or not any(found.groups()):
        return None
    first, last = found.groups()
    if not first:
        window = range(max(0, size - int(last)), size)
    else:
        window = range(int(first), min(size, int(last) + 1) if last else size)
    if last and first and int(last) < int(first):
        return None  # it is no range at all
    if not window:
        raise HTTPException(
            status.HTTP_416_RANGE_NOT_SATISFIABLE,
            "There are no such bytes.",
            headers={"Content-Range": f"bytes */{size}"},
        )
    return window


async def send_bytes(
    request: Request,
    size: int,
    read: Callable[[range | None], Awaitable[Transfer]],
    headers: Mapping[str, str],
) -> Response:
    """Send all bytes, or those that the request asks for, as they are read.

    Args:
        request: with or without a range.
        size: of the whole.
        read: reads a window of it; ``None`` for all.
        headers: of the response.
    """
    window = requested_range(request.headers.get("range"), size)
    told = {
        **headers,
        "Accept-Ranges": "bytes",
        "Content-Encoding": "identity",  # Airflow's server would compress it, and so change what a range means
        "Content-Length": str(size if window is None else len(window)),
    }
    if window is not None:
        told["Content-Range"] = f"bytes {window.start}-{window.stop - 1}/{size}"
    code = status.HTTP_200_OK if window is None else status.HTTP_206_PARTIAL_CONTENT
    return TransferResponse(await read(window), status_code=code, headers=told)


def with_file_name(disposition: str, name: str) -> str:
    """Return ``Content-Disposition`` with the name of a file (RFC 6266)."""
    return f"{disposition}; filename*=UTF-8''{quote(name, safe='')}"
