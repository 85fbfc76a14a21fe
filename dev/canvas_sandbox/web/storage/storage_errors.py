"""Error responses of the kinds of storage."""

from __future__ import annotations

from canvas_sandbox.web.http.messages import Response


def s3_error(status: int, code: str, message: str) -> Response:
    """Return an error of S3, which is XML."""
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(status, body=body.encode(), content_type="application/xml")


def instfs_error(status: int, code: str, message: str) -> Response:
    """Return an error of Inst-FS, which is JSON."""
    return Response(status, {"error": code, "message": message})
