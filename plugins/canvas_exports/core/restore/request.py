"""What a person asks for: which copy, into which course, and what is allowed on the way."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone

from canvas_exports.core.archive.catalog.find_course import parse_course_name
from canvas_exports.core.model.contexts import Context, ContextKind
from canvas_exports.core.model.export_types import ExportType
from canvas_exports.core.model.proof_levels import PROOF_LEVELS
from canvas_exports.core.restore.form_labels import LABELS, label, refused
from canvas_exports.errors import InputError

NEWEST = "newest"
UPLOAD, URL = "upload", "url"
_FOLDERS = ("courses/", "groups/", "users/")
_WHEN = (
    "newest, a day such as 2026-11-20, a time such as 2026-11-20T14:00Z, or the key of a manifest or package"
)


@dataclass(frozen=True)
class Wanted:
    """Which copy of a context: the newest proven one, the newest proven one up to a moment, or one by its key.

    Attributes:
        until: no copy that was created later.
        key: of a manifest or of a package.
    """

    until: datetime | None = None
    key: str | None = None

    @classmethod
    def parse(cls, text: str, *, field: str = LABELS["copy"]) -> Wanted:
        """Read ``newest``, a day (the copy that was the newest at its end, in UTC), a time, or a key.

        Raises:
            InputError: none of them.
        """
        raw = str(text).strip()
        if raw.lower() in ("", NEWEST):
            return cls()
        if raw.startswith(_FOLDERS):
            return cls(key=raw)
        try:
            if re.fullmatch(r"\d{4}-\d\d-\d\d", raw):
                day = datetime.combine(datetime.fromisoformat(raw), time(), timezone.utc)
                return cls(until=day + timedelta(days=1, microseconds=-1))
            moment = datetime.fromisoformat(raw.replace("Z", "+00:00"))
        except ValueError:
            raise InputError(field, f"{raw[:100]!r} names no copy", accepted=_WHEN) from None
        return cls(until=moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc))


@dataclass(frozen=True)
class RestoreRequest:
    """One restore, checked as far as it can be without asking anybody.

    Attributes:
        source: the course, group or user whose copy is restored; a text is a course's SIS id, code or name in the manifests.
        wanted: which copy.
        export_type: of the package.
        into: the course it goes into.
        proof: how deep the package is proven before anything is sent.
        via: ``upload`` from the archive, or ``url``: Canvas fetches it from the archive's own storage.
        confirmed: the number of the course it came from, where it is to go back into that one.
        allow_content: restore into a course that holds something already.
        allow_incomplete: restore a copy that is stored but not whole, for want of a better one.
        only_unpublished: refuse a course that students may see.
    """

    source: Context | str
    wanted: Wanted
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
        """Read what a person wrote.

        Raises:
            InputError: names the field, what is wrong with it, and what is accepted.
        """
        target = Context.parse(into, field=label("into"))
        if target.kind is not ContextKind.COURSE:
            raise refused("into", f"{target} is not a course", accepted="the number or SIS id of a course")
        if export_type not in ExportType._value2member_map_:
            types = [each.value for each in ExportType]
            raise refused("export_type", f"{export_type!r} is no type of package", accepted=types)
        for field, value, known in (("proof", proof, PROOF_LEVELS), ("via", via, (UPLOAD, URL))):
            if value not in known:
                raise refused(field, f"{value!r} is not known", accepted=known)
        for field, switch in (("allow_content", allow_content), ("allow_incomplete", allow_incomplete)):
            if not isinstance(switch, bool):  # the text "False" would allow it
                raise refused(field, f"{switch!r} is neither true nor false", accepted="true, false")
        return cls(
            source=parse_course_name(course, field=label("course")),
            wanted=Wanted.parse(copy or NEWEST),
            into=target,
            export_type=ExportType(export_type),
            proof=proof,
            via=via,
            confirmed=str(confirm_same_course or "").strip() or None,
            allow_content=allow_content,
            allow_incomplete=allow_incomplete,
            only_unpublished=only_unpublished,
        )
