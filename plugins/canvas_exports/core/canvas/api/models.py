"""Define the objects that Canvas returns as typed values. Unknown fields and states are tolerated everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from canvas_exports.core.canvas.http.bounded_values import bounded_int


class WorkflowState(str, Enum):
    """A ``workflow_state``. An unknown value reads as ``UNKNOWN``: keep waiting."""

    @classmethod
    def _missing_(cls, _value: object) -> WorkflowState:
        return cls("unknown")


class ExportState(WorkflowState):
    """``workflow_state`` of a content export."""

    CREATED = "created"
    WAITING_FOR_EXTERNAL_TOOL = "waiting_for_external_tool"
    EXPORTING = "exporting"
    EXPORTED = "exported"
    EXPORTED_FOR_COURSE_COPY = "exported_for_course_copy"
    FAILED = "failed"
    DELETED = "deleted"
    UNKNOWN = "unknown"


class ProgressState(WorkflowState):
    """``workflow_state`` of a Progress."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING_FOR_EXTERNAL_TOOL = "waiting_for_external_tool"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"
    UNKNOWN = "unknown"


def last_number(url: str | None) -> int | None:
    """Return the id at the end of a URL."""
    return bounded_int((url or "").partition("?")[0].rstrip("/").rpartition("/")[2], least=1)


@dataclass(frozen=True)
class Attachment:
    """The package as Canvas describes it. ``url`` is a secret: it may carry a credential, so it never shows in ``repr``."""

    id: int
    filename: str
    size: int
    url: str = field(repr=False)
    content_type: str | None = None


@dataclass(frozen=True)
class ContentExport:
    """The ContentExport object.

    ``attachment`` is absent before completion, after expiry (30 days by default), and sometimes on an ``exported``
    export whose package Canvas failed to save. ``extra`` keeps undocumented fields that hold a single value.
    """

    id: int
    created_at: datetime
    export_type: str
    workflow_state: ExportState
    user_id: int | None = None
    attachment: Attachment | None = None
    progress_url: str | None = None
    course_id: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def is_ready(self) -> bool:
        """Return whether it is exported *and* has a package: either alone is not enough."""
        return (
            self.workflow_state is ExportState.EXPORTED
            and self.attachment is not None
            and bool(self.attachment.url)
        )

    @property
    def has_failed(self) -> bool:
        """Return whether it failed or was deleted: it will never have a package."""
        return self.workflow_state in (ExportState.FAILED, ExportState.DELETED)

    @property
    def progress_id(self) -> int | None:
        """Return the id at the end of ``progress_url``."""
        return last_number(self.progress_url)


@dataclass(frozen=True)
class Progress:
    """A Progress. ``completion`` runs from 0.0 to 100.0, may go backwards, may be ``None`` before the job starts."""

    id: int
    workflow_state: ProgressState
    completion: float | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True)
class Course:
    """A course. SIS fields are absent when the token has no SIS permission.

    ``workflow_state`` is ``unpublished``, ``available``, ``completed`` or ``deleted``. ``updated_at`` is the text that Canvas
    wrote, where it returns one.
    """

    id: int
    name: str | None = None
    course_code: str | None = None
    workflow_state: str | None = None
    account_id: int | None = None
    root_account_id: int | None = None
    enrollment_term_id: int | None = None
    term_name: str | None = None
    sis_term_id: str | None = None
    sis_course_id: str | None = None
    uuid: str | None = None
    updated_at: str | None = None


@dataclass(frozen=True)
class User:
    """The token's user. The name is shown in the test of a connection, never in logs or manifests."""

    id: int
    name: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class ContentListItem:
    """One row of a course's ``content_list``: a type that can be selected, or one item of it."""

    type: str
    title: str | None = None
    property: str | None = None
    id: str | None = None
    count: int | None = None
