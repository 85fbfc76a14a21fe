"""A backup as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from canvas_exports.core.backups.fields import CONNECTIONS, OPTIONS, SETTINGS
from canvas_exports.core.model.export_types import ExportType


@dataclass(frozen=True)
class Backup:
    """A checked backup file.

    The mappings hold only fields that the file sets; defaults apply to the others.

    Attributes:
        name: the DAG is called ``canvas_backup_<name>``.
        file: the YAML file.
        schedule: cron expression, or ``None`` for a backup started by hand.
        display_name: of the DAG in Airflow's UI; ``None`` for one made of ``name``.
        owner: of the DAG; ``None`` for Airflow's default owner.
        timezone: of the schedule and of ``start_date``.
        listing: arguments of ``CanvasListCoursesOperator``: which courses, groups and users.
        options: values of the names in ``OPTIONS``.
        settings: values of the names in ``SETTINGS``.
        connections: values of the names in ``CONNECTIONS``.
        also_archives: replicas of the archive: root URIs, or mappings with ``archive`` and ``archive_conn_id``.
    """

    name: str
    file: str
    schedule: str | None
    archive: str
    description: str | None = None
    display_name: str | None = None
    owner: str | None = None
    timezone: str = "UTC"
    start_date: date | None = None
    listing: Mapping[str, Any] = field(default_factory=dict)
    export_types: tuple[str, ...] = (ExportType.COMMON_CARTRIDGE.value,)
    options: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    connections: Mapping[str, str] = field(default_factory=dict)
    also_archives: tuple[str | Mapping[str, str], ...] = ()
    retries: int = 3
    tags: tuple[str, ...] = ()
    max_active_batches: int = 8
    pool: str | None = None
    sweep_after: str = "P2D"
    keep: Mapping[str, Any] | None = None
    search_index: bool = False
    notify: tuple[str, ...] = ()
    notify_when: str = "problems"
    max_age: str | None = None
    publish: str | None = None

    @classmethod
    def from_data(cls, data: Mapping[str, Any], *, file: str, lists: Path) -> Backup:
        """Return the backup of a file without problems.

        Args:
            data: the file's fields.
            file: its name.
            lists: the folder of course lists; a list that is neither a URI nor absolute is looked up there.
        """

        def written(*names: str) -> dict[str, Any]:
            return {name: data[name] for name in names if name in data}

        first_day = data.get("start_date")
        return cls(
            file=file,
            start_date=date.fromisoformat(first_day) if first_day else None,
            listing={
                **_courses(data.get("courses") or {}, lists),
                **written("groups", "users"),
            },
            export_types=tuple(data.get("export_types", cls.export_types)),
            options=written(*OPTIONS),
            settings=written(*SETTINGS),
            connections=written(*CONNECTIONS),
            also_archives=tuple(data.get("also_archives", ())),
            tags=tuple(data.get("tags", ())),
            notify=tuple(data.get("notify", ())),
            **written(
                "name", "schedule", "archive", "description", "display_name", "owner", "timezone", "retries"
            ),
            **written(
                "max_active_batches",
                "pool",
                "sweep_after",
                "keep",
                "notify_when",
                "max_age",
                "search_index",
                "publish",
            ),
        )


def _courses(courses: Mapping[str, Any], lists: Path) -> dict[str, Any]:
    listing = {name: courses[name] for name in ("account", "filters") if name in courses}
    if "ids" in courses:
        listing["courses"] = courses["ids"]
    if "list" in courses:
        where = courses["list"]
        listing["course_list"] = where if "://" in where else str(lists / where)
    return listing
