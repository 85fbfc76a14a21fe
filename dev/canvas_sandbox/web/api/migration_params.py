"""The parameters of a request about a migration, and Canvas's error messages about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from canvas_sandbox.campus import Exportable
from canvas_sandbox.content.model import Kind
from canvas_sandbox.imports.records import Migration
from canvas_sandbox.web.http import errors
from canvas_sandbox.web.http.messages import Call
from canvas_sandbox.web.http.params import is_true
from canvas_sandbox.web.lookups import find_course
from canvas_sandbox.web.permissions import can_read_as_admin, can_show_export
from canvas_sandbox.world import World


@dataclass(frozen=True)
class Migrator:
    """A type of migration."""

    type: str
    name: str
    needs_file: bool = True
    required_settings: tuple[str, ...] = ()
    contexts: tuple[str, ...] = ("course",)

    def json(self) -> dict[str, Any]:
        """Return the row of the list of migrators."""
        return {
            "type": self.type,
            "requires_file_upload": self.needs_file,
            "name": self.name,
            "required_settings": list(self.required_settings),
        }


MIGRATORS = {
    migrator.type: migrator
    for migrator in (
        Migrator("canvas_cartridge_importer", "Canvas Course Export Package"),
        Migrator("common_cartridge_importer", "Common Cartridge 1.x Package"),
        Migrator("course_copy_importer", "Copy a Canvas Course", False, ("source_course_id",)),
        # Canvas lists source_folder_id here, and then asks for folder_id.
        Migrator(
            "zip_file_importer",
            "Unzip .zip file into folder",
            required_settings=("source_folder_id",),
            contexts=("course", "group", "user"),
        ),
        Migrator("qti_converter", "QTI .zip file"),
        Migrator("moodle_converter", "Moodle 1.9/2.x"),
    )
}
"""Types of migrations by name."""


class MigrationParams:
    """The parameters of one request, checked in Canvas's order."""

    def __init__(self, world: World, call: Call, context: Exportable | None) -> None:
        self._world = world
        self._call = call
        self._context = context
        self.migration_type = str(call.params.get("migration_type", ""))
        given = call.params.get("settings")
        self._settings: dict[str, Any] = dict(given) if isinstance(given, Mapping) else {}
        file = call.params.get("pre_attachment")
        self._file: Mapping[str, Any] = file if isinstance(file, Mapping) else {}

    def for_create(self) -> dict[str, Any]:
        """Return the request for a new migration as plain data.

        Raises:
            RequestRefusedError: 400, with what is wrong.
        """
        migrator = MIGRATORS.get(self.migration_type)
        if migrator is None:
            raise errors.invalid("Invalid migration_type")
        if self._context is None or self._context.kind not in migrator.contexts:
            raise errors.invalid("Unsupported migration_type for context")
        source = self._source(migrator)
        if migrator.needs_file and source is None:
            raise errors.invalid("File upload, file_url, or content_export_id is required")
        if migrator.type == "course_copy_importer":
            self._check_source_course()
        if migrator.type == "zip_file_importer":
            self._check_folder()
        if source == "content_export":
            self._check_export()
        return self._asked(source)

    def for_update(self, migration: Migration) -> dict[str, Any]:
        """Return the request about an existing migration as plain data; it needs no new source.

        Raises:
            RequestRefusedError: 400, with what is wrong.
        """
        source = self._source(MIGRATORS[migration.migration_type])
        if source == "course_copy":
            source = None
        if source == "content_export":
            self._check_export()
        asked = self._asked(source)
        asked["run"] = asked["run"] and (source is not None or migration.workflow_state == "created")
        if "selective_import" not in self._call.params and asked["copy"] is None:
            asked["immediate"] = migration.immediate
        return asked

    def _source(self, migrator: Migrator) -> str | None:
        """Return the source of the package."""
        if not migrator.needs_file:
            return "course_copy"
        if self._file.get("name"):
            return "upload"
        if self._settings.get("file_url"):
            return "file_url"
        return "content_export" if self._settings.get("content_export_id") else None

    def _asked(self, source: str | None) -> dict[str, Any]:
        params = self._call.params
        select = params.get("select") if source == "course_copy" else None
        copy = params.get("copy") or select
        selective = is_true(params.get("selective_import", ""))
        size = str(self._file.get("size", ""))
        name = str(self._file.get("name", ""))
        kind = str(self._file.get("content_type") or "application/octet-stream")
        return {
            "type": self.migration_type,
            "settings": self._settings,
            "source": source,
            "immediate": not selective,
            "copy": copy if isinstance(copy, Mapping) else None,
            "file": [name, int(size) if size.isdecimal() else 0, kind] if source == "upload" else None,
            "refused": False,
            "run": not is_true(params.get("do_not_run", "")),
        }

    def _check_source_course(self) -> None:
        """Replace a SIS id of the source course by its id."""
        text = str(self._settings.get("source_course_id") or "")
        course = find_course(self._world, text) if text else None
        if course is None or not can_read_as_admin(self._world, self._call.user, course):
            raise errors.invalid("A course copy requires a source course.")
        self._settings["source_course_id"] = course.id

    def _check_folder(self) -> None:
        text = str(self._settings.get("folder_id") or "")
        if not text:
            raise errors.invalid("A .zip upload requires a folder to upload to.")
        assert self._context is not None
        folder = self._world.contents.of(self._context).items.get(int(text)) if text.isdecimal() else None
        if folder is None or folder.kind is not Kind.FOLDER:
            raise errors.invalid("The specified folder couldn't be found in this course.")

    def _check_export(self) -> None:
        text = str(self._settings["content_export_id"])
        export = self._world.exports.rows.get(int(text)) if text.isdecimal() else None
        if export is None or not can_show_export(self._world, self._call.user, export):
            raise errors.invalid("invalid content export")
        if export.workflow_state != "exported" or export.attachment is None:
            raise errors.invalid("content export is incomplete")
