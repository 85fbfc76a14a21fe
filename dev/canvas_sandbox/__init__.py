"""A small, faithful Canvas LMS to try everything against.

It speaks real HTTP on two listeners, the Canvas host and a storage host, and behaves as Canvas does where a backup of
courses can notice: content exports and their jobs, content migrations that bring packages back, progress, downloads and
uploads through signed URLs, rate limits, pagination, permissions, SIS ids, and the many ways in which each can fail. It shares no code with the client that it is there to test.

    from canvas_sandbox import Course, Fault, Sandbox

    with Sandbox(courses=[Course(id=101, faults=[Fault.INCOMPLETE])]) as canvas:
        requests.get(f"{canvas.url}/api/v1/courses/101", headers={"Authorization": f"Bearer {canvas.token}"})

Rooms: `campus` and `scenarios` say what the university has, `switches` and `faults` how its Canvas behaves, `world` holds
the state, `jobs` and `lifecycle` run exports, `content` and `packages` make what they export, `imports` reads it again, `web` is the HTTP surface.
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
