"""Check responses of storage by HTTP validators and ranges (RFC 9110): the same object, and exactly the bytes asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from canvas_exports.core.canvas.http.bounded_values import bounded_int, parse_http_date
from canvas_exports.core.canvas.http.messages import Response
from canvas_exports.errors import DownloadError

_OK, _PARTIAL = 200, 206
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19})")
_ETAG = re.compile(r'"[!#-~]{0,1022}"')  # strong, and fit to be sent back in a header


@dataclass(frozen=True)
class Validator:
    """Identifies the bytes of an object: a strong ``ETag``, or a ``Last-Modified`` that is as good.

    Attributes:
        if_range: the value for ``If-Range``.
        etag: the ``ETag``, if it is one.
    """

    if_range: str
    etag: str | None


def check_full_response(response: Response, size: int) -> None:
    """Check that a response holds the whole package.

    Raises:
        DownloadError: it holds something else; with ``spoiled``, a package of another length.
    """
    if response.status != _OK:
        raise DownloadError(f"HTTP {response.status} where the whole package was asked for")
    if response.media_type in ("text/html", "application/xhtml+xml") or "json" in response.media_type:
        what = "a web page, probably a login" if "html" in response.media_type else "a message"
        raise DownloadError(
            f"{what} came instead of the package; check that the token's user may download files"
        )
    if response.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
        raise DownloadError("the package came compressed once more, so that its length cannot be checked")
    length = bounded_int(response.headers.get("content-length"))
    if length is not None and length != size:
        raise wrong_length(length, size)


def wrong_length(length: int, size: int) -> DownloadError:
    """Return the error for a package that is shorter or longer than announced.

    Args:
        length: bytes that storage has.
        size: bytes that Canvas announced.
    """
    which = "shorter" if length < size else "longer"
    return DownloadError(
        f"storage has {length} bytes where Canvas says the package has {size}: it is {which} than announced",
        spoiled=True,
    )


def check_resumed_response(response: Response, offset: int, size: int, validator: Validator | None) -> None:
    """Check that a response holds the rest of the same package, from an offset.

    Raises:
        DownloadError: it does not; with ``restart``.
    """
    if response.status != _PARTIAL:
        raise DownloadError("storage does not resume, or the package was replaced", restart=True)
    found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
    if not found or tuple(map(int, found.groups())) != (offset, size - 1, size):
        raise DownloadError("storage resumed at another place than asked for", restart=True)
    etag = response.headers.get("etag")
    if validator and validator.etag and etag and etag != validator.etag:
        raise DownloadError("the package was replaced meanwhile", restart=True)


def matches_range(response: Response, start: int, stop: int, size: int, validator: Validator | None) -> bool:
    """Return whether a response holds exactly these bytes of the same object."""
    found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
    wanted = found is not None and tuple(map(int, found.groups())) == (start, stop - 1, size)
    return (
        response.status == _PARTIAL
        and wanted
        and validator is not None
        and response.headers.get("etag") == validator.etag
    )


def supports_ranges(response: Response, validator: Validator | None) -> bool:
    """Return whether storage serves ranges that are provably of the same object. Canvas itself is not asked for ranges."""
    serves = response.headers.get("accept-ranges", "").lower() == "bytes" and response.source is not None
    return serves and validator is not None and validator.etag is not None


def validator_of(response: Response) -> Validator | None:
    """Return the validator of the object in a response, or ``None``."""
    headers = response.headers
    if headers.get("accept-ranges", "").lower() == "none":
        return None
    etag = headers.get("etag", "")
    if _ETAG.fullmatch(etag):
        return Validator(etag, etag)
    modified = headers.get("last-modified", "")
    now, then = parse_http_date(headers.get("date", "")), parse_http_date(modified)
    # A date is only as good as an ETag if the object cannot have changed twice within it.
    settled = now is not None and then is not None and now - then >= timedelta(seconds=1)
    return Validator(modified, None) if settled else None
