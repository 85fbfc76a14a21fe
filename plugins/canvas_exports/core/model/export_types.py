"""The types of content export that are backed up."""

from __future__ import annotations

from enum import Enum


class ExportType(str, Enum):
    """``export_type`` of a content export. ``quizzes2`` is not supported: such an export changes the course."""

    COMMON_CARTRIDGE = "common_cartridge"
    QTI = "qti"
    ZIP = "zip"

    @property
    def suffix(self) -> str:
        """Return the file name suffix of the package that Canvas builds."""
        return ".imscc" if self is ExportType.COMMON_CARTRIDGE else ".zip"
