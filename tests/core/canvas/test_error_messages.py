"""Error messages say what happened, and the number that Canvas's administrators ask for."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.canvas.package_server import FILE, KEY, SHOW, an_export, fetch, shown, to
from tests.support.canvas.scripted_canvas import COURSE, Either, ScriptedServer

from canvas_exports.core.canvas.api.export_request import ExportRequest
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.errors import CanvasUnavailableError, DownloadError, ResponseLostError

EXPORTS = "POST /api/v1/courses/101/content_exports"
SELF = "GET /api/v1/users/self"


def failed(number: object = 4711) -> dict[str, Any]:
    document = {"errors": [{"message": "An error occurred."}], "error_report_id": number}
    return {"status": 500, "json": document, "headers": {"X-Request-Context-Id": "r-1"}}


def test_a_post_answered_with_500_says_so_with_the_number_of_the_report(
    either: Either, server: ScriptedServer
) -> None:
    server.on(EXPORTS, failed())
    with pytest.raises(ResponseLostError) as caught:
        either.create_export(COURSE, ExportRequest.build("zip"))
    assert "Canvas answered with HTTP 500 (error report 4711)" in str(caught.value)
    assert "never came" not in str(caught.value)
    assert (caught.value.status, caught.value.request_id) == (500, "r-1")
    assert len(server.seen) == 1


def test_a_post_whose_answer_cannot_be_read_says_so(either: Either, server: ScriptedServer) -> None:
    server.on(EXPORTS, {"json": {"id": "x"}})
    with pytest.raises(ResponseLostError, match="sent, but the response cannot be read"):
        either.create_export(COURSE, ExportRequest.build("zip"))
    server.on(EXPORTS, {"drop": True})
    with pytest.raises(ResponseLostError, match="sent, but the response never came whole"):
        either.create_export(COURSE, ExportRequest.build("zip"))


def test_a_get_answered_with_500_names_the_report_too(either: Either, server: ScriptedServer) -> None:
    server.on(SELF, failed())
    with pytest.raises(CanvasUnavailableError, match=r"error report 4711"):
        either.whoami()


@pytest.mark.parametrize("number", [None, True, -1, "x", 10**30, [1], {"a": 1}, 1.5])
def test_a_report_without_a_number_is_left_out(
    either: Either, server: ScriptedServer, number: object
) -> None:
    server.on(EXPORTS, failed(number))
    with pytest.raises(ResponseLostError) as caught:
        either.create_export(COURSE, ExportRequest.build("zip"))
    assert "error report" not in str(caught.value)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_file_of_canvas_is_about_rights_and_not_called_deleted(
    client: CanvasClient, server: ScriptedServer, status: int
) -> None:
    server.on(FILE, {"status": status, "json": {"status": "unauthorized"}})
    server.on(SHOW, shown(server))
    with pytest.raises(DownloadError, match="lack the right to download") as caught:
        fetch(client, an_export(server))
    assert "deleted" not in str(caught.value)
    assert not caught.value.spoiled


def test_a_refusal_of_the_files_domain_speaks_of_rights_and_of_the_link(
    client: CanvasClient, server: ScriptedServer, storage: ScriptedServer
) -> None:
    server.on(FILE, to(f"{storage.url}/bucket/key?sf_verifier=secret"))
    server.on(SHOW, shown(server))
    storage.on(KEY, {"status": 401, "json": {}})
    with pytest.raises(DownloadError, match="the link may have expired, or the right to download be missing"):
        fetch(client, an_export(server))


def test_what_canvas_names_its_request_is_harmless_and_short(either: Either, server: ScriptedServer) -> None:
    name = "\N{RIGHT-TO-LEFT OVERRIDE}" + "x" * 5000
    server.on(SELF, {"status": 404, "json": {}, "headers": {"X-Request-Context-Id": name}})
    with pytest.raises(Exception, match="request") as caught:
        either.whoami()
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400
