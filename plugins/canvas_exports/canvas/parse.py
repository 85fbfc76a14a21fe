"""Canvas's JSON as typed values.

Ids may come as numbers or as strings, unknown fields are kept or passed over, unknown states read as ``UNKNOWN``.
What a later step cannot do without must be there: its absence is an ``UnexpectedAnswerError``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any, TypeVar

from canvas_exports.canvas.migrations import (
    ContentMigration,
    IssueType,
    MigrationIssue,
    MigrationState,
    UploadTicket,
)
from canvas_exports.canvas.models import (
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
from canvas_exports.errors import UnexpectedAnswerError

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
_TIME = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:?\d\d)?")


def read_list(document: Any, read: Callable[[Any], T]) -> list[T]:
    """Every row of a JSON array."""
    if not isinstance(document, list):
        raise UnexpectedAnswerError("Canvas answered something else than a list")
    return [read(row) for row in document]


def read_export(document: Any) -> ContentExport:
    """A ContentExport object."""
    row = _object(document, "content export")
    attachment = row.get("attachment")
    return ContentExport(
        id=_required(row, "id", _integer),
        created_at=_required(row, "created_at", _time),
        export_type=_required(row, "export_type", _text),
        workflow_state=ExportState(_required(row, "workflow_state", _text)),
        user_id=_integer(row.get("user_id")),
        attachment=None if attachment is None else _read_attachment(attachment),
        progress_url=_text(row.get("progress_url")),
        course_id=_integer(row.get("course_id")),
        extra={name: value for name, value in row.items() if name not in _EXPORT_FIELDS},
    )


def read_progress(document: Any) -> Progress:
    """A Progress object."""
    row = _object(document, "progress")
    return Progress(
        id=_required(row, "id", _integer),
        workflow_state=ProgressState(_required(row, "workflow_state", _text)),
        completion=_number(row.get("completion")),
        updated_at=_time(row.get("updated_at")),
    )


def read_progress_nodes(document: Any) -> dict[int, Progress]:
    """The Progress nodes of a GraphQL answer, by id. One that is null, or not whole, is left out."""
    nodes = _object(document, "GraphQL answer").get("data")
    if not isinstance(nodes, Mapping):
        raise UnexpectedAnswerError("Canvas refuses the GraphQL query")
    found: dict[int, Progress] = {}
    for node in nodes.values():
        row = node if isinstance(node, Mapping) else {}
        number, state = _integer(row.get("_id")), _text(row.get("state"))
        if number is not None and state is not None:
            found[number] = Progress(number, ProgressState(state), _number(row.get("completion")))
    return found


def read_course(document: Any) -> Course:
    """A Course object; a row that Canvas cut down to its id is one too."""
    row = _object(document, "course")
    term = row.get("term")
    term = term if isinstance(term, Mapping) else {}
    return Course(
        id=_required(row, "id", _integer),
        # ``name`` is the nickname this user gave the course, if there is one.
        name=_text(row.get("original_name")) or _text(row.get("name")),
        course_code=_text(row.get("course_code")),
        workflow_state=_text(row.get("workflow_state")),
        account_id=_integer(row.get("account_id")),
        root_account_id=_integer(row.get("root_account_id")),
        enrollment_term_id=_integer(row.get("enrollment_term_id")),
        term_name=_text(term.get("name")),
        sis_term_id=_text(term.get("sis_term_id")),
        sis_course_id=_text(row.get("sis_course_id")),
        uuid=_text(row.get("uuid")),
    )


def read_id(document: Any) -> int:
    """The id of any object."""
    return _required(_object(document, "object"), "id", _integer)


def read_user(document: Any) -> User:
    """A User object."""
    row = _object(document, "user")
    return User(id=_required(row, "id", _integer), name=_text(row.get("name")))


def read_list_item(document: Any) -> ContentListItem:
    """One row of a course's ``content_list``."""
    row = _object(document, "content list item")
    asset = row.get("id")
    return ContentListItem(
        type=_required(row, "type", _text),
        title=_text(row.get("title")),
        property=_text(row.get("property")),
        id=None if asset is None else str(asset),
        count=_integer(row.get("count")),
    )


def read_syllabus(document: Any) -> str:
    """The syllabus of a course shown with ``include[]=syllabus_body``; empty where it has none."""
    return _text(_object(document, "course").get("syllabus_body")) or ""


def read_migration(document: Any) -> ContentMigration:
    """A ContentMigration object."""
    row = _object(document, "content migration")
    upload = row.get("pre_attachment")
    upload = upload if isinstance(upload, Mapping) else {}
    return ContentMigration(
        id=_required(row, "id", _integer),
        workflow_state=MigrationState(_required(row, "workflow_state", _text)),
        migration_type=_text(row.get("migration_type")) or "",
        user_id=_integer(row.get("user_id")),
        created_at=_time(row.get("created_at")),
        progress_id=last_number(_text(row.get("progress_url"))),
        has_file=isinstance(row.get("attachment"), Mapping),
        ticket=_read_ticket(upload),
        refusal=(_text(upload.get("message")) or "no reason given") if upload.get("error") else None,
    )


def read_issue(document: Any) -> MigrationIssue:
    """A MigrationIssue object."""
    row = _object(document, "migration issue")
    return MigrationIssue(
        id=_required(row, "id", _integer),
        issue_type=IssueType(_text(row.get("issue_type"))),
        description=_text(row.get("description")) or "",
    )


def _read_ticket(upload: Mapping[str, Any]) -> UploadTicket | None:
    url, params = _text(upload.get("upload_url")), upload.get("upload_params")
    if not url:
        return None
    pairs = params.items() if isinstance(params, Mapping) else ()
    return UploadTicket(
        url,
        tuple((str(name), "" if value is None else str(value)) for name, value in pairs),
        _text(upload.get("file_param")) or "file",
    )


def _read_attachment(document: Any) -> Attachment:
    row = _object(document, "attachment")
    return Attachment(
        id=_required(row, "id", _integer),
        filename=_text(row.get("filename")) or _text(row.get("display_name")) or "",
        size=_required(row, "size", _integer),
        url=_text(row.get("url")) or "",
        content_type=_text(row.get("content-type")),
    )


def _object(document: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(document, Mapping):
        raise UnexpectedAnswerError(f"Canvas answered something else than a {what}")
    return document


def _required(row: Mapping[str, Any], name: str, read: Callable[[Any], T | None]) -> T:
    value = read(row.get(name))
    if value is None:
        raise UnexpectedAnswerError(f"the field {name} is missing or unreadable in Canvas's answer")
    return value


def _integer(value: Any) -> int | None:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,19}", value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _time(value: Any) -> datetime | None:
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if not found:
        return None
    second, fraction, zone = found.groups()
    micro = (fraction or ".0")[1:7].ljust(6, "0")
    offset = "+00:00" if zone in (None, "Z") else zone if ":" in zone else f"{zone[:3]}:{zone[3:]}"
    try:
        return datetime.fromisoformat(f"{second}.{micro}{offset}").astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None
