"""A package as the body of a response: whole or in part, and with the faults that strike on the way."""

from __future__ import annotations

import re
from dataclasses import replace
from email.utils import formatdate
from urllib.parse import quote

from canvas_sandbox.faults import Fault
from canvas_sandbox.packages.virtual_file import Literal, VirtualFile, Window
from canvas_sandbox.records import Attachment
from canvas_sandbox.switches import Switches
from canvas_sandbox.web.http.reply import Call, Reply

_MORE = b"\x00" * 1_000
_RANGE = re.compile(r"bytes=(\d*)-(\d*)\Z")


def package_reply(attachment: Attachment, call: Call, switches: Switches) -> Reply:
    """200 with the package, 206 with the range asked for, or 416.

    A range is honoured only if ``If-Range``, where given, names the current ETag; several ranges in one request are not.
    """
    package = attachment.build()
    trouble = attachment.export.context.trouble
    if trouble.take(Fault.TRUNCATED):
        package = package.part(0, package.size // 2)
    if trouble.take(Fault.OVERLONG):
        package = VirtualFile([Window(package, 0, package.size), Literal(_MORE)])
    if trouble.take(Fault.NO_BYTES):
        package = package.part(0, 0)
    headers = {
        "ETag": package.etag,
        "Last-Modified": formatdate(attachment.created_at, usegmt=True),
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(attachment.name)}",
    }
    reply = Reply(200, content_type=attachment.content_type, headers=headers, package=package)
    if switches.ranges:
        headers["Accept-Ranges"] = "bytes"
        if call.headers.get("If-Range") in (None, package.etag):
            reply = _ranged(reply, call.headers.get("Range", ""))
    if reply.package is not None:
        if trouble.take(Fault.CUT):
            reply.cut_after = reply.package.size // 2
        if trouble.take(Fault.SLOW):
            reply.rate = switches.slow_rate
        if trouble.take(Fault.BREAKS):
            reply.cut_after = min(reply.cut_after or switches.break_after, switches.break_after)
        reply.chunked = switches.chunked or trouble.take(Fault.CHUNKED)
    return reply


def _ranged(reply: Reply, header: str) -> Reply:
    match = _RANGE.match(header.strip())
    if match is None or not any(match.groups()) or reply.package is None:
        return reply
    package = reply.package
    first, last = match.groups()
    if first:
        start, stop = int(first), min(int(last) + 1 if last else package.size, package.size)
    else:
        start, stop = max(0, package.size - int(last)), package.size
    if start >= stop:
        return Reply(416, content_type="text/plain", headers={"Content-Range": f"bytes */{package.size}"})
    headers = {**reply.headers, "Content-Range": f"bytes {start}-{stop - 1}/{package.size}"}
    return replace(reply, status=206, headers=headers, package=package.part(start, stop))
