"""What a university has: accounts, terms, people, groups and courses. Plain data, given to `Sandbox`."""

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
    """An account; the root account has no parent."""

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
    """A developer key: a program that users may allow to act for them.

    ``lifetime`` is the seconds that its access tokens last, whole seconds being what Canvas says; ``None`` lets them last.
    """

    id: int
    secret: str = ""
    redirect_uri: str = "urn:ietf:wg:oauth:2.0:oob"
    lifetime: float | None = 3600.0

    def __post_init__(self) -> None:
        """Give it a secret."""
        made = hashlib.sha256(f"developer key {self.id}".encode()).hexdigest()
        object.__setattr__(self, "secret", self.secret or made)


@dataclass
class Exportable:
    """What courses, groups and users share: files to export and faults.

    ``size`` is the size of a package in bytes, met approximately (a package has a minimum); ``duration`` the seconds an export
    takes, ``None`` leaving it to the switches. ``package`` is a file handed out instead of a generated package.
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
        """Kind and id, as in ``course:101``."""
        return f"{self.kind}:{self.id}"

    @property
    def uuid(self) -> str:
        """Canvas's 40-character identifier, stable for the id."""
        return hashlib.sha1(self.label.encode(), usedforsecurity=False).hexdigest()


@dataclass
class User(Exportable):
    """A person. ``role`` is ``admin`` (of the root account) or ``user``; ``token`` is given to those who call the API."""

    role: str = "user"
    token: str | None = None
    sis_user_id: str | None = None
    login_id: str | None = None

    kind: ClassVar[str] = "user"


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
    ``ends`` are days from the sandbox's start. ``storage_quota_mb`` is the room for files, in units of 1,048,576 bytes.
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

    kind: ClassVar[str] = "course"

    def __post_init__(self) -> None:
        """Fill in the code from the name, and the state from the faults."""
        super().__post_init__()
        self.course_code = self.course_code or self.name
        if Fault.DELETED in self.active_faults:
            self.state = "deleted"

    @property
    def exists(self) -> bool:
        """Whether paths to the course lead anywhere."""
        return self.state != "deleted" and Fault.VANISHED not in self.active_faults

    @property
    def api_state(self) -> str:
        """``workflow_state`` as the API says it."""
        return {"created": "unpublished", "claimed": "unpublished"}.get(self.state, self.state)


def default_users() -> list[User]:
    """The four people every sandbox has, each with a token named after the role."""
    return [
        User(id=ADMIN_ID, name="Ada Admin", role="admin", login_id="ada", sis_user_id="U-1"),
        User(id=TEACHER_ID, name="Theo Teacher", login_id="theo", sis_user_id="U-2"),
        User(id=STUDENT_ID, name="Sam Student", login_id="sam", sis_user_id="U-3"),
        User(id=OUTSIDER_ID, name="Otto Outsider", login_id="otto", sis_user_id="U-4"),
    ]
