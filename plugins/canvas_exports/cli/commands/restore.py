"""``canvas-archive restore``: import a copy into a course, as the DAG ``canvas_restore`` does, without Airflow."""

from __future__ import annotations

import argparse
import asyncio
import time
from datetime import timedelta
from typing import Any

from canvas_exports.cli.arguments import (
    Parsers,
    add_archive,
    add_canvas,
    add_copy,
    add_course,
    add_subcommand,
    canvas_access,
    open_archive,
    positive_number,
)
from canvas_exports.cli.output import print_json, print_note, print_text
from canvas_exports.cli.progress import PROGRESS
from canvas_exports.cli.saved_restore import SavedRestore, saved_restore
from canvas_exports.core.canvas.api.migrations import ContentMigration
from canvas_exports.core.canvas.api.models import ContentExport, Progress
from canvas_exports.core.canvas.async_client import AsyncCanvasClient
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.model.contexts import Context
from canvas_exports.core.model.proof_levels import PROOF_LEVELS
from canvas_exports.core.restore.choices import FAIL_ON, UPLOAD, URL
from canvas_exports.core.restore.form_labels import label, option_labels
from canvas_exports.core.restore.request import RestoreRequest
from canvas_exports.core.restore.restore import Restore
from canvas_exports.core.restore.result import RestoreOutcome, RestoreResult
from canvas_exports.core.restore.state import Phase, RestoreState, read_state
from canvas_exports.core.restore.wait import CanvasJob, wait_for
from canvas_exports.core.storage.store import Store
from canvas_exports.core.text.wording import format_duration, format_size
from canvas_exports.foreign_text import harmless

_SHORTEST = 2.0  # seconds between two polls: a person waits
_NEXT_STEPS = {
    RestoreOutcome.FAILED: "Fix what the reason names, or choose another copy, and start again.",
    RestoreOutcome.STALLED: "Repeat the same command to poll Canvas again; that imports nothing a second time.",
}
_DOING = {
    Phase.PLANNED: "Checking the copy",
    Phase.INTENDED: "Uploading",
    Phase.CREATED: "Uploading",
    Phase.SENT: "Canvas imports",
}


def add_parser(parsers: Parsers) -> None:
    """Add the subcommand."""
    parser = add_subcommand(
        parsers,
        "restore",
        run,
        help="import a copy into a course through Canvas, with the checks of the DAG canvas_restore",
    )
    add_course(parser)
    add_archive(parser)
    parser.add_argument(
        "--into",
        required=True,
        metavar="COURSE",
        help="target course: its number, its page, or sis_course_id:...",
    )
    add_canvas(parser, help="Canvas of the target course")
    add_copy(parser)
    parser.add_argument(
        "--proof",
        choices=PROOF_LEVELS,
        default=PROOF_LEVELS[0],
        help=f"level of the proof before the upload ({PROOF_LEVELS[0]})",
    )
    parser.add_argument(
        "--via",
        choices=(UPLOAD, URL),
        default=UPLOAD,
        help="upload (default), or url: Canvas fetches the package from the archive by a signed URL",
    )
    parser.add_argument(
        "--confirm-same-course",
        metavar="ID",
        help="number of the course of the copy, to restore into that same course",
    )
    parser.add_argument(
        "--allow-content", action="store_true", help="accept a target course that is not empty"
    )
    parser.add_argument(
        "--fail-on",
        choices=FAIL_ON,
        default=FAIL_ON[0],
        help="exit with 1 if Canvas reports any issues (default), reports errors, or only on a failure",
    )
    parser.add_argument(
        "--hours",
        type=positive_number,
        default=12,
        metavar="N",
        help="wait for Canvas so many hours at most (12)",
    )
    parser.add_argument(
        "--start-over",
        action="store_true",
        help="forget a restore with the same arguments that was interrupted; check the imports in Canvas before",
    )


def run(options: argparse.Namespace) -> int:
    """Restore, and print the result; return 1 if it is a failure by ``--fail-on``."""
    with option_labels():
        request = RestoreRequest.build(
            course=options.course,
            into=options.into,
            copy=options.copy,
            export_type=options.type,
            proof=options.proof,
            via=options.via,
            confirm_same_course=options.confirm_same_course,
            allow_content=options.allow_content,
            allow_incomplete=options.allow_incomplete,
        )
        host, token = canvas_access(options)
        with open_archive(options) as store, CanvasClient(host, token) as client:
            if not isinstance(request.source, str):
                request.source.check_host(client.host, field=label("course"))
            request.into.check_host(client.host, field=label("into"))
            identity = (client.host, store.uri, options.course, options.copy, options.type, options.into)
            with saved_restore(*identity) as saved:
                result = _Command(
                    client, store, request, saved=saved, options=options, access=(host, token)
                ).run()
    if options.json:
        print_json({**result.to_json(), "next_step": _next_step(result)})
    else:
        _print(result)
    return 1 if result.is_failure(options.fail_on) else 0


class _Command:
    """One restore of this process, resumed from the saved state of an earlier one."""

    def __init__(
        self,
        client: CanvasClient,
        store: Store,
        request: RestoreRequest,
        *,
        saved: SavedRestore,
        options: argparse.Namespace,
        access: tuple[str, str],
    ) -> None:
        self._saved, self._access = saved, access
        document = None if options.start_over else saved.load()
        fresh = RestoreState(deadline=time.time() + options.hours * 3600)
        state = read_state(document, RestoreState.from_json, fresh)
        if document is not None:
            print_note("resuming the restore of an earlier command")
            fresh.generation = state.generation + 1  # a new deadline
            state.resume(fresh)
        self._restore = Restore(client=client, store=store, request=request, state=state, save=self._save)

    def run(self) -> RestoreResult:
        """Run the restore to its end. After a stall the state is kept: the next command polls Canvas again."""
        PROGRESS.begin(_DOING[Phase.PLANNED])
        try:
            while (job := self._restore.advance()) is not None:
                asyncio.run(self._wait(job))
        except KeyboardInterrupt:
            self._restore.cancel()
            print_note("interrupted; the same command goes on where this one ended")
            raise
        result = self._restore.result
        assert result is not None
        if result.outcome is not RestoreOutcome.STALLED:
            self._saved.remove()
        return result

    def _save(self, document: dict[str, Any]) -> None:
        self._saved.save(document)
        doing = _DOING.get(Phase(document["phase"]))
        if doing is not None:
            PROGRESS.begin(doing, total=self._restore.copy.package.size if doing == "Uploading" else None)

    async def _wait(self, job: CanvasJob) -> None:
        PROGRESS.begin(_DOING[Phase.SENT])
        async with AsyncCanvasClient(*self._access) as client:
            await wait_for(_Watched(client), job, shortest=_SHORTEST)


class _Watched:
    """A client that shows how far Canvas says it is; see ``wait.PollingClient``."""

    def __init__(self, client: AsyncCanvasClient) -> None:
        self._client = client

    async def progress(self, progress_id: int) -> Progress:
        """Pass on, and show the completion."""
        found = await self._client.progress(progress_id)
        if found.completion is not None:
            PROGRESS.describe(f"{found.completion:.0f} %")
        return found

    async def show_migration(self, course: Context, migration_id: int) -> ContentMigration:
        """Pass on."""
        return await self._client.show_migration(course, migration_id)

    async def show_export(self, context: Context, export_id: int) -> ContentExport:
        """Pass on."""
        return await self._client.show_export(context, export_id)


def _print(result: RestoreResult) -> None:
    took = format_duration(timedelta(seconds=result.seconds))
    print_text(
        f"{result.outcome.value}: {result.copy} into course {result.course_id}, "
        f"{format_size(float(result.size))} in {took}"
    )
    if result.reason:
        print_text(harmless(result.reason))
    for text in result.texts:
        print_text(f"  {harmless(text)}")
    if step := _next_step(result):
        print_text(step)


def _next_step(result: RestoreResult) -> str:
    return _NEXT_STEPS.get(result.outcome, result.outcome.next_step)
