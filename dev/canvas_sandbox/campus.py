"""The description of a university: accounts, terms, users, groups and courses."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from canvas_sandbox.faults import Fault, FaultCounter, LimitedFault

ADMIN_ID, TEACHER_ID, STUDENT_ID, OUTSIDER_ID = 1, 2, 3, 4


@dataclass
class Account:
    """An account. The root account has no parent."""

    id: int
    name: str
    parent_id: int | None = None
    sis_account_id: str | None = None


@dataclass
class Term:
    """An enrolment term. ``starts`` and ``ends`` are days from the sandbox's start; ``None`` leaves them open."""

    id: int
    name: str
    sis_term_id: str | None = None
    starts: float | None = None
    ends: float | None = None


@dataclass(frozen=True)
class DeveloperKey:
    """A developer key: a program that users may authorize.

    ``lifetime`` is the number of whole seconds that its access tokens last; with ``None`` they do not expire.
    """

    id: int
    secret: str = ""
    redirect_uri: str = "urn:ietf:wg:oauth:2.0:oob"
    lifetime: float | None = 3600.0

    def __post_init__(self) -> None:
        """Set the secret, unless it is given."""
        made = hashlib.sha256(f"developer key {self.id}".encode()).hexdigest()
        object.__setattr__(self, "secret", self.secret or made)


@dataclass
class Exportable:
    """Common base of courses, groups and users: files to export, and faults.

    ``size`` is the approximate size of a package in bytes (a package has a minimum); ``duration`` is the seconds an export
    takes, ``None`` for that of the switches; ``package`` is a file that is served instead of a generated package.
    """

    id: int
    name: str = ""
    size: int = 60_000
    duration: float | None = None
    faults: Sequence[Fault | LimitedFault] = ()
    package: Path | str | None = None
    revision: int = 0
    active_faults: FaultCounter = field(init=False, repr=False, compare=False)

    kind: ClassVar[str] = "course"

    def __post_init__(self) -> None:
        """Start counting the faults."""
        self.active_faults = FaultCounter(self.faults)
        self.name = self.name or f"{self.kind.capitalize()} {self.id}"

    @property
    def label(self) -> str:
        """Kind and id, such as ``course:101``."""
        return f"{self.kind}:{self.id}"

    @property
    def uuid(self) -> str:
        """Return Canvas's 40-character identifier, stable for the id."""
        return hashlib.sha1(self.label.encode(), usedforsecurity=False).hexdigest()


@dataclass
class User(Exportable):
    """A user. ``role`` is ``admin`` (of the root account) or ``user``; ``token`` is their access token, if they call the API.

    ``missing_rights`` are the permissions that the account role of an admin does not have: ``read_course_content``.
    """

    role: str = "user"
    missing_rights: Sequence[str] = ()
    token: str | None = None
    sis_user_id: str | None = None
    login_id: str | None = None

    kind: ClassVar[str] = "user"

    def may(self, right: str) -> bool:
        """Return whether the account role of the user has a permission."""
        return self.role == "admin" and right not in self.missing_rights


@dataclass
class Group(Exportable):
    """A group of a course or an account. ``members`` are user ids; by default the sandbox's student."""

    course_id: int | None = None
    account_id: int = 1
    members: Sequence[int] = (STUDENT_ID,)
    sis_group_id: str | None = None

    kind: ClassVar[str] = "group"


@dataclass
class Course(Exportable):
    """A course. ``teachers`` and ``students`` are user ids; by default the sandbox's teacher and student.

    ``state`` is what Canvas stores: ``created``, ``claimed``, ``available``, ``completed`` or ``deleted``. ``starts`` and
    ``ends`` are days from the sandbox's start. ``storage_quota_mb`` limits the size of files, in units of 1,048,576 bytes. A
    course with a ``subject`` has lessons on it, beside what every course has; see `canvas_sandbox.content.lessons`. ``files`` is
    their number, by default that of the size.
    """

    course_code: str = ""
    sis_course_id: str | None = None
    integration_id: str | None = None
    account_id: int = 1
    term_id: int = 1
    state: str = "available"
    teachers: Sequence[int] = (TEACHER_ID,)
    students: Sequence[int] = (STUDENT_ID,)
    starts: float | None = None
    ends: float | None = None
    public: bool = False
    blueprint: bool = False
    blueprint_associated: bool = False
    homeroom: bool = False
    storage_quota_mb: int = 500
    subject: str = ""
    files: int | None = None

    kind: ClassVar[str] = "course"

    def __post_init__(self) -> None:
        """Set the code from the name, and the state from the faults."""
        super().__post_init__()
        self.course_code = self.course_code or self.name
        if Fault.DELETED in self.active_faults:
            self.state = "deleted"

    @property
    def exists(self) -> bool:
        """Return whether the course can be found by its id."""
        return self.state != "deleted" and Fault.VANISHED not in self.active_faults

    @property
    def api_state(self) -> str:
        """Return ``workflow_state`` as the API shows it."""
        return {"created": "unpublished", "claimed": "unpublished"}.get(self.state, self.state)


def default_users() -> list[User]:
    """Return the four users of every sandbox: admin, teacher, student and outsider."""
    return [
        User(id=ADMIN_ID, name="Ada Admin", role="admin", login_id="ada", sis_user_id="U-1"),
        User(id=TEACHER_ID, name="Theo Teacher", login_id="theo", sis_user_id="U-2"),
        User(id=STUDENT_ID, name="Sam Student", login_id="sam", sis_user_id="U-3"),
        User(id=OUTSIDER_ID, name="Otto Outsider", login_id="otto", sis_user_id="U-4"),
    ]
