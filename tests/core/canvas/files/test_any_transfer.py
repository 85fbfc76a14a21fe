"""Downloads and uploads end well or in an error of our own tree, whatever Canvas and storage answer."""

from __future__ import annotations

import json
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.canvas.any_response import a_session, drive, odd_texts, replies

from canvas_exports.core.canvas.api import endpoints
from canvas_exports.core.canvas.api.migrations import (
    PackageFile,
    UploadTicket,
)
from canvas_exports.core.canvas.files.download_flow import open_flow, range_flow
from canvas_exports.core.canvas.files.upload import MultipartForm, upload_flow
from canvas_exports.core.canvas.files.validators import (
    check_full_response,
    check_resumed_response,
    matches_range,
    supports_ranges,
    validator_of,
)
from canvas_exports.core.canvas.http.messages import Response, Result
from canvas_exports.core.model.contexts import Context
from canvas_exports.errors import CanvasExportsError

COURSE = Context.parse("101")
FILE = PackageFile("x.imscc", 10)


class Nothing:
    """A body that holds nothing."""

    is_complete = True

    def readinto(self, _target: memoryview) -> int:
        return 0

    def close(self) -> None:
        return


def streaming(result: Result) -> Result:
    if isinstance(result, Response) and 200 <= result.status < 300:
        return Response(result.status, result.headers, stream=Nothing())
    return result


@given(
    script=st.lists(replies.map(streaming), min_size=1, max_size=6),
    url=odd_texts | st.just("https://s.example/k?s=x"),
)
@settings(max_examples=100, deadline=None)
def test_the_way_to_a_package_ends_in_a_body_or_an_error_of_ours(script: list[Result], url: str) -> None:
    session, clock = a_session()
    with suppress(CanvasExportsError):
        answer = drive(open_flow(session, url), session, clock, script)
        validator = validator_of(answer)
        supports_ranges(answer, validator)
        matches_range(answer, 0, 10, 20, validator)
        if validator is not None:
            assert validator.if_range.isascii()
            assert validator.if_range.isprintable()
        drive(range_flow(session, "https://s.example/k", 0, 10, validator), session, clock, script)
        with suppress(CanvasExportsError):
            check_full_response(answer, 10)
        check_resumed_response(answer, 5, 10, validator)
    assert session.rate_limiter.in_flight == 0


@given(
    script=st.lists(replies, min_size=1, max_size=6),
    url=odd_texts | st.just("https://s.example/k"),
    params=st.dictionaries(odd_texts, odd_texts, max_size=4),
)
@settings(max_examples=100, deadline=None)
def test_an_upload_ends_well_or_in_an_error_of_ours(
    script: list[Result], url: str, params: dict[str, str]
) -> None:
    session, clock = a_session()
    document = {
        "id": 1,
        "workflow_state": "created",
        "pre_attachment": {"upload_url": url, "upload_params": params},
    }
    with suppress(CanvasExportsError):
        ticket = (
            endpoints.show_migration(COURSE, 5)
            .read(json.loads(json.dumps(document)), Response(200, {}))
            .ticket
        )
        if ticket is None:
            return
        assert isinstance(ticket, UploadTicket)
        b"".join(bytes(block) for block in MultipartForm.of(ticket, FILE).stream([b"0123456789"]))
        drive(upload_flow(session, ticket, FILE, [b"0123456789"]), session, clock, script)
    assert session.rate_limiter.in_flight == 0
