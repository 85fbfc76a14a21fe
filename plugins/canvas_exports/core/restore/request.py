"""The request of a restore: which copy, which target course, and which safeguards are off."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone

from canvas_exports.core.archive.catalog.find_course import parse_course_name
from canvas_exports.core.archive.layout import CONTEXT_FOLDERS
from canvas_exports.core.model.contexts import Context, ContextKind
from canvas_exports.core.model.export_types import ExportType
from canvas_exports.core.model.proof_levels import PROOF_LEVELS
from canvas_exports.core.restore.choices import NEWEST, UPLOAD, URL
from canvas_exports.core.restore.form_labels import form_error, label

_LONGEST_NUMBER = 19  # digits
_WHEN = (
    "newest, a day such as 2026-11-20, a time such as 2026-11-20T14:00Z, the number of an export, or the key of a manifest "
    "or package"
)


@dataclass(frozen=True)
class CopyChoice:
    """Which copy to restore: the newest proven one, the newest proven one at a time, or one by its export or its key.

    Attributes:
        until: latest time of creation.
        key: of a manifest or of a package.
        export_id: Canvas's number of the export.
    """

    until: datetime | None = None
    key: str | None = None
    export_id: int | None = None

    @classmethod
    def parse(cls, text: str) -> CopyChoice:
        """Read ``newest``, a day (the newest copy at its end, in UTC), a time, the number of an export, or a key.

        Raises:
            InputError: any other text.
        """
        raw = str(text).strip()
        if raw.lower() in ("", NEWEST):
            return cls()
        if raw.startswith(CONTEXT_FOLDERS):
            return cls(key=raw)
        if raw.isdecimal():
            return cls(export_id=int(raw[:_LONGEST_NUMBER]))
        try:
            if re.fullmatch(r"\d{4}-\d\d-\d\d", raw):
                day = datetime.combine(datetime.fromisoformat(raw), time(), timezone.utc)
                return cls(until=day + timedelta(days=1, microseconds=-1))
            moment = datetime.fromisoformat(raw.replace("Z", "+00:00"))
        except ValueError:
            raise form_error("copy", f"{raw[:100]!r} names no copy", accepted=_WHEN) from None
        return cls(until=moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc))


@dataclass(frozen=True)
class RestoreRequest:
    """One restore, checked as far as possible without a request.

    Attributes:
        source: the course, group or user of the copy; a text is a course's SIS id, code or name in the manifests.
        wanted: which copy.
        export_type: of the package.
        into: the target course.
        proof: level at which the package is proven before the upload.
        via: ``upload`` from the archive, or ``url``: Canvas downloads it from the archive's own storage.
        confirmed: id of the source course, if the copy is to be restored into that same course.
        allow_content: restore into a course that is not empty.
        allow_incomplete: restore a copy that is not whole, if there is no better one.
        only_unpublished: refuse a course that students can see or saw.
    """

    source: Context | str
    wanted: CopyChoice
    into: Context
    export_type: ExportType = ExportType.COMMON_CARTRIDGE
    proof: str = PROOF_LEVELS[0]
    via: str = UPLOAD
    confirmed: str | None = None
    allow_content: bool = False
    allow_incomplete: bool = False
    only_unpublished: bool = False

    @classmethod
    def build(
        cls,
        *,
        course: str | int,
        into: str | int,
        copy: str | None = NEWEST,
        export_type: str = ExportType.COMMON_CARTRIDGE.value,
        proof: str = PROOF_LEVELS[0],
        via: str = UPLOAD,
        confirm_same_course: str | int | None = None,
        allow_content: bool = False,
        allow_incomplete: bool = False,
        only_unpublished: bool = False,
    ) -> RestoreRequest:
        """Read the arguments of the operator.

        Raises:
            InputError: names the field, the problem, and accepted values.
        """
        target = Context.parse(into, field=label("into"))
        if target.kind is not ContextKind.COURSE:
            raise form_error("into", f"{target} is not a course", accepted="the number or SIS id of a course")
        if export_type not in ExportType._value2member_map_:
            types = [each.value for each in ExportType]
            raise form_error("export_type", f"{export_type!r} is not an export type", accepted=types)
        for field, value, known in (("proof", proof, PROOF_LEVELS), ("via", via, (UPLOAD, URL))):
            if value not in known:
                raise form_error(field, f"{value!r} is not known", accepted=known)
        for field, switch in (("allow_content", allow_content), ("allow_incomplete", allow_incomplete)):
            if not isinstance(switch, bool):  # the text "False" would allow it
                raise form_error(field, f"{switch!r} is neither true nor false", accepted="true, false")
        return cls(
            source=parse_course_name(course, field=label("course")),
            wanted=CopyChoice.parse(copy or NEWEST),
            into=target,
            export_type=ExportType(export_type),
            proof=proof,
            via=via,
            confirmed=str(confirm_same_course or "").strip() or None,
            allow_content=allow_content,
            allow_incomplete=allow_incomplete,
            only_unpublished=only_unpublished,
        )
