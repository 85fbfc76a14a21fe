"""Everything the server knows: the campus, who may call, and what has been exported."""

from __future__ import annotations

import hashlib
import itertools
import random
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from canvas_sandbox.campus import Account, Course, DeveloperKey, Exportable, Group, Term, User, default_users
from canvas_sandbox.changes.campus import CHANGES
from canvas_sandbox.clock import Clock
from canvas_sandbox.content.generate import Source, generate, source_of
from canvas_sandbox.content.model import Content
from canvas_sandbox.exports.build import file_name
from canvas_sandbox.exports.export_job import Life
from canvas_sandbox.exports.packing import Packing
from canvas_sandbox.faults import JOB_FAULTS, PACKAGE_FAULTS, Fault
from canvas_sandbox.imports.migrations import Migrations
from canvas_sandbox.job_queue import Job, JobQueue
from canvas_sandbox.oauth import Grants, Token
from canvas_sandbox.records import Attachment, Export, ExportRequest, Progress
from canvas_sandbox.switches import NewQuizzes, Switches

DAY = 86_400.0
_MEDIA_TYPES = {
    "qti": "application/zip",
    "zip": "application/zip",
}
_ROLES = {1: "admin", 2: "teacher", 3: "student", 4: "outsider"}


def forget(_kind: str, **_fields: object) -> None:
    """What a world without a state does with what it is told."""


class World:
    """The state behind both listeners. Whoever touches it holds ``lock`` and has called `settle`."""

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
        self.switches = switches
        self.seed = seed
        self.clock = Clock(manual=switches.manual_clock, ahead=switches.clock_ahead)
        self.started = self.now = self.clock.now()
        self.remember: Callable[..., None] = forget
        """Told, under the lock, whatever comes from outside; see `canvas_sandbox.replay`."""
        self.lock = threading.RLock()
        self.canvas_url = self.files_url = self.storage_url = ""
        self.courses = {course.id: course for course in courses}
        self.groups = {group.id: group for group in groups}
        self.users = {user.id: user for user in (*default_users(), *users)}
        self.accounts = {account.id: account for account in accounts} or {1: Account(1, "Sandbox University")}
        self.terms = {term.id: term for term in terms} or {1: Term(1, "Default Term")}
        self.exports: dict[int, Export] = {}
        self.progresses: dict[int, Progress] = {}
        self.attachments: dict[int, Attachment] = {}
        self.error_reports = itertools.count(7001)
        self.time_scale = time_scale
        self._jobs = JobQueue(switches.job_workers)
        self._export_ids, self._progress_ids, self._file_ids = (
            itertools.count(n) for n in (501, 9001, 70_001)
        )
        self.migrations = Migrations(self)
        self.tokens: dict[str, Token] = {}
        self.token_of: dict[str, str] = {}
        self.grants = Grants(seed, self.tokens)
        self.grants.add_keys(developer_keys)
        for user in self.users.values():
            if user.id in _ROLES or user.token:
                self.issue_token(user)
        for context in self.contexts():
            context.trouble.on_use = partial(self._used, context.label)

    @property
    def root_account(self) -> Account:
        """The account whose host this is: the first one without a parent."""
        return next(account for account in self.accounts.values() if account.parent_id is None)

    def contexts(self) -> Iterator[Exportable]:
        """All that can be exported."""
        yield from self.courses.values()
        yield from self.groups.values()
        yield from self.users.values()

    def issue_token(self, user: User) -> str:
        """Another token for a user, who is known by it from now on; the first is the one the campus gave."""
        role = _ROLES.get(user.id)
        count = sum(token.user is user for token in self.tokens.values())
        name = f"{self.seed}:{role or user.label}" + (f":{count}" if count else "")
        given = None if count else user.token
        value = given or "7~" + hashlib.sha256(name.encode()).hexdigest()
        self.tokens[value] = Token(value, user)
        self.token_of[role or f"user:{user.id}"] = value
        return value

    def begin_again(self, started: float) -> None:
        """Go on as the world that was started at this moment; before anything else has happened."""
        self.clock.resume(started)
        self.started = started

    def settle(self, moment: float | None = None) -> float:
        """Let everything happen that is due at a moment, by default now; that moment."""
        self.now = self.clock.now() if moment is None else moment
        self._jobs.run_until(self.now)
        return self.now

    def advance(self, seconds: float) -> None:
        """Jump forward in time; everything due in between happens, in order."""
        self.clock.advance(seconds)
        self.remember("advanced", seconds=seconds)
        self.settle()

    def change(self, what: str, *arguments: Any) -> Any:
        """Make one of `CHANGES` at the moment last settled; what it returns."""
        result = CHANGES[what](self, *arguments)
        self.remember("changed", at=self.now, what=what, arguments=arguments)
        return result

    def content(self, owner: Exportable) -> Content:
        """Everything a course, group or person holds."""
        return self.migrations.holding(owner).furnish(generate(self.source(owner)))

    def source(self, owner: Exportable) -> Source:
        """What decides the content that a course, group or person has of its own."""
        return source_of(owner, self.seed, new_quizzes=self.switches.new_quizzes is not NewQuizzes.NONE)

    def _used(self, label: str, fault: Fault) -> None:
        self.remember("used", context=label, fault=fault.value)

    def submit(self, job: Job, moment: float) -> None:
        """Queue a background job, not to start before a moment."""
        self._jobs.submit(job, moment)

    def add_progress(
        self, context_id: int, user_id: int, now: float, context_type: str, tag: str
    ) -> Progress:
        """The row in which a job says how far it is."""
        progress = Progress(next(self._progress_ids), context_id, user_id, now, now)
        progress.context_type, progress.tag = context_type, tag
        self.progresses[progress.id] = progress
        return progress

    def next_file_id(self) -> int:
        """An id for another file."""
        return next(self._file_ids)

    def add_course(self, course: Course) -> None:
        """A course that was not there in the beginning."""
        self.courses[course.id] = course
        course.trouble.on_use = partial(self._used, course.label)

    def create_export(self, request: ExportRequest) -> Export:
        """A new export and its job: every call makes another one."""
        faults = request.context.trouble.take_all(JOB_FAULTS | PACKAGE_FAULTS)
        now = self.clock.now()
        self.remember(
            "export",
            at=now,
            context=request.context.label,
            user=request.user.id,
            faults=sorted(fault.value for fault in faults),
            export_type=request.export_type,
            selection=request.selection.written(),
            version=request.version,
            notify=request.notify,
        )
        return self.begin_export(request, now, faults)

    def begin_export(self, request: ExportRequest, now: float, faults: frozenset[Fault]) -> Export:
        """The rows and the job of an export, struck by these faults."""
        export = Export(
            id=next(self._export_ids),
            context=request.context,
            export_type=request.export_type,
            user_id=request.user.id,
            created_at=now,
            selection=request.selection,
            version=request.version,
            notify=request.notify and request.export_type != "zip",
            faults=faults,
        )
        progress = self.add_progress(export.id, export.user_id, now, "ContentExport", "content_export")
        export.progress = progress
        self.exports[export.id] = export
        # Migrating a quiz needs a feature this Canvas has switched off: such an export stays created.
        if Fault.STUCK_CREATED not in export.faults and export.export_type != "quizzes2":
            life = Life(
                export,
                progress,
                self._duration(export),
                lambda moment: self._attach(export, moment),
                self.switches.stuck_holds_worker,
            )
            self._jobs.submit(life.run, now + self.switches.job_delay * self.time_scale)
        return export

    def share(self, request: ExportRequest) -> Export:
        """An export that is there at once, without a job."""
        export = Export(
            id=next(self._export_ids),
            context=request.context,
            export_type=request.export_type,
            user_id=request.user.id,
            created_at=self.now,
            workflow_state="exported",
            selection=request.selection,
            finished_at=self.now,
        )
        export.attachment = self._attach(export, self.now)
        self.exports[export.id] = export
        return export

    def packing(self, export: Export, moment: float) -> Packing:
        """What the package of an export is made from, as its context is now."""
        context = export.context
        return Packing(
            export=export,
            source=self.source(context),
            name=context.name,
            moment=moment,
            canvas_domain=self.canvas_url.partition("//")[2],
            for_student=self._is_student(export),
            holding=self.migrations.holding(context),
            switches=self.switches,
            real_package=None if context.package is None else Path(context.package),
        )

    def is_expired(self, export: Export) -> bool:
        """Whether the export is too old to show its package."""
        days = self.switches.expire_days
        return days > 0 and self.clock.now() > export.created_at + days * DAY

    def is_collected(self, export: Export) -> bool:
        """Whether the nightly collector, at 01:37, has deleted the bytes of an expired export."""
        days = self.switches.expire_days
        if days <= 0:
            return False
        expiry = export.created_at + days * DAY
        night = (1 * 60 + 37) * 60.0
        return self.clock.now() > expiry + (night - expiry) % DAY

    def _duration(self, export: Export) -> float:
        seconds = export.context.duration
        if seconds is None:
            seconds, sigma = self.switches.duration, self.switches.duration_sigma
            if sigma > 0:
                seconds *= random.Random(f"{self.seed}:{export.context.label}").lognormvariate(0.0, sigma)
        return seconds * self.time_scale

    def _attach(self, export: Export, moment: float) -> Attachment | None:
        packing = self.packing(export, moment)
        order = packing.order()
        if order is None:
            return None
        file_id = next(self._file_ids)
        attachment = Attachment(
            id=file_id,
            uuid=hashlib.sha256(f"{self.seed}:file:{file_id}".encode()).hexdigest()[:40],
            name=file_name(export.export_type, order),
            content_type=_MEDIA_TYPES.get(export.export_type, "application/octet-stream"),
            size=packing.render().size,
            created_at=moment,
            export=export,
            build=packing.render,
        )
        self.attachments[file_id] = attachment
        return attachment

    def _is_student(self, export: Export) -> bool:
        """Whether the exporting user gets only what students may have."""
        context, user = export.context, self.users[export.user_id]
        return isinstance(context, Course) and user.role != "admin" and user.id not in context.teachers
