"""GraphQL answers with Canvas's names, limits, permissions and costs, and differs between hosts as the switches say."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from canvas_sandbox import Account, Course, Fault, RequestFault, Sandbox, Switches, User
from canvas_sandbox.faults import Effect

if TYPE_CHECKING:
    from tests.support.canvas.sandbox_client import Call, Caller, Start

_PAGE = (
    "query ($after: String) { account(id: 1) { coursesConnection(first: 100, after: $after) "
    "{ nodes { _id updatedAt createdAt } pageInfo { hasNextPage endCursor } } } }"
)
_COURSES_WITH_ALL = (
    "{ account(id: 1) { coursesConnection { nodes { modulesConnection { nodes { _id name position updatedAt } } "
    "pagesConnection { nodes { _id title updatedAt createdAt } } filesConnection { nodes { _id updatedAt "
    "createdAt displayName } } foldersConnection { nodes { _id updatedAt createdAt name fullName "
    "parentFolderId position } } assignmentsConnection { nodes { _id name updatedAt createdAt position "
    "isNewQuiz submissionTypes id } } discussionsConnection { nodes { _id id title position updatedAt "
    "createdAt isAnnouncement } } } } } }"
)


def ask(caller: Caller, query: str, **variables: Any) -> Any:
    response = caller.post("/api/graphql", json={"query": query, "variables": variables})
    assert response.status_code == 200, response.text
    return response.json()


def message(caller: Caller, query: str) -> str:
    answer = ask(caller, query)
    assert "data" not in answer
    return str(answer["errors"][0]["message"])


def switched(start: Start, *courses: Course, **switches: Any) -> Sandbox:
    return start(*courses, switches=Switches(manual_clock=True, **switches))


def test_pages_of_courses_reach_every_course_once(start: Start, call: Call) -> None:
    canvas = start(*(Course(id=number) for number in range(1, 251)))
    admin, after, found, pages = call(canvas), None, [], 0
    while True:
        page = ask(admin, _PAGE, after=after)["data"]["account"]["coursesConnection"]
        found += [node["_id"] for node in page["nodes"]]
        pages, after = pages + 1, page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert pages == 3
    assert sorted(map(int, found)) == list(range(1, 251))


def test_a_course_that_is_written_between_two_pages_may_be_missing(start: Start, call: Call) -> None:
    canvas = start(*(Course(id=number) for number in range(1, 4)))
    admin = call(canvas)
    query = (
        "query ($after: String) { account(id: 1) { coursesConnection(first: 2, after: $after) "
        "{ nodes { _id } pageInfo { endCursor } } } }"
    )
    first = ask(admin, query)["data"]["account"]["coursesConnection"]
    canvas.advance(60)
    canvas.edit_course(int(first["nodes"][0]["_id"]))
    second = ask(admin, query, after=first["pageInfo"]["endCursor"])["data"]["account"]["coursesConnection"]
    found = {node["_id"] for page in (first, second) for node in page["nodes"]}
    assert len(found) < 3


def test_the_time_is_the_same_moment_as_in_rest_in_another_text(canvas: Sandbox, admin: Caller) -> None:
    text = ask(admin, "{ course(id: 101) { updatedAt } }")["data"]["course"]["updatedAt"]
    rest = admin.get("/api/v1/courses/101", params={"include[]": "updated_at"}).json()["updated_at"]
    listed = admin.get("/api/v1/accounts/1/courses", params={"include[]": "updated_at"}).json()[0]
    assert rest == listed["updated_at"] == canvas.updated_at(101)
    assert text.endswith("-07:00")
    assert text != rest
    assert "updated_at" not in admin.get("/api/v1/accounts/1/courses").json()[0]


def test_courses_are_found_by_number_global_id_and_sis_id(start: Start, call: Call) -> None:
    canvas = start(Course(id=101, sis_course_id="BIO/1"))
    admin = call(canvas)
    answer = ask(admin, '{ course(sisId: "BIO/1") { id _id sisId courseCode state account { _id } } }')
    course = answer["data"]["course"]
    assert (course["_id"], course["account"], course["state"]) == ("101", {"_id": "1"}, "available")
    again = ask(admin, f'{{ course(id: "{course["id"]}") {{ _id }} }}')
    assert again["data"]["course"] == {"_id": "101"}
    assert ask(admin, "{ course(id: 999) { _id } }") == {"data": {"course": None}}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            "{" + " ".join(f"c{number}: course(id: 101) {{ _id }}" for number in range(21)) + "}",
            "Query has aliases of 21, which exceeds max aliases of 20",
        ),
        (
            "{ course(id: 101) {" + "account { coursesConnection { nodes {" * 5 + "_id" + "}}}" * 5 + "} }",
            "Query has depth of 17, which exceeds max depth of 15",
        ),
        (
            _COURSES_WITH_ALL,
            "which exceeds max complexity of 375000",
        ),
        ("{" + "course(id: 101) { _id } " * 900 + "}", "This query is too large to execute."),
        ("{ course(id: 101) { nonsense } }", "Field 'nonsense' doesn't exist on type 'Course'"),
        ("{ course(id: 101) {", "Syntax Error"),
        ("", "No query string was present"),
    ],
    ids=["aliases", "depth", "complexity", "tokens", "field", "syntax", "empty"],
)
def test_what_exceeds_a_limit_is_answered_with_errors_and_no_data(
    query: str, expected: str, admin: Caller
) -> None:
    assert expected in message(admin, query)


def test_a_page_has_at_most_a_hundred_nodes_whatever_is_asked_for(start: Start, call: Call) -> None:
    canvas = start(*(Course(id=number) for number in range(1, 131)))
    query = "{ account(id: 1) { coursesConnection(first: 500) { nodes { _id } pageInfo { hasNextPage } } } }"
    page = ask(call(canvas), query)["data"]["account"]["coursesConnection"]
    assert len(page["nodes"]) == 100
    assert page["pageInfo"]["hasNextPage"] is True


def test_smaller_limits_of_a_host_hold(start: Start, call: Call) -> None:
    canvas = switched(start, graphql_max_aliases=1, graphql_page_size=2)
    admin = call(canvas)
    assert "max aliases of 1" in message(admin, "{ a: course(id: 101) { _id } b: course(id: 101) { _id } }")
    answer = ask(admin, "{ course(id: 101) { pagesConnection(first: 100) { nodes { _id } } } }")
    assert len(answer["data"]["course"]["pagesConnection"]["nodes"]) == 2


def test_what_the_caller_may_not_read_is_null(start: Start, call: Call) -> None:
    blind = User(id=21, name="Bo", role="admin", missing_rights=["read_course_list"], token="blind")
    canvas = start(Course(id=101), Course(id=102, faults=[Fault.FORBIDDEN]), users=[blind])
    lists = "{ account(id: 1) { coursesConnection { nodes { _id } } } }"
    assert ask(call(canvas, "user:21"), lists) == {"data": {"account": {"coursesConnection": None}}}
    assert ask(call(canvas, "student"), lists) == {"data": {"account": None}}
    assert ask(call(canvas), "{ course(id: 102) { _id } }") == {"data": {"course": None}}
    assert ask(call(canvas, "outsider"), "{ course(id: 101) { _id } }") == {"data": {"course": None}}
    assert call(canvas, None).post("/api/graphql", json={"query": lists}).status_code == 401


def test_an_account_has_the_courses_of_its_sub_accounts(start: Start, call: Call) -> None:
    accounts = [Account(1, "U"), Account(2, "Arts", parent_id=1), Account(3, "Science", parent_id=1)]
    canvas = start(Course(id=101, account_id=2), Course(id=102, account_id=3), accounts=accounts)
    query = "{ account(id: 2) { coursesConnection { nodes { _id } } } }"
    nodes = ask(call(canvas), query)["data"]["account"]["coursesConnection"]["nodes"]
    assert nodes == [{"_id": "101"}]


def test_quizzes_list_new_quizzes_and_assignments_tell_which_they_are(canvas: Sandbox, admin: Caller) -> None:
    del canvas
    query = (
        "{ course(id: 101) { quizzesConnection { nodes { _id } } "
        "assignmentsConnection { nodes { _id isNewQuiz } } } }"
    )
    course = ask(admin, query)["data"]["course"]
    new = [node["_id"] for node in course["assignmentsConnection"]["nodes"] if node["isNewQuiz"]]
    assert len(new) == 1
    assert new[0] in [node["_id"] for node in course["quizzesConnection"]["nodes"]]


def test_a_reply_of_a_student_moves_the_time_of_its_discussion_only(canvas: Sandbox, admin: Caller) -> None:
    query = "{ course(id: 101) { updatedAt discussionsConnection { nodes { _id updatedAt } } } }"
    before = ask(admin, query)["data"]["course"]
    canvas.advance(60)
    canvas.make_edit(101, "replied")
    after = ask(admin, query)["data"]["course"]
    assert after["updatedAt"] == before["updatedAt"]
    assert after["discussionsConnection"] != before["discussionsConnection"]


def test_assignments_tell_their_group(admin: Caller) -> None:
    query = (
        "{ course(id: 101) { assignmentGroupsConnection { nodes { _id } } assignmentsConnection("
        "filter: {gradingPeriodId: null}) { nodes { assignmentGroup { _id } } } } }"
    )
    course = ask(admin, query)["data"]["course"]
    group = course["assignmentGroupsConnection"]["nodes"][0]
    assert course["assignmentsConnection"]["nodes"][0] == {"assignmentGroup": group}


def test_rubrics_have_no_times(admin: Caller) -> None:
    """As in Canvas's own schema: who asks for them loses the whole answer."""
    query = "{ course(id: 101) { rubricsConnection { nodes { updatedAt } } } }"
    answer = ask(admin, query)
    unknown = {"code": "undefinedField", "typeName": "Rubric", "fieldName": "updatedAt"}
    assert ("data" in answer, answer["errors"][0]["extensions"]) == (False, unknown)


def test_a_query_costs_what_it_reads(start: Start, call: Call) -> None:
    canvas = switched(start, Course(id=101))
    admin = call(canvas)

    def cost(query: str) -> float:
        return float(admin.post("/api/graphql", json={"query": query}).headers["X-Request-Cost"])

    small = cost("{ course(id: 101) { _id } }")
    large = cost(
        "{ course(id: 101) { filesConnection { nodes { _id } } pagesConnection { nodes { _id } } "
        "assignmentsConnection { nodes { _id } } } }"
    )
    assert canvas.world.kernel.switches.request_cost < small < large


def test_hosts_without_graphql_without_a_field_and_without_the_key_in_rest(start: Start, call: Call) -> None:
    none = call(switched(start, graphql=False, shows_updated_at=False))
    assert none.post("/api/graphql", json={"query": _PAGE}).status_code == 404
    rows = none.get("/api/v1/accounts/1/courses", params={"include[]": "updated_at"}).json()
    assert "updated_at" not in rows[0]
    older = call(switched(start, graphql_missing_fields=["Course.rubricsConnection"]))
    query = "{ course(id: 101) { _id rubricsConnection { nodes { _id } } } }"
    assert "Field 'rubricsConnection' doesn't exist" in message(older, query)
    assert ask(older, "{ course(id: 101) { _id } }") == {"data": {"course": {"_id": "101"}}}


@pytest.mark.parametrize("effect", [Effect.GRAPHQL_ERRORS, Effect.WRONG_SHAPE, Effect.GARBLED])
def test_faults_of_graphql_come_with_status_200(effect: Effect, canvas: Sandbox, admin: Caller) -> None:
    canvas.inject(RequestFault(effect, "POST", "/api/graphql"))
    query = {"query": "{ course(id: 101) { _id pagesConnection { nodes { _id updatedAt } } } }"}
    faulty, whole = admin.post("/api/graphql", json=query), admin.post("/api/graphql", json=query)
    assert faulty.status_code == 200
    assert faulty.text != whole.text
    assert whole.json()["data"]["course"]["_id"] == "101"
    if effect is Effect.WRONG_SHAPE:
        pages = faulty.json()["data"]["course"]
        assert isinstance(pages["_id"], int)
        assert isinstance(pages["pagesConnection"]["nodes"], dict)


def test_the_library_of_graphql_is_imported_with_the_first_query() -> None:
    program = (
        "import sys, json, urllib.request\n"
        "from canvas_sandbox import Course, Sandbox\n"
        "with Sandbox([Course(id=101)]) as canvas:\n"
        "    assert 'graphql' not in sys.modules\n"
        "    body = json.dumps({'query': '{ course(id: 101) { _id } }'}).encode()\n"
        "    headers = {'Authorization': f'Bearer {canvas.token}', 'Content-Type': 'application/json',"
        " 'User-Agent': 'test'}\n"
        "    urllib.request.urlopen(urllib.request.Request(canvas.url + '/api/graphql', body, headers)).read()\n"
        "    assert 'graphql' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_a_cursor_of_an_edge_continues_after_it(admin: Caller) -> None:
    query = (
        "query ($after: String) { course(id: 101) { pagesConnection(first: 2, after: $after) "
        "{ edges { cursor node { id _id } } } } }"
    )
    first = ask(admin, query)["data"]["course"]["pagesConnection"]["edges"]
    second = ask(admin, query, after=first[0]["cursor"])["data"]["course"]["pagesConnection"]["edges"]
    assert second[0] == first[1]
    again = ask(
        admin,
        f'{{ course(id: 101) {{ pagesConnection(before: "{first[1]["cursor"]}") {{ nodes {{ _id }} }} }} }}',
    )
    assert again["data"]["course"]["pagesConnection"]["nodes"] == [{"_id": first[0]["node"]["_id"]}]
