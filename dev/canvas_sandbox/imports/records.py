"""The rows of migrations, their issues and uploads; the records that tests read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from canvas_sandbox.campus import Exportable
from canvas_sandbox.content.selection import Selection
from canvas_sandbox.faults import Fault
from canvas_sandbox.imports.upload_store import StoredUpload
from canvas_sandbox.packages.virtual_file import VirtualFile
from canvas_sandbox.records import Progress

_API_STATES = {
    "created": "pre_processing",
    "pre_process_error": "failed",
    "exporting": "running",
    "importing": "running",
    "imported": "completed",
}


@dataclass
class Issue:
    """An issue of a migration. ``issue_type`` is ``todo``, ``warning`` or ``error``."""

    id: int
    description: str
    issue_type: str
    created_at: float
    updated_at: float
    workflow_state: str = "active"


@dataclass
class Upload:
    """An uploaded file. ``state`` is ``pending``, ``received`` (the storage has it) or ``success``.

    ``issued_at`` is when its policy was signed; ``declared`` is the size that the client named, if any.
    """

    id: int
    uuid: str
    name: str
    content_type: str
    declared: int
    migration_id: int
    issued_at: float
    state: str = "pending"
    stored: StoredUpload | None = None


@dataclass
class Migration:
    """A content migration, in Canvas's internal states.

    ``faults`` are those of its course that affect this import; ``package`` opens the package once it is known; ``copy`` is
    the selection. ``imports`` counts how often content was written into the course.
    """

    id: int
    context: Exportable
    migration_type: str
    user_id: int
    created_at: float
    settings: dict[str, Any]
    source: str
    progress: Progress
    immediate: bool = True
    copy: Selection | None = None
    faults: frozenset[Fault] = frozenset()
    workflow_state: str = "created"
    started_at: float | None = None
    finished_at: float | None = None
    upload: Upload | None = None
    stored: StoredUpload | None = None
    package: Callable[[], VirtualFile] | None = None
    issues: list[Issue] = field(default_factory=list)
    imports: int = 0

    @property
    def api_state(self) -> str:
        """Return ``workflow_state`` as the API shows it."""
        if self.workflow_state == "exported":
            return "running" if self.immediate else "waiting_for_select"
        return _API_STATES.get(self.workflow_state, self.workflow_state)

    @property
    def waiting_since(self) -> float:
        """When the migration began to wait for a file."""
        return self.created_at if self.upload is None else self.upload.issued_at

    @property
    def is_active(self) -> bool:
        """Return whether a worker has it, which blocks other migrations of the course."""
        return self.workflow_state in ("exporting", "importing")


@dataclass(frozen=True)
class MigrationRecord:
    """A migration for tests: ``state`` as the API shows it, times in seconds since the epoch.

    ``source`` is ``upload``, ``file_url``, ``content_export`` or ``course_copy``; ``size`` and ``sha256`` are those of
    uploaded or downloaded bytes. ``imports`` counts how often content was written into the course.
    """

    id: int
    context: str
    migration_type: str
    state: str
    source: str
    created_at: float
    user: int
    progress: int
    started_at: float | None = None
    finished_at: float | None = None
    upload: int | None = None
    size: int | None = None
    sha256: str | None = None
    imports: int = 0
    issues: list[str] = field(default_factory=list)
