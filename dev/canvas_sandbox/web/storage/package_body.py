"""A package as the body of a response: whole or in part, and with the faults of its download."""

from __future__ import annotations

import re
from dataclasses import replace
from email.utils import formatdate
from urllib.parse import quote

from canvas_sandbox.faults import Fault
from canvas_sandbox.packages.virtual_file import Literal, VirtualFile, Window
from canvas_sandbox.records import Attachment
from canvas_sandbox.switches import Switches
from canvas_sandbox.web.http.messages import Call, Response

_MORE = b"\x00" * 1_000
_RANGE = re.compile(r"bytes=(\d*)-(\d*)\Z")


def package_response(attachment: Attachment, call: Call, switches: Switches) -> Response:
    """Return 200 with the package, 206 with the requested range, or 416.

    A range is honoured only if ``If-Range``, where given, has the current ETag. Several ranges in one request are ignored.
    """
    package = attachment.build()
    active_faults = attachment.export.context.active_faults
    if active_faults.take(Fault.TRUNCATED):
        package = package.part(0, package.size // 2)
    if active_faults.take(Fault.OVERLONG):
        package = VirtualFile([Window(package, 0, package.size), Literal(_MORE)])
    if active_faults.take(Fault.NO_BYTES):
        package = package.part(0, 0)
    headers = {
        "ETag": package.etag,
        "Last-Modified": formatdate(attachment.created_at, usegmt=True),
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(attachment.name)}",
    }
    response = Response(200, content_type=attachment.content_type, headers=headers, package=package)
    if switches.ranges:
        headers["Accept-Ranges"] = "bytes"
        if call.headers.get("If-Range") in (None, package.etag):
            response = _ranged(response, call.headers.get("Range", ""))
    if response.package is not None:
        if active_faults.take(Fault.CUT):
            response.cut_after = response.package.size // 2
        if active_faults.take(Fault.SLOW):
            response.rate = switches.slow_rate
        if active_faults.take(Fault.BREAKS):
            response.cut_after = min(response.cut_after or switches.break_after, switches.break_after)
        response.chunked = switches.chunked or active_faults.take(Fault.CHUNKED)
    return response


def _ranged(response: Response, header: str) -> Response:
    match = _RANGE.match(header.strip())
    if match is None or not any(match.groups()) or response.package is None:
        return response
    package = response.package
    first, last = match.groups()
    if first:
        start, stop = int(first), min(int(last) + 1 if last else package.size, package.size)
    else:
        start, stop = max(0, package.size - int(last)), package.size
    if start >= stop:
        return Response(416, content_type="text/plain", headers={"Content-Range": f"bytes */{package.size}"})
    headers = {**response.headers, "Content-Range": f"bytes {start}-{stop - 1}/{package.size}"}
    return replace(response, status=206, headers=headers, package=package.part(start, stop))
