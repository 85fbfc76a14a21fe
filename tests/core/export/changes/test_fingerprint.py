from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.export.changes.fingerprint import RULES, CourseContents, Rules


def node(number: int, **changed: Any) -> dict[str, Any]:
    return {"_id": str(number), "updatedAt": "2026-11-20T10:00:00Z", "position": number, **changed}


def connection(*nodes: dict[str, Any], after: str | None = None) -> dict[str, Any]:
    return {"nodes": list(nodes), "pageInfo": {"hasNextPage": after is not None, "endCursor": after}}


def assignment(number: int, **changed: Any) -> dict[str, Any]:
    as_made = {"assignmentGroup": {"_id": "9"}, "submissionTypes": ["online_upload"], "isNewQuiz": False}
    return node(number, **{**as_made, **changed})


def course() -> dict[str, Any]:
    lists = {each.name: connection(node(1), node(2)) for each in RULES[0].lists}
    lists["assignmentsConnection"] = connection(assignment(1), assignment(2))
    rubric = {
        "_id": "1",
        "title": "Essay",
        "pointsPossible": 5.0,
        "criteria": [
            {
                "_id": "1_1",
                "description": "Argument",
                "longDescription": None,
                "points": 5.0,
                "ratings": [{"_id": "1_2", "description": "Sound", "points": 5.0}],
            }
        ],
    }
    lists["rubricsConnection"] = connection(rubric)
    return {"_id": "101", "updatedAt": "2026-11-20T10:00:00Z", **lists}


def read(*pages: dict[str, Any], rules: Rules = RULES[0]) -> CourseContents:
    contents = CourseContents(rules)
    for page in pages:
        contents.add(page)
    return contents


def fingerprint(*pages: dict[str, Any]) -> str | None:
    return read(*pages).fingerprint()


WHOLE = fingerprint(course())


def first(course: dict[str, Any], name: str) -> Any:
    return course[name]["nodes"][0]


@pytest.mark.parametrize(
    "edit",
    [
        lambda found: first(found, "modulesConnection").update(position=7),
        lambda found: first(found, "modulesConnection").update(updatedAt="2026-11-21T10:00:00Z"),
        lambda found: first(found, "assignmentsConnection").update(position=7),
        lambda found: first(found, "assignmentsConnection")["assignmentGroup"].update(_id="8"),
        lambda found: first(found, "quizzesConnection").update(updatedAt="2026-11-21T10:00:00Z"),
        lambda found: first(found, "rubricsConnection")["criteria"][0].update(points=4.0),
        lambda found: first(found, "discussionsConnection").update(position=7),
        lambda found: found["filesConnection"]["nodes"].pop(),
        lambda found: found["foldersConnection"]["nodes"].append(node(3)),
    ],
)
def test_every_difference_in_a_list_is_another_fingerprint(edit: Callable[[dict[str, Any]], object]) -> None:
    changed = course()
    edit(changed)
    found = fingerprint(changed)
    assert found is not None
    assert found != WHOLE


def test_the_order_of_pages_and_of_objects_does_not_matter() -> None:
    turned = course()
    for each in RULES[0].lists:
        turned[each.name]["nodes"].reverse()
    assert fingerprint(turned) == WHOLE
    begun = course()
    begun["filesConnection"] = connection(node(2), after="MQ")
    assert fingerprint(begun) is None
    assert fingerprint(begun, {"_id": "101", "filesConnection": connection(node(1))}) == WHOLE


def test_a_list_of_more_than_a_hundred_that_updated_at_shows_counts_as_that_whatever_the_pages() -> None:
    def pages(*sizes: int) -> str | None:
        begun, numbers = course(), iter(range(1, 1000))
        found = [
            connection(*(node(next(numbers)) for _ in range(size)), after=f"A{size}") for size in sizes[:-1]
        ]
        found.append(connection(*(node(next(numbers)) for _ in range(sizes[-1]))))
        begun["filesConnection"] = found[0]
        return fingerprint(begun, *({"_id": "101", "filesConnection": page} for page in found[1:]))

    large = pages(100, 1)
    assert large is not None
    assert large == pages(100, 50) == pages(60, 50) == pages(150)
    assert len({large, pages(100), pages(60, 40), pages(99)}) == 3
    assert pages(100) == pages(60, 40)


def test_rules_of_another_version_give_another_fingerprint() -> None:
    fewer = read(course(), rules=RULES[1]).fingerprint()
    assert fewer not in (None, WHOLE)
    assert len({rules.version for rules in RULES}) == len(RULES)


@pytest.mark.parametrize(
    "damage",
    [
        lambda found: found.pop("modulesConnection"),
        lambda found: found.update(rubricsConnection=None),
        lambda found: found["pagesConnection"]["nodes"].append(None),
        lambda found: first(found, "pagesConnection").update(updatedAt=None),
        lambda found: first(found, "pagesConnection").update(updatedAt="always"),
        lambda found: first(found, "pagesConnection").pop("_id"),
        lambda found: first(found, "filesConnection").update(_id="course files"),
        lambda found: first(found, "modulesConnection").pop("position"),
        lambda found: first(found, "assignmentsConnection").update(assignmentGroup=None),
        lambda found: first(found, "assignmentsConnection")["assignmentGroup"].pop("_id"),
        lambda found: first(found, "rubricsConnection").update(criteria=None),
        lambda found: first(found, "rubricsConnection")["criteria"].append(None),
        lambda found: first(found, "rubricsConnection")["criteria"].append([]),
        lambda found: first(found, "rubricsConnection")["criteria"][0]["ratings"][0].pop("points"),
        lambda found: found.pop("_id"),
    ],
)
def test_without_any_part_there_is_no_fingerprint(damage: Callable[[dict[str, Any]], object]) -> None:
    damaged = course()
    damage(damaged)
    contents = read(damaged)
    assert contents.fingerprint() is None
    assert not contents.is_complete


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where each value of an answer is."""
    for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*at, name)
        if isinstance(inner, dict | list):
            yield from places(inner, (*at, name))


@pytest.mark.parametrize("place", list(places(course())), ids=lambda place: ".".join(map(str, place)))
def test_an_answer_that_lacks_anything_is_never_equal_to_a_whole_one(place: tuple[Any, ...]) -> None:
    damaged = course()
    *above, name = place
    inner: Any = damaged
    for each in above:
        inner = inner[each]
    del inner[name]
    is_no_content = place == ("updatedAt",) or name == "endCursor"  # of the course; of the last page
    assert (fingerprint(damaged) == WHOLE) is is_no_content


@pytest.mark.parametrize("number", ["102", None, "101.0"])
def test_a_page_of_another_course_is_not_readable(number: str | None) -> None:
    begun = course()
    begun["filesConnection"] = connection(node(2), after="MQ")
    contents = read(begun)
    assert not contents.add({"_id": number, "filesConnection": connection(node(1))})
    assert contents.fingerprint() is None
    other = CourseContents(RULES[0], 102)
    other.add(course())
    assert other.fingerprint() is None


def test_pages_that_go_round_in_circles_end_the_reading() -> None:
    begun = course()
    begun["filesConnection"] = connection(node(2), after="MQ")
    contents = read(begun)
    assert not contents.add({"_id": "101", "filesConnection": connection(node(1), after="MQ")})
    assert contents.fingerprint() is None


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"isNewQuiz": False, "submissionTypes": ["external_tool"]}, False),
        ({"isNewQuiz": True}, True),
        ({"isNewQuiz": None, "submissionTypes": ["external_tool"]}, None),
        ({"isNewQuiz": None, "submissionTypes": ["on_paper"]}, False),
        ({"isNewQuiz": None, "submissionTypes": None}, None),
    ],
)
def test_a_new_quiz_is_known_by_its_assignment_or_may_be_one(
    told: dict[str, Any], expected: bool | None
) -> None:
    found = course()
    found["assignmentsConnection"] = connection(assignment(1), assignment(2, **told), assignment(3))
    assert read(found).new_quizzes is expected


@given(st.data())
def test_equal_contents_have_equal_fingerprints_and_any_other_value_another(data: st.DataObject) -> None:
    nodes = data.draw(st.lists(st.integers(1, 500), min_size=1, max_size=20, unique=True))
    some = course()
    some["pagesConnection"] = connection(*(node(number) for number in nodes))
    again = copy.deepcopy(some)
    again["pagesConnection"]["nodes"] = data.draw(st.permutations(again["pagesConnection"]["nodes"]))
    assert fingerprint(some) == fingerprint(again)
    chosen = data.draw(st.sampled_from(again["pagesConnection"]["nodes"]))
    chosen["updatedAt"] = "2026-11-22T10:00:00Z"
    assert fingerprint(some) != fingerprint(again)
