"""The state of one Canvas: the campus, access tokens, exports and migrations."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from functools import partial

from canvas_sandbox.campus import Account, Course, DeveloperKey, Exportable, Group, Term, User, default_users
from canvas_sandbox.exports.exports import Exports
from canvas_sandbox.faults import Fault
from canvas_sandbox.imports.holding.contents import Contents
from canvas_sandbox.imports.migrations import Migrations
from canvas_sandbox.kernel import Kernel
from canvas_sandbox.oauth import Grants, Token
from canvas_sandbox.switches import Switches

_ROLES = {1: "admin", 2: "teacher", 3: "student", 4: "outsider"}


class World:
    """The state of one Canvas. Hold ``kernel.lock`` and call ``kernel.run_due_jobs`` before any use."""

    def __init__(
        self,
        *,
        courses: Iterable[Course],
        groups: Iterable[Group] = (),
        users: Iterable[User] = (),
        accounts: Iterable[Account] = (),
        terms: Iterable[Term] = (),
        developer_keys: Iterable[DeveloperKey] = (),
        switches: Switches,
        time_scale: float = 1.0,
        seed: int = 1,
    ) -> None:
        self.kernel = Kernel(switches, time_scale=time_scale, seed=seed)
        self.courses = {course.id: course for course in courses}
        self.groups = {group.id: group for group in groups}
        self.users = {user.id: user for user in (*default_users(), *users)}
        self.accounts = {account.id: account for account in accounts} or {1: Account(1, "Sandbox University")}
        self.terms = {term.id: term for term in terms} or {1: Term(1, "Default Term")}
        self.contents = Contents(self.kernel)
        self.exports = Exports(self.kernel, self.contents, self.users)
        self.migrations = Migrations(self.kernel, self.contents, self.courses, self.exports)
        self.tokens: dict[str, Token] = {}
        self.token_of: dict[str, str] = {}
        self.grants = Grants(seed, self.tokens)
        self.grants.add_keys(developer_keys)
        for user in self.users.values():
            if user.id in _ROLES or user.token:
                self.issue_token(user)
        for context in self.contexts():
            context.active_faults.on_use = partial(self._log_used_fault, context.label)

    @property
    def root_account(self) -> Account:
        """Return the account of this host: the first one without a parent."""
        return next(account for account in self.accounts.values() if account.parent_id is None)

    def contexts(self) -> Iterator[Exportable]:
        """Iterate over everything that can be exported."""
        yield from self.courses.values()
        yield from self.groups.values()
        yield from self.users.values()

    def add_course(self, course: Course) -> None:
        """Add a course that the campus did not have at the start."""
        self.courses[course.id] = course
        self.contents.timestamps.touch_all(course, self.kernel.now)
        course.active_faults.on_use = partial(self._log_used_fault, course.label)

    def issue_token(self, user: User) -> str:
        """Make an access token for a user and return it. The first one is the token that the campus gave, if any."""
        role = _ROLES.get(user.id)
        count = sum(token.user is user for token in self.tokens.values())
        name = f"{self.kernel.seed}:{role or user.label}" + (f":{count}" if count else "")
        given = None if count else user.token
        value = given or "7~" + hashlib.sha256(name.encode()).hexdigest()
        self.tokens[value] = Token(value, user)
        self.token_of[role or f"user:{user.id}"] = value
        return value

    def _log_used_fault(self, label: str, fault: Fault) -> None:
        self.kernel.log_event("used", context=label, fault=fault.value)
