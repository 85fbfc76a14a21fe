"""Lookups by the ids in a path: numbers, SIS ids, ``self`` and the like."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeVar

from canvas_sandbox.campus import Account, Course, Exportable, Group, Term, User
from canvas_sandbox.faults import Fault
from canvas_sandbox.kernel import DAY
from canvas_sandbox.world import World

_NUMBER = re.compile(r"\d{1,19}\Z")
_HEX = re.compile(r"hex:(sis_\w+):((?:[0-9a-fA-F]{2})+)\Z")
_FIELD = re.compile(r"(sis_\w+|lti_context_id|uuid):(.+)\Z", re.DOTALL)

_Row = TypeVar("_Row", Course, Group, User, Account, Term)
_COURSE = {"sis_course_id": "sis_course_id", "sis_integration_id": "integration_id"}
_GROUP = {"sis_group_id": "sis_group_id"}
_USER = {"sis_user_id": "sis_user_id", "sis_login_id": "login_id"}
_ACCOUNT = {"sis_account_id": "sis_account_id"}
_TERM = {"sis_term_id": "sis_term_id"}


def find_context(world: World, ids: Mapping[str, str], caller: User) -> Exportable | None:
    """Return the course, group or user of a path, by its ``course_id``, ``group_id`` or ``user_id``."""
    if "course_id" in ids:
        return find_course(world, ids["course_id"])
    if "group_id" in ids:
        return find_group(world, ids["group_id"])
    return find_user(world, ids["user_id"], caller)


def find_course(world: World, text: str) -> Course | None:
    """Return an existing course. SIS ids are found only within this host's root account."""
    course = _find(text, world.courses, _COURSE)
    if course is None:
        field, value = _field(text)
        if field in ("uuid", "lti_context_id"):
            course = next((row for row in world.courses.values() if row.uuid == value), None)
    elif not _NUMBER.match(text.strip()) and not in_root_account(world, course.account_id):
        return None
    return course if course is not None and course.exists else None


def find_group(world: World, text: str) -> Group | None:
    """Return a group."""
    group = _find(text, world.groups, _GROUP)
    gone = group is None or Fault.DELETED in group.active_faults or Fault.VANISHED in group.active_faults
    return None if gone else group


def find_user(world: World, text: str, caller: User) -> User | None:
    """Return a user; ``self`` is the caller, login ids ignore case."""
    return caller if text.strip() == "self" else _find(text, world.users, _USER)


def find_account(world: World, text: str) -> Account | None:
    """Return an account; ``self`` and ``default`` are the root account."""
    if text.strip() in ("self", "default"):
        return world.root_account
    return _find(text, world.accounts, _ACCOUNT)


def find_term(world: World, text: str) -> Term | None:
    """Return a term; ``default`` is the default term, ``current`` the only one whose dates include today."""
    if text == "default":
        return next((term for term in world.terms.values() if term.name == "Default Term"), None)
    if text == "current":
        today = (world.kernel.clock.now() - world.kernel.started) / DAY
        running = [
            term
            for term in world.terms.values()
            if not (term.starts is None and term.ends is None)
            and (term.starts is None or term.starts <= today)
            and (term.ends is None or today <= term.ends)
        ]
        return running[0] if len(running) == 1 else None
    return _find(text, world.terms, _TERM)


def in_root_account(world: World, account_id: int) -> bool:
    """Return whether an account belongs to this host's root account."""
    return world.root_account.id in ancestry(world, account_id)


def ancestry(world: World, account_id: int) -> list[int]:
    """Return an account's id and those of its parents."""
    chain: list[int] = []
    current: int | None = account_id
    while current is not None and current in world.accounts:
        chain.append(current)
        current = world.accounts[current].parent_id
    return chain


def _field(text: str) -> tuple[str, str]:
    """Return field and value of ``sis_x:value`` or its hex form; empty for any other text."""
    text = text.strip()
    if match := _HEX.match(text):
        return match[1], bytes.fromhex(match[2]).decode("utf-8", "replace")
    if match := _FIELD.match(text):
        return match[1], match[2].strip()
    return "", ""


def _find(text: str, rows: Mapping[int, _Row], fields: Mapping[str, str]) -> _Row | None:
    if _NUMBER.match(text.strip()):
        return rows.get(int(text))
    field, value = _field(text)
    attribute = fields.get(field)
    if attribute is None:
        return None
    candidates: Iterable[_Row] = rows.values()
    if attribute == "login_id":
        return next(
            (row for row in candidates if (getattr(row, attribute) or "").lower() == value.lower()), None
        )
    return next((row for row in candidates if getattr(row, attribute) == value), None)
