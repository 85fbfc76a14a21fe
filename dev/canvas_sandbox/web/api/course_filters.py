"""The filters of an account's course list."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from canvas_sandbox.campus import Account, Course, User
from canvas_sandbox.kernel import DAY
from canvas_sandbox.web.http import errors
from canvas_sandbox.web.http.params import is_true, strings
from canvas_sandbox.web.lookups import ancestry, find_account, find_term, find_user
from canvas_sandbox.web.permissions import can_see_sis_ids
from canvas_sandbox.world import World

_ALIVE = {"created", "claimed", "available", "completed"}
_STATES = {*_ALIVE, "deleted"}
_TRI_STATES = ("blueprint", "blueprint_associated", "public")


class CourseFilters:
    """The filters of one request. Unknown parameters are ignored, as in Canvas."""

    def __init__(self, world: World, query: dict[str, Any], caller: User) -> None:
        self._world = world
        self._query = query
        self._caller = caller

    def apply(self, account: Account) -> list[Course]:
        """Return the matching courses of an account and its sub-accounts, in the requested order."""
        tests = [
            lambda course: account.id in ancestry(self._world, course.account_id),
            self._state_test(),
            *self._enrolment_tests(),
            *self._trait_tests(),
            *self._relation_tests(),
            *self._date_tests(),
        ]
        rows = [course for course in self._world.courses.values() if all(test(course) for test in tests)]
        return sorted(rows, key=self.key, reverse=self.descending)

    def _state_test(self) -> Callable[[Course], bool]:
        if isinstance(self._query.get("state"), str) and "published" in self._query:
            raise errors.crashed(next(self._world.kernel.error_reports))
        states = set(strings(self._query.get("state"))) or set(_ALIVE)
        if "all" in states:
            states = set(_STATES)
        if "published" in self._query:
            published = is_true(self._query["published"])
            states -= {"created", "claimed", "completed", "deleted"} if published else {"available"}
        if "completed" not in self._query:
            return lambda course: course.state in states
        wanted = is_true(self._query["completed"])
        return lambda course: course.state in states and self._is_completed(course) == wanted

    def _is_completed(self, course: Course) -> bool:
        """Return whether a course is concluded: by state, by its own end, or by the end of its term."""
        term = self._world.terms.get(course.term_id)
        end = course.ends if course.ends is not None else (term.ends if term else None)
        return course.state == "completed" or (end is not None and end < self._today)

    @property
    def _today(self) -> float:
        return (self._world.kernel.clock.now() - self._world.kernel.started) / DAY

    def _enrolment_tests(self) -> list[Callable[[Course], bool]]:
        tests: list[Callable[[Course], bool]] = []
        if "with_enrollments" in self._query:
            wanted = is_true(self._query["with_enrollments"])
            tests.append(lambda course: bool(course.teachers or course.students) == wanted)
        if "hide_enrollmentless_courses" in self._query:
            tests.append(lambda course: bool(course.teachers or course.students))
        kinds = strings(self._query.get("enrollment_type"))
        if kinds:
            tests.append(
                lambda course: (
                    ("teacher" in kinds and bool(course.teachers))
                    or ("student" in kinds and bool(course.students))
                )
            )
        return tests

    def _trait_tests(self) -> list[Callable[[Course], bool]]:
        tests: list[Callable[[Course], bool]] = []
        for name in _TRI_STATES:
            if name in self._query:
                wanted = is_true(self._query[name])
                tests.append(lambda course, name=name, wanted=wanted: getattr(course, name) is wanted)  # type: ignore[misc]  # defaults bind the loop's values
        if is_true(self._query.get("homeroom", "")):
            tests.append(lambda course: course.homeroom)
        return tests

    def _relation_tests(self) -> list[Callable[[Course], bool]]:
        world, query = self._world, self._query
        tests: list[Callable[[Course], bool]] = []
        if "by_teachers" in query:
            found = (find_user(world, text, self._caller) for text in strings(query["by_teachers"]))
            teachers = {user.id for user in found if user is not None}
            tests.append(lambda course: not teachers.isdisjoint(course.teachers))
        if "by_subaccounts" in query:
            named = (find_account(world, text) for text in strings(query["by_subaccounts"]))
            accounts = {account.id for account in named if account is not None}
            tests.append(lambda course: not accounts.isdisjoint(ancestry(world, course.account_id)))
        if query.get("enrollment_term_id"):
            term = find_term(world, str(query["enrollment_term_id"]))
            if term is None:
                raise errors.not_found()
            term_id = term.id
            tests.append(lambda course: course.term_id == term_id)
        if query.get("search_term"):
            tests.append(self._search_test(str(query["search_term"]).lower()))
        return tests

    def _search_test(self, term: str) -> Callable[[Course], bool]:
        minimum = self._world.kernel.switches.min_search_length
        if len(term) < minimum:
            raise errors.short_search(minimum)
        if self._query.get("search_by") == "teacher":
            return lambda course: any(term in name.lower() for name in self._teachers(course))
        sees_sis = can_see_sis_ids(self._caller)
        return lambda course: (
            term in course.name.lower()
            or term in course.course_code.lower()
            or term == str(course.id)
            or (sees_sis and term in (course.sis_course_id or "").lower())
        )

    def _teachers(self, course: Course) -> list[str]:
        return sorted(
            self._world.users[number].name for number in course.teachers if number in self._world.users
        )

    def _date_tests(self) -> list[Callable[[Course], bool]]:
        tests: list[Callable[[Course], bool]] = []
        if bound := _moment(self._query.get("starts_before")):
            tests.append(lambda course: self._at_most(course, "starts", bound))
        if floor := _moment(self._query.get("ends_after")):
            tests.append(lambda course: self._at_least(course, "ends", floor))
        return tests

    def _at_most(self, course: Course, side: str, bound: float) -> bool:
        moment = self._date(course, side)
        return moment is None or moment <= bound

    def _at_least(self, course: Course, side: str, bound: float) -> bool:
        moment = self._date(course, side)
        return moment is None or moment >= bound

    def _date(self, course: Course, side: str) -> float | None:
        """Return the course's own date, else its term's; ``None`` if neither has one."""
        days: float | None = getattr(course, side)
        if days is None and course.term_id in self._world.terms:
            days = getattr(self._world.terms[course.term_id], side)
        return None if days is None else self._world.kernel.started + days * DAY

    @property
    def descending(self) -> bool:
        """Return whether the requested order is descending."""
        return self._sort in self._keys and self._query.get("order") == "desc"

    def key(self, course: Course) -> list[Any]:
        """Return the sort key of a course."""
        key = self._keys.get(self._sort)
        return [course.id] if key is None else [key(course), course.id]

    @property
    def _sort(self) -> str:
        return str(self._query.get("sort"))

    @property
    def _keys(self) -> dict[str, Callable[[Course], str]]:
        accounts, terms = self._world.accounts, self._world.terms
        return {
            "course_name": lambda course: course.name.lower(),
            "sis_course_id": lambda course: course.sis_course_id or "",
            "teacher": lambda course: ", ".join(self._teachers(course)),
            "account_name": lambda course: accounts[course.account_id].name.lower(),
            "subaccount": lambda course: accounts[course.account_id].name.lower(),
            "term": lambda course: terms[course.term_id].name.lower(),
        }


def _moment(text: object) -> float | None:
    """Return a date parameter in seconds since the epoch; ``None`` if it is missing or invalid."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
