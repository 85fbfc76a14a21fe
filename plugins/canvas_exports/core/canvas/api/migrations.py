"""Define content migrations, which import a package into a course: the requests, and the objects that Canvas returns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from canvas_exports.core.canvas.api.models import WorkflowState
from canvas_exports.core.model.export_types import ExportType
from canvas_exports.errors import InputError

MEDIA_TYPE = "application/zip"


class MigrationType(str, Enum):
    """``migration_type``: the importers for the packages that content exports make."""

    CARTRIDGE = "canvas_cartridge_importer"
    QTI = "qti_converter"
    ZIP = "zip_file_importer"

    @classmethod
    def of(cls, export_type: ExportType) -> MigrationType:
        """Return the importer for a type of package."""
        return _IMPORTERS[export_type]


_IMPORTERS: Mapping[ExportType, MigrationType] = {
    ExportType.COMMON_CARTRIDGE: MigrationType.CARTRIDGE,
    ExportType.QTI: MigrationType.QTI,
    ExportType.ZIP: MigrationType.ZIP,
}


class MigrationState(WorkflowState):
    """``workflow_state`` of a content migration.

    ``PRE_PROCESSING`` waits for the file; ``QUEUED`` waits for another migration of the same course.
    """

    PRE_PROCESSING = "pre_processing"
    PRE_PROCESSED = "pre_processed"
    QUEUED = "queued"
    RUNNING = "running"
    WAITING_FOR_SELECT = "waiting_for_select"
    COMPLETED = "completed"
    FAILED = "failed"
    UNKNOWN = "unknown"

    @property
    def is_over(self) -> bool:
        """Return whether Canvas will do nothing more by itself."""
        return self in (MigrationState.COMPLETED, MigrationState.FAILED, MigrationState.WAITING_FOR_SELECT)


@dataclass(frozen=True)
class PackageFile:
    """The file that is going to be uploaded: its name, and its size in bytes."""

    name: str
    size: int

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Yield the form fields that ask Canvas for an upload ticket."""
        yield "pre_attachment[name]", self.name
        yield "pre_attachment[size]", str(self.size)
        yield "pre_attachment[content_type]", MEDIA_TYPE


@dataclass(frozen=True)
class MigrationRequest:
    """The parameters of one content migration, from a file that is uploaded or from a URL that Canvas downloads.

    Attributes:
        migration_type: the importer.
        file: the file that will be uploaded.
        file_url: the URL from which Canvas downloads it instead, without authentication: a secret, never shown.
        folder_id: the folder for the files of a ``zip_file_importer``.

    Raises:
        InputError: neither or both sources, or an importer of files without a folder.
    """

    migration_type: MigrationType
    file: PackageFile | None = None
    file_url: str | None = field(default=None, repr=False)
    folder_id: int | None = None

    def __post_init__(self) -> None:
        if (self.file is None) == (self.file_url is None):
            raise InputError("file", "a migration has one source", accepted="a file to upload, or a URL")
        if (self.migration_type is MigrationType.ZIP) != (self.folder_id is not None):
            raise InputError(
                "folder_id", "files, and only files, go into a folder", accepted="zip_file_importer"
            )

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Yield the form fields that Canvas expects."""
        yield "migration_type", self.migration_type.value
        if self.folder_id is not None:
            yield "settings[folder_id]", str(self.folder_id)
        if self.file_url is not None:
            yield "settings[file_url]", self.file_url
        if self.file is not None:
            yield from self.file.pairs()


@dataclass(frozen=True)
class UploadTicket:
    """The URL and the form fields of one upload, verbatim. A secret: it allows any holder to upload for half an hour."""

    url: str = field(repr=False)
    params: tuple[tuple[str, str], ...] = field(repr=False)
    file_param: str = "file"


@dataclass(frozen=True)
class ContentMigration:
    """The ContentMigration object.

    Attributes:
        has_file: Canvas has the uploaded file. Not shown for a migration older than 30 days.
        ticket: for the upload; only in the response to a creation or an update.
        refusal: the reason why Canvas will take no file, in its own words; it refuses with status 200 (a quota).
    """

    id: int
    workflow_state: MigrationState
    migration_type: str
    user_id: int | None = None
    created_at: datetime | None = None
    progress_id: int | None = None
    has_file: bool = False
    ticket: UploadTicket | None = None
    refusal: str | None = None


class IssueType(str, Enum):
    """``issue_type``: how serious an issue is. An unknown value counts as a warning."""

    TODO = "todo"
    WARNING = "warning"
    ERROR = "error"

    @classmethod
    def _missing_(cls, _value: object) -> IssueType:
        return cls.WARNING


@dataclass(frozen=True)
class MigrationIssue:
    """One issue that Canvas noted during an import, without its links and the text of its error report."""

    id: int
    issue_type: IssueType
    description: str
