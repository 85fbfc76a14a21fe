"""A package behind a scripted Canvas and its storage: links, redirects, ranges, breaks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tests.support.canvas.scripted_canvas import COURSE, ScriptedServer, Seen, export_json

from canvas_exports.core.canvas.api.models import ContentExport
from canvas_exports.core.canvas.api.parsing import read_export
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.canvas.files.download import BLOCK

FILE = "GET /files/7/download"
KEY = "GET /bucket/key"
SHOW = "GET /api/v1/courses/101/content_exports/501"
PACKAGE = b"PK\x03\x04" + bytes(range(256)) * 40
NUMBERED = b"PK\x03\x04" + b"".join(number.to_bytes(4, "big") for number in range(BLOCK // 3))
ETAG = '"abc"'
SIGNED = "?signature=secret~%7E"


def an_export(
    server: ScriptedServer, *, verifier: str = "", size: int = len(PACKAGE), **changes: Any
) -> ContentExport:
    url = f"{server.url}/files/7/download?download_frd=1{verifier}"
    attachment = {"id": 7, "filename": "x.imscc", "size": size, "url": url}
    return read_export(export_json(attachment={**attachment, **changes}))


def shown(server: ScriptedServer, **changes: Any) -> dict[str, Any]:
    url = f"{server.url}/files/7/download?download_frd=1"
    return {
        "json": export_json(
            attachment={"id": 7, "filename": "x", "size": len(PACKAGE), "url": url, **changes}
        )
    }


def to(url: str) -> dict[str, Any]:
    return {"status": 302, "headers": {"Location": url}}


def ranged(package: bytes = PACKAGE, *, cut: int | None = None, **headers: str | None) -> dict[str, Any]:
    """Storage that resumes: the whole, or from ``Range`` on when ``If-Range`` fits; cut after so many bytes."""

    def then(seen: Seen) -> Mapping[str, Any]:
        found = re.fullmatch(r"bytes=(\d+)-", seen.headers.get("range", ""))
        etag = headers.get("ETag", ETAG)
        reply: dict[str, Any] = {"body": package, "headers": {"ETag": etag, **headers}}
        if found and seen.headers.get("if-range") in (etag, headers.get("Last-Modified")):
            start = int(found[1])
            span = f"bytes {start}-{len(package) - 1}/{len(package)}"
            reply = {
                "status": 206,
                "body": package[start:],
                "headers": {"Content-Range": span, "ETag": etag, **headers},
            }
        return reply if cut is None else {**reply, "cut": cut}

    return {"then": then}


def fetch(client: CanvasClient, export: ContentExport) -> bytes:
    return b"".join(bytes(block) for block in client.download(COURSE, export))
