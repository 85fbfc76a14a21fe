"""Build the request for a content export, checked before it is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from canvas_exports.core.canvas.api.selection import Selection
from canvas_exports.core.model.contexts import ContextKind
from canvas_exports.core.model.export_types import ExportType
from canvas_exports.errors import InputError

#: Export types that Canvas supports for each kind of context.
EXPORTABLE: Mapping[ContextKind, tuple[ExportType, ...]] = {
    ContextKind.COURSE: tuple(ExportType),
    ContextKind.GROUP: (ExportType.ZIP,),
    ContextKind.USER: (ExportType.ZIP,),
}

#: The one cartridge version that can be requested; without it Canvas writes 1.1.
VERSION = "1.3"


@dataclass(frozen=True)
class ExportRequest:
    """The parameters of one content export.

    ``skip_notifications`` is on unless turned off: otherwise Canvas mails the token's user about every export.
    """

    export_type: ExportType
    select: Selection | None = None
    skip_notifications: bool = True
    version: str | None = None

    @classmethod
    def build(
        cls,
        export_type: str,
        *,
        select: Mapping[str, Any] | None = None,
        skip_notifications: bool = True,
        version: str | float | None = None,
        kind: ContextKind = ContextKind.COURSE,
    ) -> ExportRequest:
        """Parse parameters as a person wrote them, and check them for one kind of context.

        Raises:
            InputError: names the field, what is wrong with it, and what is accepted.
        """
        try:
            wanted = ExportType(export_type)
        except ValueError:
            problem = f"{export_type!r} is not a type of content export"
            if export_type == "quizzes2":
                problem = "'quizzes2' changes the course it exports, so it is never used here"
            accepted = [known.value for known in EXPORTABLE[kind]]
            raise InputError("export_type", problem, accepted=accepted) from None
        selection = None if select is None else Selection.parse(select)
        request = cls(wanted, selection, skip_notifications, None if version is None else str(version))
        request.check(kind)
        return request

    def check(self, kind: ContextKind) -> None:
        """Check for parameters that Canvas would refuse or silently ignore.

        Raises:
            InputError: names the field and the combination that is allowed.
        """
        if self.export_type not in EXPORTABLE[kind]:
            problem = f"Canvas makes no {self.export_type.value} of a {kind.value}"
            raise InputError("export_type", problem, accepted=[known.value for known in EXPORTABLE[kind]])
        if self.select is not None:
            self.select.check(self.export_type)
        if self.version is None:
            return
        if self.version != VERSION:
            raise InputError(
                "version", f"{self.version!r} cannot be asked for", accepted=f"{VERSION}, or none for 1.1"
            )
        if self.export_type is not ExportType.COMMON_CARTRIDGE:
            raise InputError("version", "only a common_cartridge has a version", accepted="none")

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Yield the form fields that Canvas expects."""
        yield "export_type", self.export_type.value
        if self.skip_notifications:
            yield "skip_notifications", "true"
        if self.version is not None:
            yield "version", self.version
        if self.select is not None:
            yield from self.select.pairs()
