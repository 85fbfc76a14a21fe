from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.canvas.scripted_canvas import ScriptedServer

from canvas_exports.core.canvas.api.graphql import (
    GraphQLError,
    GraphQLQuery,
    GraphQLResult,
    Page,
    graphql,
    read_page,
)
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.canvas.http.messages import Response
from canvas_exports.errors import (
    BadRequestError,
    CanvasUnavailableError,
    CredentialError,
    NotFoundError,
    PermissionDeniedError,
    UnexpectedResponseError,
)

ROUTE = "POST /api/graphql"
QUERY = GraphQLQuery("query($c0: ID) { c0: course(id: $c0) { _id } }", {"c0": "101"})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=5), each, max_size=3),
)


def read(document: Any) -> GraphQLResult:
    return graphql(QUERY).read(document, Response(200, {}))


def test_a_query_is_sent_as_json_with_its_variables(client: CanvasClient, server: ScriptedServer) -> None:
    server.on(ROUTE, {"json": {"data": {"c0": {"_id": "101"}}}})
    assert client.graphql(QUERY) == GraphQLResult({"c0": {"_id": "101"}})
    (seen,) = server.seen
    assert json.loads(seen.body) == {"query": QUERY.text, "variables": {"c0": "101"}}
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["authorization"].startswith("Bearer ")


def test_a_query_that_got_no_answer_is_sent_once_more_as_it_changes_nothing(
    client: CanvasClient, server: ScriptedServer
) -> None:
    server.on(ROUTE, {"drop": True}, {"json": {"data": {}}})
    assert client.graphql(QUERY).data == {}
    server.on(ROUTE, {"status": 504, "html": "<html>"})
    with pytest.raises(CanvasUnavailableError):
        client.graphql(QUERY)
    assert server.paths() == ["/api/graphql"] * 4


def test_a_query_refused_for_the_rate_limit_is_sent_again(
    client: CanvasClient, server: ScriptedServer
) -> None:
    server.on(
        ROUTE, {"status": 429, "text": "429 Too Many Requests (Rate Limit Exceeded)"}, {"json": {"data": {}}}
    )
    assert client.graphql(QUERY).data == {}


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        ({"status": 404, "json": {"errors": []}}, NotFoundError),
        ({"status": 403, "json": {"status": "unauthorized"}}, PermissionDeniedError),
        ({"status": 401, "json": {}, "headers": {"WWW-Authenticate": "Bearer"}}, CredentialError),
        ({"status": 400, "json": {"message": "no"}}, BadRequestError),
        ({"status": 503, "html": "<html>"}, CanvasUnavailableError),
        ({"json": [1]}, UnexpectedResponseError),
        ({"json": {"status": "ok"}}, UnexpectedResponseError),
        ({"json": {"data": [1]}}, UnexpectedResponseError),
    ],
)
def test_what_is_no_result_raises_the_error_that_fits(
    client: CanvasClient, server: ScriptedServer, reply: dict[str, Any], error: type[Exception]
) -> None:
    server.on(ROUTE, reply)
    with pytest.raises(error) as caught:
        client.graphql(QUERY)
    assert type(caught.value) is error


def test_errors_with_status_200_are_part_of_the_result() -> None:
    refused = {"message": "no", "extensions": {"code": "undefinedField"}}
    partial = {"message": "not yours", "path": ["c1", "modulesConnection", "nodes", 0]}
    assert read({"errors": [refused]}) == GraphQLResult(None, (GraphQLError("undefinedField"),))
    assert read({"data": {"c1": {}}, "errors": [partial]}).errors == (
        GraphQLError(None, ("c1", "modulesConnection", "nodes", "0")),
    )


def test_a_field_is_whole_only_if_no_error_is_about_it_or_about_the_query() -> None:
    data = {"c0": {"_id": "1"}, "c1": {"_id": "2"}}
    assert read({"data": data}).whole("c1") == {"_id": "2"}
    partial = read({"data": data, "errors": [{"path": ["c1", "modulesConnection"]}]})
    assert (partial.whole("c0"), partial.whole("c1")) == ({"_id": "1"}, None)
    odd: Any
    for odd in ({"message": "no"}, {"path": [None]}, "no", {"path": []}):
        assert read({"data": data, "errors": [odd]}).whole("c0") is None
    assert read({"data": data, "errors": "no"}).whole("c0") is None
    assert read({"data": None}).whole("c0") is None


@given(st.fixed_dictionaries({}, optional={"data": JSON, "errors": JSON}))
def test_whatever_stands_in_a_result_is_read_or_refused(document: dict[str, Any]) -> None:
    try:
        result = read(document)
    except UnexpectedResponseError:
        return
    assert result.errors or not document.get("errors")
    assert result.data is None or isinstance(result.data, dict)


def test_a_page_has_objects_and_says_whether_more_follow() -> None:
    nodes = [{"_id": "1"}]
    last = {"nodes": nodes, "pageInfo": {"hasNextPage": False, "endCursor": "Mg"}}
    assert read_page(last) == Page(({"_id": "1"},))
    more = {"nodes": nodes, "pageInfo": {"hasNextPage": True, "endCursor": "Mg"}}
    assert read_page(more) == Page(({"_id": "1"},), "Mg")


@pytest.mark.parametrize(
    "connection",
    [
        None,
        {},
        {"nodes": None, "pageInfo": {"hasNextPage": False}},
        {"nodes": [None], "pageInfo": {"hasNextPage": False}},
        {"nodes": [], "pageInfo": None},
        {"nodes": [], "pageInfo": {"hasNextPage": "no"}},
        {"nodes": [], "pageInfo": {"hasNextPage": True}},
        {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": "x" * 300}},
    ],
)
def test_a_page_with_a_part_missing_is_none(connection: Any) -> None:
    assert read_page(connection) is None
