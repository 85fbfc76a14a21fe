"""Content migrations of courses, groups, users and accounts, with their issues."""

from __future__ import annotations

from typing import Any

from canvas_sandbox.campus import Course, Exportable
from canvas_sandbox.changes import apply
from canvas_sandbox.clock import iso
from canvas_sandbox.faults import IMPORT_FAULTS, Fault
from canvas_sandbox.imports.import_job import ImportJob
from canvas_sandbox.imports.migrations import UPLOAD_LIMIT
from canvas_sandbox.imports.records import Issue, Migration
from canvas_sandbox.imports.selective_import import list_content
from canvas_sandbox.kernel import DAY
from canvas_sandbox.web.api.courses import TITLES
from canvas_sandbox.web.api.migration_params import MIGRATORS, MigrationParams
from canvas_sandbox.web.http import errors
from canvas_sandbox.web.http.messages import Call, Response
from canvas_sandbox.web.http.pagination import paginate
from canvas_sandbox.web.http.router import Router
from canvas_sandbox.web.lookups import find_account, find_context
from canvas_sandbox.web.permissions import can_manage_content
from canvas_sandbox.web.storage.files import upload_json
from canvas_sandbox.web.storage.uploads import UploadEndpoints
from canvas_sandbox.world import World

_CONTEXTS = ("course", "group", "user", "account")


class MigrationEndpoints:
    """List, show, create and update migrations; list their issues and what they could import."""

    def __init__(self, world: World, uploads: UploadEndpoints) -> None:
        self._world = world
        self._uploads = uploads

    def add_to(self, router: Router) -> None:
        """Add the routes of each kind of context."""
        for kind in _CONTEXTS:
            path = f"/api/v1/{kind}s/:{kind}_id/content_migrations"
            router.add("GET", path, self.index)
            router.add("POST", path, self.create)
            router.add("GET", f"{path}/migrators", self.migrators)
            router.add("GET", f"{path}/:id", self.show)
            router.add("PUT", f"{path}/:id", self.update)
            router.add("GET", f"{path}/:id/selective_data", self.selective_data)
            router.add("GET", f"{path}/:id/migration_issues", self.issues)
            router.add("GET", f"{path}/:id/migration_issues/:issue_id", self.issue)
            router.add("PUT", f"{path}/:id/migration_issues/:issue_id", self.settle_issue)

    def index(self, call: Call) -> Response:
        """``GET .../content_migrations``: newest first."""
        context = self._context(call)
        rows = [] if context is None else self._world.migrations.of(context)
        for row in rows:
            self._check_upload(row)
        place = call.path if context is None else f"/api/v1/{context.kind}s/{context.id}/content_migrations"
        return paginate(call, rows, lambda row: self._json(row, call), f"{call.base_url}{place}")

    def migrators(self, call: Call) -> Response:
        """``GET .../content_migrations/migrators``."""
        context = self._context(call)
        kind = "account" if context is None else context.kind
        return Response(
            data=[migrator.json() for migrator in MIGRATORS.values() if kind in migrator.contexts]
        )

    def show(self, call: Call) -> Response:
        """``GET .../content_migrations/:id``: a migration that has waited for its file for over an hour fails when it is shown."""
        migration = self._find(call)
        self._check_upload(migration)
        return Response(data=self._json(migration, call))

    def create(self, call: Call) -> Response:
        """``POST .../content_migrations``: 200 even if the file is too large; the migration is then ``failed``."""
        context = self._context(call)
        params = MigrationParams(self._world, call, context)
        asked = params.for_create()
        assert context is not None
        if asked["file"] is not None:
            asked["refused"] = self._is_too_large(context, asked["file"][1])
        struck = frozenset() if asked["refused"] else context.active_faults.take_all(IMPORT_FAULTS)
        faults = sorted(fault.value for fault in struck)
        migration: Migration = apply(
            self._world, "create_migration", context.label, call.user.id, asked, faults
        )
        return self._answered(migration, asked, call)

    def update(self, call: Call) -> Response:
        """``PUT .../content_migrations/:id``: another file, other settings, or a selection."""
        migration = self._find(call)
        self._check_upload(migration)
        asked = MigrationParams(self._world, call, migration.context).for_update(migration)
        if asked["file"] is not None:
            asked["refused"] = self._is_too_large(migration.context, asked["file"][1])
        apply(self._world, "update_migration", migration.id, asked)
        return self._answered(migration, asked, call)

    def selective_data(self, call: Call) -> Response:
        """``GET .../selective_data``: the content of the package by type, or the items of one ``type``."""
        migration = self._find(call)
        if migration.api_state != "waiting_for_select":
            raise errors.invalid("unable to get content list")
        content = list_content(ImportJob(self._world.migrations, migration).read())
        wanted = call.query.get("type")
        url = f"{call.base_url}{call.path}"
        if wanted is None:
            counts = {kind: sum(1 for _ in content.of(kind)) for kind in TITLES}
            return Response(
                data=[
                    {
                        "type": kind.value,
                        "property": f"copy[all_{kind.value}]",
                        "title": TITLES[kind],
                        "count": count,
                        "sub_items_url": f"{url}?type={kind.value}",
                    }
                    for kind, count in counts.items()
                    if count
                ]
            )
        kinds = {kind.value: kind for kind in TITLES}
        if wanted not in kinds:
            raise errors.invalid("unsupported migration type")
        return Response(
            data=[
                {
                    "type": wanted,
                    "property": f"copy[{wanted}][id_{item.key}]",
                    "title": item.title,
                    "migration_id": item.key,
                }
                for item in content.of(kinds[wanted])
            ]
        )

    def issues(self, call: Call) -> Response:
        """``GET .../migration_issues``: oldest first."""
        migration = self._find(call)
        url = f"{self._url(migration, call)}/migration_issues"
        return paginate(call, migration.issues, lambda issue: self._issue_json(migration, issue, call), url)

    def issue(self, call: Call) -> Response:
        """``GET .../migration_issues/:id``."""
        migration = self._find(call)
        return Response(data=self._issue_json(migration, self._find_issue(migration, call), call))

    def settle_issue(self, call: Call) -> Response:
        """``PUT .../migration_issues/:id`` with ``workflow_state``."""
        migration = self._find(call)
        issue = self._find_issue(migration, call)
        state = call.params.get("workflow_state")
        if state not in ("active", "resolved"):
            raise errors.invalid("Must send a valid workflow_state")
        apply(self._world, "settle_issue", migration.id, issue.id, state)
        return Response(data=self._issue_json(migration, issue, call))

    def _answered(self, migration: Migration, asked: dict[str, Any], call: Call) -> Response:
        data = self._json(migration, call)
        if asked["file"] is not None and migration.upload is not None:
            data.pop("attachment", None)
            if asked["refused"]:
                data["pre_attachment"] = {"error": True, "message": "file size exceeds quota"}
            else:
                data["pre_attachment"] = self._uploads.preflight(migration.upload)
        return Response(data=data)

    def _is_too_large(self, context: Exportable, size: int) -> bool:
        quota, used = self._world.contents.quota(context)
        return context.active_faults.take(Fault.OVER_QUOTA) or used + size > quota

    def _check_upload(self, migration: Migration) -> None:
        late = migration.waiting_since + UPLOAD_LIMIT < self._world.kernel.now
        if late and migration.workflow_state == "pre_processing":
            apply(self._world, "time_out_upload", migration.id)

    def _context(self, call: Call) -> Exportable | None:
        """Return the context of a call; ``None`` for an account, which cannot import."""
        if "account_id" in call.ids:
            if find_account(self._world, call.ids["account_id"]) is None:
                raise errors.not_found()
            if call.user.role != "admin":
                raise errors.denied(self._world.kernel.switches)
            return None
        context = find_context(self._world, call.ids, call.user)
        if context is None:
            raise errors.not_found()
        if not can_manage_content(self._world, call.user, context):
            raise errors.denied(self._world.kernel.switches)
        return context

    def _find(self, call: Call) -> Migration:
        context = self._context(call)
        number = call.ids["id"]
        migration = self._world.migrations.rows.get(int(number)) if number.isdecimal() else None
        if migration is None or migration.context is not context:
            raise errors.not_found()
        return migration

    def _find_issue(self, migration: Migration, call: Call) -> Issue:
        for issue in migration.issues:
            if str(issue.id) == call.ids["issue_id"]:
                return issue
        raise errors.not_found()

    def _url(self, migration: Migration, call: Call) -> str:
        context = migration.context
        return f"{call.base_url}/api/v1/{context.kind}s/{context.id}/content_migrations/{migration.id}"

    def _json(self, migration: Migration, call: Call) -> dict[str, Any]:
        world, context = self._world, migration.context
        data: dict[str, Any] = {
            "id": migration.id,
            "user_id": migration.user_id,
            "workflow_state": migration.api_state,
            "started_at": None if migration.started_at is None else iso(migration.started_at),
            "finished_at": None if migration.finished_at is None else iso(migration.finished_at),
            "migration_type": migration.migration_type,
            "created_at": iso(migration.created_at),
            "migration_issues_url": f"{self._url(migration, call)}/migration_issues",
            "migration_issues_count": len(migration.issues),
        }
        days = world.kernel.switches.expire_days
        fresh = days <= 0 or call.now <= migration.created_at + days * DAY
        if migration.upload is not None and migration.upload.state == "success" and fresh:
            data["attachment"] = upload_json(migration.upload, call.base_url)
        source = world.courses.get(int(migration.settings.get("source_course_id") or 0))
        if source is not None:
            data["settings"] = {
                "source_course_id": source.id,
                "source_course_name": source.name,
                "source_course_html_url": f"{call.base_url}/courses/{source.id}",
            }
        data["progress_url"] = f"{call.base_url}/api/v1/progress/{migration.progress.id}"
        data["migration_type_title"] = MIGRATORS[migration.migration_type].name
        return data | ({"course_id": context.id} if isinstance(context, Course) else {})

    def _issue_json(self, migration: Migration, issue: Issue, call: Call) -> dict[str, Any]:
        return {
            "id": issue.id,
            "description": issue.description,
            "workflow_state": issue.workflow_state,
            "fix_issue_html_url": None,
            "issue_type": issue.issue_type,
            "created_at": iso(issue.created_at),
            "updated_at": iso(issue.updated_at),
            "content_migration_url": self._url(migration, call),
        }
