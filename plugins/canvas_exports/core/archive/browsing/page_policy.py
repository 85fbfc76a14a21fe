"""What a browser is told about the pages of a course: show them, run nothing, load nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

from canvas_exports.core.archive.browsing.file_types import served_type
from canvas_exports.core.text.html_templates import read_part

#: The style sheet of all pages.
STYLE = read_part(__package__, "course.css")

_STYLE_HASH = "sha256-" + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

#: For the head of each page. ``file:`` is for pages on a disk, where some browsers do not take it for ``'self'``.
PAGE_POLICY = (
    f"default-src 'none'; img-src 'self' file: data:; media-src 'self' file:; style-src-elem 'self' file: '{_STYLE_HASH}'; "
    "style-src-attr 'unsafe-inline'; frame-src 'self' file:; base-uri 'none'; form-action 'none'"
)

#: For a frame with a teacher's text. Nothing in it runs. ``allow-same-origin`` lets it load the pictures of the package, which a
#: server gives to its own pages and a browser to pages of the same disk only; without scripts nothing can use it otherwise.
FRAME_SANDBOX = (
    "allow-same-origin allow-downloads allow-popups allow-popups-to-escape-sandbox "
    "allow-top-navigation-by-user-activation"
)

_SECURE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}

#: For a server, with each page and each body.
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": f"sandbox {FRAME_SANDBOX}; {PAGE_POLICY}; frame-ancestors 'self'",
    **_SECURE,
}


def file_headers(name: str) -> dict[str, str]:
    """Return the headers with which a server sends the bytes of a file of a package.

    Pictures, sounds, films and plain text are shown; everything else is saved, and never run: HTML, SVG and XML too.

    Args:
        name: of the file, for its type; the caller adds a file name to ``Content-Disposition`` if it wants one.
    """
    media_type, is_shown = served_type(name)
    return {
        "Content-Type": media_type,
        "Content-Disposition": "inline" if is_shown else "attachment",
        "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'self'",
        **_SECURE,
    }
