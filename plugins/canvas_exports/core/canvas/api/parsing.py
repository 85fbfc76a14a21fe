"""Read Canvas's JSON into typed values.

Ids may come as numbers or as strings, unknown fields are kept or ignored, unknown states read as ``UNKNOWN``. A missing field
that later steps need raises ``UnexpectedResponseError``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

from canvas_exports.core.canvas.api.migrations import (
    ContentMigration,
    IssueType,
    MigrationIssue,
    MigrationState,
    UploadTicket,
)
from canvas_exports.core.canvas.api.models import (
    Attachment,
    ContentExport,
    ContentListItem,
    Course,
    ExportState,
    Progress,
    ProgressState,
    User,
    last_number,
)
from canvas_exports.core.canvas.http.bounded_values import (
    bounded_float,
    bounded_int,
    bounded_text,
    cut_text,
    iso_text,
    parse_iso_time,
)
from canvas_exports.core.canvas.http.transports.response_body import LARGEST
from canvas_exports.errors import UnexpectedResponseError

T = TypeVar("T")

_EXPORT_FIELDS = frozenset(
    {
        "id",
        "user_id",
        "created_at",
        "workflow_state",
        "export_type",
        "course_id",
        "attachment",
        "progress_url",
    }
)
_id = partial(bounded_int, least=1)
_percent = partial(bounded_float, least=0.0, most=100.0)
_word = partial(bounded_text, most=255)  # states and types, SIS ids: a shorter one would be another


def read_export(document: Any) -> ContentExport:
    """Read a ContentExport."""
    row = _object(document, "content export")
    attachment = row.get("attachment")
    return ContentExport(
        id=_required(row, "id", _id),
        created_at=_required(row, "created_at", parse_iso_time),
        export_type=_required(row, "export_type", _word),
        workflow_state=ExportState(_required(row, "workflow_state", _word)),
        user_id=_id(row.get("user_id")),
        attachment=None if attachment is None else _read_attachment(attachment),
        progress_url=bounded_text(row.get("progress_url")),
        course_id=_id(row.get("course_id")),
        extra={
            cut_text(key) or "": bounded_text(value) if isinstance(value, str) else value
            for key, value in row.items()
            if key not in _EXPORT_FIELDS and not isinstance(value, Mapping | list)
        },
    )


def read_progress(document: Any) -> Progress:
    """Read a Progress."""
    row = _object(document, "progress")
    return Progress(
        id=_required(row, "id", _id),
        workflow_state=ProgressState(_required(row, "workflow_state", _word)),
        completion=_percent(row.get("completion")),
        updated_at=parse_iso_time(row.get("updated_at")),
    )


def read_course(document: Any) -> Course:
    """Read a Course; a row that Canvas reduced to its id is one too."""
    row = _object(document, "course")
    term = row.get("term")
    term = term if isinstance(term, Mapping) else {}
    return Course(
        id=_required(row, "id", _id),
        # ``name`` is the nickname this user gave the course, if there is one.
        name=cut_text(row.get("original_name")) or cut_text(row.get("name")),
        course_code=cut_text(row.get("course_code")),
        workflow_state=_word(row.get("workflow_state")),
        account_id=_id(row.get("account_id")),
        root_account_id=_id(row.get("root_account_id")),
        enrollment_term_id=_id(row.get("enrollment_term_id")),
        term_name=cut_text(term.get("name")),
        sis_term_id=_word(term.get("sis_term_id")),
        sis_course_id=_word(row.get("sis_course_id")),
        uuid=_word(row.get("uuid")),
        updated_at=iso_text(row.get("updated_at")),
    )


def read_id(document: Any) -> int:
    """Read the id of any object."""
    return _required(_object(document, "object"), "id", _id)


def read_user(document: Any) -> User:
    """Read a User object."""
    row = _object(document, "user")
    return User(id=_required(row, "id", _id), name=cut_text(row.get("name")))


def read_permissions(document: Any, names: Iterable[str]) -> dict[str, bool]:
    """Read which permissions a user has. The documentation shows the values as texts; a permission without a value is absent."""
    row = _object(document, "list of permissions")
    values = {True: True, False: False, "true": True, "false": False}
    return {
        name: values[row[name]]
        for name in names
        if isinstance(row.get(name), bool | str) and row[name] in values
    }


def read_list_item(document: Any) -> ContentListItem:
    """One row of a course's ``content_list``."""
    row = _object(document, "content list item")
    asset = row.get("id")
    return ContentListItem(
        type=_required(row, "type", _word),
        title=cut_text(row.get("title")),
        property=_word(row.get("property")),
        id=_word(asset) if isinstance(asset, str) else _digits(asset),
        count=bounded_int(row.get("count")),
    )


def read_syllabus(document: Any) -> str:
    """Read the syllabus of a course shown with ``include[]=syllabus_body``; empty where it has none."""
    return bounded_text(_object(document, "course").get("syllabus_body"), most=LARGEST) or ""


def read_migration(document: Any) -> ContentMigration:
    """Read a ContentMigration object."""
    row = _object(document, "content migration")
    upload = row.get("pre_attachment")
    upload = upload if isinstance(upload, Mapping) else {}
    return ContentMigration(
        id=_required(row, "id", _id),
        workflow_state=MigrationState(_required(row, "workflow_state", _word)),
        migration_type=_word(row.get("migration_type")) or "",
        user_id=_id(row.get("user_id")),
        created_at=parse_iso_time(row.get("created_at")),
        progress_id=last_number(bounded_text(row.get("progress_url"))),
        has_file=isinstance(row.get("attachment"), Mapping),
        ticket=_read_ticket(upload),
        refusal=(cut_text(upload.get("message")) or "no reason given") if upload.get("error") else None,
    )


def read_issue(document: Any) -> MigrationIssue:
    """Read a MigrationIssue."""
    row = _object(document, "migration issue")
    return MigrationIssue(
        id=_required(row, "id", _id),
        issue_type=IssueType(_word(row.get("issue_type"))),
        description=cut_text(row.get("description"), most=16 * 1024) or "",
    )


def _read_ticket(upload: Mapping[str, Any]) -> UploadTicket | None:
    url, params = bounded_text(upload.get("upload_url")), upload.get("upload_params")
    if not url:
        return None
    pairs = params.items() if isinstance(params, Mapping) else ()
    return UploadTicket(
        url,
        tuple((bounded_text(key) or "", _param(value)) for key, value in pairs),
        _word(upload.get("file_param")) or "file",
    )


def _param(value: Any) -> str:
    """Return the value of a form field, verbatim."""
    if value is None:
        return ""
    found = bounded_text(value) if isinstance(value, str) else _digits(value)
    if found is None and isinstance(value, bool):
        found = str(value)
    if found is None:
        raise UnexpectedResponseError("Canvas names a form field for the upload that is not text")
    return found


def _digits(value: Any) -> str | None:
    number = bounded_int(value)
    return None if number is None else str(number)


def _read_attachment(document: Any) -> Attachment:
    row = _object(document, "attachment")
    return Attachment(
        id=_required(row, "id", _id),
        filename=cut_text(row.get("filename")) or cut_text(row.get("display_name")) or "",
        size=_required(row, "size", bounded_int),
        url=bounded_text(row.get("url")) or "",
        content_type=_word(row.get("content-type")),
    )


def _object(document: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(document, Mapping):
        raise UnexpectedResponseError(f"Canvas answered something else than a {what}")
    return document


def _required(row: Mapping[str, Any], name: str, read: Callable[[Any], T | None]) -> T:
    value = read(row.get(name))
    if value is None:
        raise UnexpectedResponseError(f"the field {name} is missing or unreadable in Canvas's response")
    return value
