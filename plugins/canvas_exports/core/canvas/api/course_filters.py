"""Filter the course list of an account: the parameters that Canvas accepts, checked before a request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timezone
from typing import Any
from urllib.parse import urlencode

from canvas_exports.core.canvas.api.url_paths import check_id
from canvas_exports.errors import InputError

STATES = ("created", "claimed", "available", "completed", "deleted", "all")
ENROLLMENT_TYPES = ("teacher", "student", "ta", "observer", "designer")
SORTS = ("course_name", "sis_course_id", "teacher", "account_name", "subaccount", "term")
SEARCH_BY = ("course", "teacher")
ORDERS = ("asc", "desc")

_SHORTEST_SEARCH, _LONGEST_SEARCH = 2, 255  # characters
_TEACHER_FIELDS = frozenset({"sis_user_id", "sis_login_id", "sis_integration_id"})
_ACCOUNT_FIELDS = frozenset({"sis_account_id", "sis_integration_id"})
_TERM_FIELDS = frozenset({"sis_term_id", "sis_integration_id"})
_TERM_NAMES = frozenset({"default", "current"})

_LISTS = ("state", "enrollment_type", "by_teachers", "by_subaccounts")
_FLAGS = ("published", "completed", "with_enrollments", "blueprint", "blueprint_associated", "public")
_SWITCHES = ("hide_enrollmentless_courses", "homeroom", "include_crosslisted_courses")
_WORDS = ("enrollment_term_id", "search_term", "search_by", "sort", "order")
_DAYS = ("starts_before", "ends_after")
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "state": STATES,
    "enrollment_type": ENROLLMENT_TYPES,
    "search_by": SEARCH_BY,
    "sort": SORTS,
    "order": ORDERS,
}


@dataclass(frozen=True)
class CourseFilters:
    """Filters of ``GET /api/v1/accounts/:account_id/courses``; without any, every course that is not deleted.

    Flags have three states: ``True`` keeps only such courses, ``False`` leaves them out, ``None`` does not filter.
    Canvas has no ``False`` for the switches ``hide_enrollmentless_courses``, ``homeroom`` and
    ``include_crosslisted_courses``. A time without a zone is UTC. ``order`` needs ``sort``.

    Raises:
        InputError: names the filter and the accepted values.
    """

    state: tuple[str, ...] = ()
    published: bool | None = None
    completed: bool | None = None
    with_enrollments: bool | None = None
    hide_enrollmentless_courses: bool = False
    enrollment_type: tuple[str, ...] = ()
    blueprint: bool | None = None
    blueprint_associated: bool | None = None
    public: bool | None = None
    homeroom: bool = False
    by_teachers: tuple[str, ...] = ()
    by_subaccounts: tuple[str, ...] = ()
    enrollment_term_id: str | None = None
    search_term: str | None = None
    search_by: str | None = None
    starts_before: date | datetime | None = None
    ends_after: date | datetime | None = None
    sort: str | None = None
    order: str | None = None
    include_crosslisted_courses: bool = False

    @classmethod
    def build(cls, filters: Mapping[str, Any], *, field: str = "filters") -> CourseFilters:
        """Read what a person wrote: single values where lists are meant, numbers for ids, dates as text.

        Raises:
            InputError: unknown filter or value.
        """
        known = [each.name for each in fields(cls)]
        values: dict[str, Any] = {}
        for name, value in filters.items():
            if name not in known:
                raise InputError(field, f"{name!r} is not a filter of Canvas's course list", accepted=known)
            if value is None:
                continue
            if name in _LISTS:
                single = isinstance(value, str | int)
                values[name] = tuple(str(item).strip() for item in ([value] if single else value))
            elif name in _WORDS:
                values[name] = str(value).strip()
            elif name in _DAYS:
                values[name] = _read_day(name, value)
            else:
                values[name] = value
        return cls(**values)

    def __post_init__(self) -> None:
        self._check_values()
        self._check_ids()
        self._check_together()

    def _check_values(self) -> None:
        for name in _LISTS:
            if isinstance(getattr(self, name), str):
                raise InputError(name, "is a single value", accepted="a list")
        for name in (*_FLAGS, *_SWITCHES):
            if getattr(self, name) not in (True, False, None):
                raise InputError(
                    name, f"{getattr(self, name)!r} is neither true nor false", accepted="true, false"
                )
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            for item in (value,) if isinstance(value, str) else value or ():
                if item not in choices:
                    raise InputError(name, f"{item!r} is not known to Canvas", accepted=choices)

    def _check_ids(self) -> None:
        for name, sis_fields in (("by_teachers", _TEACHER_FIELDS), ("by_subaccounts", _ACCOUNT_FIELDS)):
            for item in getattr(self, name):
                check_id(name, item, sis_fields)
        if self.enrollment_term_id is not None:
            check_id("enrollment_term_id", self.enrollment_term_id, _TERM_FIELDS, _TERM_NAMES)

    def _check_together(self) -> None:
        if self.search_term is not None and len(self.search_term) < _SHORTEST_SEARCH:
            raise InputError("search_term", f"at least {_SHORTEST_SEARCH} characters are needed")
        if self.search_term is not None and len(self.search_term) > _LONGEST_SEARCH:
            raise InputError("search_term", f"at most {_LONGEST_SEARCH} characters can be asked for")
        if self.search_by is not None and self.search_term is None:
            raise InputError("search_by", "has no effect without search_term")
        if self.order is not None and self.sort is None:
            raise InputError("order", "Canvas ignores it without sort", accepted="sort together with order")
        if self.hide_enrollmentless_courses and self.with_enrollments is False:
            raise InputError("hide_enrollmentless_courses", "contradicts with_enrollments: false")

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Yield the query parameters that Canvas expects."""
        for name in _LISTS:
            yield from ((f"{name}[]", item) for item in getattr(self, name))
        for name in _FLAGS:
            if getattr(self, name) is not None:
                yield name, "true" if getattr(self, name) else "false"
        for name in _SWITCHES:
            if getattr(self, name):
                yield name, "true"
        for name in _WORDS:
            if getattr(self, name) is not None:
                yield name, getattr(self, name)
        for name in _DAYS:
            if getattr(self, name) is not None:
                yield name, _write_day(getattr(self, name))

    def without_lists(self) -> CourseFilters:
        """Return the same filters for all teachers and sub-accounts."""
        return replace(self, by_teachers=(), by_subaccounts=())

    def split_to_fit(self, most: int) -> Iterator[CourseFilters]:
        """Split long lists of teachers and sub-accounts. Together, the filters select the same courses as this one.

        Both lists name alternatives, so at least one of the filters selects each course, and maybe several do.

        Args:
            most: characters of a query for both lists; each filter has at least one entry of each.
        """
        teachers, accounts = (tuple(dict.fromkeys(each)) for each in (self.by_teachers, self.by_subaccounts))
        half = most // 2 if teachers and accounts else most
        for some_teachers in _groups("by_teachers", teachers, half):
            for some_accounts in _groups("by_subaccounts", accounts, half):
                yield replace(self, by_teachers=some_teachers, by_subaccounts=some_accounts)


def _groups(name: str, values: tuple[str, ...], most: int) -> Iterator[tuple[str, ...]]:
    """Yield the values in groups that fit into a query; one empty group where there are none."""
    group: list[str] = []
    taken = 0
    for value in values:
        length = len(urlencode([(f"{name}[]", value)])) + 1
        if group and taken + length > most:
            yield tuple(group)
            group, taken = [], 0
        group.append(value)
        taken += length
    yield tuple(group)


def split_by_term(filters: Mapping[str, Any]) -> Iterator[CourseFilters]:
    """Yield filters as a person wrote them: one for each term of a list ``enrollment_term_id``, because Canvas accepts one.

    Raises:
        InputError: unknown filter or value.
    """
    rest = dict(filters)
    terms = rest.pop("enrollment_term_id", None)
    for term in terms if isinstance(terms, list | tuple) else [terms]:
        yield CourseFilters.build({**rest, "enrollment_term_id": term})


def _read_day(name: str, value: object) -> date | datetime:
    if isinstance(value, date):
        return value
    try:
        return datetime.fromisoformat(str(value).strip().replace("Z", "+00:00"))
    except ValueError:
        raise InputError(
            name, f"{value!r} is not a date", accepted="2026-09-01 or 2026-09-01T08:00:00Z"
        ) from None


def _write_day(value: date | datetime) -> str:
    moment = (
        value
        if isinstance(value, datetime)
        else datetime(value.year, value.month, value.day, tzinfo=timezone.utc)
    )
    aware = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return aware.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
