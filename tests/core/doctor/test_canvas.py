"""A Canvas is described by whose token it is, what this user lacks by the names of Canvas's page, and the rate limit that is left."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.canvas.http.rate_limiter import RateLimiter
from canvas_exports.core.doctor.canvas import Source, check_canvas
from canvas_exports.core.doctor.facts import Fact, Status
from canvas_exports.core.doctor.permissions import FOR_BACKUPS, FOR_RESTORES, NAMES
from canvas_sandbox import Course, RequestFault, Sandbox, User

#: Users of the sandbox by what their role lacks.
FOR_BACKUPS_ALONE, WITHOUT_CONTENT, WITHOUT_FILES, WITHOUT_ALL = range(21, 25)
LACKING = {
    FOR_BACKUPS_ALONE: [name for permission in FOR_RESTORES for name in permission.names],
    WITHOUT_CONTENT: ["read_course_content", "read_sis"],
    WITHOUT_FILES: ["manage_files_add", "manage_files_edit", "manage_files_delete"],
    WITHOUT_ALL: list(NAMES),
}


@pytest.fixture(scope="module")
def canvas() -> Iterator[Sandbox]:
    users = [
        User(id=number, name="Bea Backup", role="admin", missing_rights=missing, token=f"7~of-user-{number}")
        for number, missing in LACKING.items()
    ]
    with Sandbox([Course(id=101, name="Biology")], users=users) as sandbox:
        yield sandbox


def facts(canvas: Sandbox, token: str) -> list[Fact]:
    with CanvasClient(canvas.url, token, attempts=1, rate_limiter=RateLimiter()) as client:
        return list(check_canvas(client, "canvas_default"))


def of_user(canvas: Sandbox, number: int) -> list[Fact]:
    return facts(canvas, canvas.tokens[f"user:{number}"])


def test_an_administrator_lacks_nothing(canvas: Sandbox) -> None:
    found = facts(canvas, canvas.token)
    assert {(fact.subject, fact.status, fact.next_step) for fact in found} == {
        ("canvas_default", Status.OK, "")
    }
    reached, permissions, left = (fact.fact for fact in found)
    assert reached == f"{canvas.url} answers; the token belongs to user 1."
    assert permissions == "User 1 has every permission that backups need."
    assert left.endswith(" of 600 units of the token's rate limit are left.")


@pytest.mark.parametrize(
    ("user", "labels"),
    [
        (WITHOUT_CONTENT, {"Course Content - view": Status.PROBLEM, "SIS Data - read": Status.WARNING}),
        (WITHOUT_FILES, {"Course Files - add": Status.WARNING}),
    ],
)
def test_each_missing_permission_is_called_as_on_canvass_page(
    canvas: Sandbox, user: int, labels: dict[str, Status]
) -> None:
    missing = [fact for fact in of_user(canvas, user) if fact.status is not Status.OK]
    assert len(missing) == len(labels)
    for fact, (label, status) in zip(missing, labels.items(), strict=True):
        assert fact.status is status
        assert fact.fact.startswith(f'User {user} lacks the permission "{label}": ')
        assert fact.next_step == (
            f'Switch on "{label}" for the role of user {user} (Canvas: Admin, Permissions, Account Roles).'
        )


def test_a_role_without_any_permission_lacks_every_one(canvas: Sandbox) -> None:
    said = " ".join(fact.fact for fact in of_user(canvas, WITHOUT_ALL))
    for permission in (*FOR_BACKUPS, *FOR_RESTORES):
        assert f'"{permission.label}"' in said


def test_a_user_who_cannot_restore_is_good_for_backups(canvas: Sandbox) -> None:
    found = of_user(canvas, FOR_BACKUPS_ALONE)
    assert {fact.status for fact in found} == {Status.OK}
    assert any('cannot restore, without "Course Content - add"' in fact.fact for fact in found)


def test_a_user_without_a_role_in_the_account_is_a_problem(canvas: Sandbox) -> None:
    for role, text in (
        ("outsider", "may not read permissions in the root account"),
        ("teacher", "lacks the permission"),
    ):
        found = facts(canvas, canvas.tokens[role])
        assert any(fact.status is Status.PROBLEM and text in fact.fact for fact in found), role


def test_a_refused_token_is_a_problem_and_is_shown_nowhere(canvas: Sandbox) -> None:
    token = "7~a-token-that-canvas-does-not-know"
    (fact,) = facts(canvas, token)
    assert fact.status is Status.PROBLEM
    assert fact.fact.startswith("Canvas does not accept the credentials of the connection: ")
    assert "create an access token" in fact.next_step
    assert token not in repr(fact)


def test_a_canvas_that_does_not_answer_is_a_problem_of_its_address() -> None:
    source = Source("--canvas", "the token in CANVAS_TOKEN")
    with CanvasClient("http://127.0.0.1:1", "7~token", attempts=1) as client:
        (fact,) = check_canvas(client, "canvas", source)
    assert fact.status is Status.PROBLEM
    assert fact.fact.startswith("no response from http://127.0.0.1:1; check --canvas, and the way there")
    assert fact.next_step == "Check --canvas, and whether this machine may reach it."


@pytest.mark.parametrize(("effect", "step"), [("not_found", "by hand"), ("server_error", "Try again later")])
def test_permissions_that_cannot_be_read_are_a_warning(effect: str, step: str) -> None:
    with Sandbox([Course(id=101)]) as canvas:
        canvas.inject(RequestFault(effect=effect, path=r"/permissions"))
        found = facts(canvas, canvas.token)
    (unread,) = [fact for fact in found if fact.status is not Status.OK]
    assert unread.status is Status.WARNING
    assert step in unread.next_step


def test_a_rate_limit_that_others_use_up_is_a_warning() -> None:
    with Sandbox([Course(id=101)]) as canvas:
        canvas.fill_bucket(500)
        found = facts(canvas, canvas.token)
    assert found[-1].status is Status.WARNING
    assert "a token of their own" in found[-1].next_step


def test_no_fact_has_the_name_of_a_person(canvas: Sandbox) -> None:
    for token in canvas.tokens.values():
        said = repr(facts(canvas, token))
        assert not any(name in said for name in ("Bea", "Ada", "Theo", "Sam", "Otto"))
