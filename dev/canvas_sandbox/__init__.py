"""A small, faithful Canvas LMS for tests and demos.

It answers real HTTP on two listeners, the Canvas host and a storage host. It behaves as Canvas does wherever a backup
of courses can notice: content exports and their jobs, content migrations, progress, downloads and uploads through
signed URLs, rate limits, pagination, permissions, SIS ids, and the ways in which each of them fails. It shares no code
with the client that it tests.

    from canvas_sandbox import Course, Fault, Sandbox

    with Sandbox(courses=[Course(id=101, faults=[Fault.INCOMPLETE])]) as canvas:
        requests.get(f"{canvas.url}/api/v1/courses/101", headers={"Authorization": f"Bearer {canvas.token}"})

Top to bottom:

* `sandbox` and `scenarios`: a running sandbox; ready-made universities.
* `web`: HTTP. `replay`: the events of a state folder, again. `changes`: what both may change.
* `world`: the state. `exports`, `imports`: content exports and content migrations.
* `timestamps`: when courses and their items were last changed.
* `packages`, `content`: the format of packages; what a course holds, and what each kind of edit of it shows.
* `kernel`: clock, jobs, ids. `campus`, `switches`, `faults`: what the caller of `Sandbox` describes.
"""

from canvas_sandbox.campus import Account, Course, DeveloperKey, Group, Term, User
from canvas_sandbox.faults import Effect, Fault, LimitedFault, RequestFault
from canvas_sandbox.imports.records import MigrationRecord
from canvas_sandbox.records import ExportRecord, RequestRecord
from canvas_sandbox.sandbox import Sandbox
from canvas_sandbox.switches import NewQuizzes, Storage, Switches

__all__ = [
    "Account",
    "Course",
    "DeveloperKey",
    "Effect",
    "ExportRecord",
    "Fault",
    "Group",
    "LimitedFault",
    "MigrationRecord",
    "NewQuizzes",
    "RequestFault",
    "RequestRecord",
    "Sandbox",
    "Storage",
    "Switches",
    "Term",
    "User",
]
