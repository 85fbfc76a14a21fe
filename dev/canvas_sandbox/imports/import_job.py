"""The job of one migration, in Canvas's order of writes."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable
from typing import Protocol

from canvas_sandbox.campus import Exportable
from canvas_sandbox.content.model import Content, Kind
from canvas_sandbox.faults import Fault
from canvas_sandbox.imports.open_package import BadPackageError, Package
from canvas_sandbox.imports.package_contents import ItemKey, PackageContents, PackageItem
from canvas_sandbox.imports.quiz_and_file_packages import read_files, read_qti
from canvas_sandbox.imports.read_cartridge import read_cartridge
from canvas_sandbox.imports.records import Migration

_CONVERTED = (10.0, 25.0, 40.0, 50.0)
_IMPORTED = (50.0, 60.0, 75.0, 90.0)
_LEFT_OUT = 2
"""Number of pages, and of files, that an import with errors leaves out."""


class ImportServices(Protocol):
    """Services of Canvas that the job of a migration uses."""

    @property
    def stuck_holds_worker(self) -> bool:
        """Return whether a job that never ends occupies its worker."""

    def content(self, context: Exportable) -> Content:
        """Return everything that a course, group or user holds."""

    def duration(self, migration: Migration) -> float:
        """Return the seconds of each half of the work: converting, importing."""

    def add_issue(self, migration: Migration, moment: float, kind: str, description: str) -> None:
        """Add an issue to a migration."""

    def fail(self, migration: Migration, moment: float, reason: str) -> None:
        """Fail a migration, with the reason as an issue."""

    def import_contents(
        self, migration: Migration, package: PackageContents, moment: float, *, whole: bool
    ) -> None:
        """Import the contents of a package into the context of a migration; not ``whole`` if the job fails then."""


class ImportJob:
    """The work of workers on one migration."""

    def __init__(self, services: ImportServices, migration: Migration) -> None:
        self._services = services
        self._migration = migration

    def convert(self, start: float) -> Generator[float, None, None]:
        """Read the package, then import it unless a selection comes first. Yields the time of each next write."""
        migration, progress = self._migration, self._migration.progress
        migration.workflow_state = "exporting"
        progress.write(start, "running", 0.0)
        moment = yield from self._steps(start, _CONVERTED)
        if Fault.IMPORT_STUCK in migration.faults:
            if self._services.stuck_holds_worker:
                yield math.inf
            return
        if Fault.IMPORT_FAILS in migration.faults:
            self._services.fail(migration, moment, "Unexpected error while importing the content")
            return
        try:
            package = self.read()
        except BadPackageError as error:
            self._services.fail(migration, moment, f"The import file could not be processed. {error}")
            return
        migration.workflow_state = "exported"
        if not migration.immediate:
            progress.write(moment, "completed", 100.0)
            return
        yield from self._write(moment, package)

    def import_content(self, start: float) -> Generator[float, None, None]:
        """Read the package again and import the selection. Yields the time of each next write."""
        self._migration.progress.write(start, "running", 0.0)
        yield from self._write(start, self.read())

    def read(self) -> PackageContents:
        """Read the contents of the package.

        Raises:
            BadPackageError: it cannot be imported.
        """
        migration = self._migration
        if migration.package is None:
            raise BadPackageError("There is no file")
        try:
            package = Package(migration.package())
        except OSError as error:
            raise BadPackageError("The file is gone") from error
        if migration.migration_type == "qti_converter":
            return read_qti(package)
        if migration.migration_type == "zip_file_importer":
            content = self._services.content(migration.context)
            folder = content.items[int(migration.settings["folder_id"])]
            path = "" if folder.id == content.root else content.path(folder)
            return read_files(package, path, {content.path(file): file.key for file in content.of(Kind.FILE)})
        if migration.migration_type == "moodle_converter":
            raise BadPackageError("This is not a Moodle backup")
        return read_cartridge(package)

    def _write(self, start: float, package: PackageContents) -> Generator[float, None, None]:
        migration, progress = self._migration, self._migration.progress
        migration.workflow_state = "importing"
        moment = yield from self._steps(start, _IMPORTED)
        for name in package.missing:
            self._services.add_issue(
                migration, moment, "warning", f"The file {name} is missing from the package"
            )
        if Fault.IMPORT_WARNINGS in migration.faults:
            self._services.add_issue(migration, moment, "warning", "Missing links found in imported content")
            self._services.add_issue(
                migration, moment, "todo", "The tool of an assignment has to be configured"
            )
        if Fault.IMPORT_ERRORS in migration.faults:
            package = self._without_some_items(package, moment)
        if Fault.IMPORT_FAILS_HALF_WAY in migration.faults:
            self._services.import_contents(
                migration, _without(package, _second_half(package)), moment, whole=False
            )
            self._services.fail(migration, moment, "Unexpected error while importing the content")
            return
        self._services.import_contents(migration, package, moment, whole=True)
        migration.workflow_state, migration.finished_at = "imported", moment
        progress.write(moment, "completed", 100.0)

    def _steps(self, start: float, completions: tuple[float, ...]) -> Generator[float, None, float]:
        seconds = self._services.duration(self._migration)
        moment = start
        for number, completion in enumerate(completions, start=1):
            moment = start + seconds * number / len(completions)
            yield moment
            self._migration.progress.write(moment, completion=completion)
        return moment

    def _without_some_items(self, package: PackageContents, moment: float) -> PackageContents:
        """Remove some pages and files, and add an issue for each."""
        lost: dict[ItemKey, PackageItem] = {}
        for kind in (Kind.PAGE, Kind.FILE):
            rows = [(key, found) for key, found in package.found.items() if key[0] is kind]
            lost |= dict(rows[:_LEFT_OUT])
        for found in lost.values():
            what = found.kind.asset.replace("_", " ")
            self._services.add_issue(
                self._migration, moment, "error", f'Import Error: {what} - "{found.title}"'
            )
        return _without(package, lost)


def _second_half(package: PackageContents) -> Iterable[ItemKey]:
    """Return the pages and files that an import which fails half way does not reach."""
    lost: list[ItemKey] = []
    for kind in (Kind.PAGE, Kind.FILE):
        rows = [key for key in package.found if key[0] is kind]
        lost += rows[len(rows) // 2 :]
    return lost


def _without(package: PackageContents, lost: Iterable[ItemKey]) -> PackageContents:
    """Return a package without some of its items."""
    left_out = set(lost)
    keys = {key for _, key in left_out}
    return PackageContents(
        found={key: found for key, found in package.found.items() if key not in left_out},
        members={name: row for name, row in package.members.items() if package.owners.get(name) not in keys},
        owners=package.owners,
        resources={key: row for key, row in package.resources.items() if key not in keys},
        partial=package.partial,
    )
