"""Restore a stored package into a course."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import BaseOperator, BaseOperatorLink, conf
from airflow.sdk.exceptions import AirflowFailException

from canvas_exports.errors import CanvasExportsError, InputError
from canvas_exports.export.durations import Duration, read_duration
from canvas_exports.hooks.archive import open_archive
from canvas_exports.hooks.canvas import CanvasHook
from canvas_exports.operators.failures import fail
from canvas_exports.operators.links import CanvasLink
from canvas_exports.restore.job import Restore
from canvas_exports.restore.request import LEVELS, NEWEST, UPLOAD, RestoreRequest
from canvas_exports.restore.result import RestoreResult
from canvas_exports.restore.state import RestoreState
from canvas_exports.restore.waiting import Waiting, wait_for
from canvas_exports.triggers.restore import CanvasRestoreTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context

CHECKPOINT = "canvas_exports"
FAIL_ON = ("issues", "errors", "failure")
_BACKSTOP = timedelta(minutes=15)  # Airflow's own time-out lies behind the deadline; the trigger speaks first


class CanvasRestoreOperator(BaseOperator):
    """Import one stored package into one course, through Canvas's content migrations, and tell what Canvas noted.

    The package is chosen from the manifests, proven, and its target is checked before Canvas is asked for anything. Then it
    is streamed from the archive in constant memory, and the task waits in the triggerer while Canvas imports. The bytes are
    compared with the manifest's digest as they pass: an upload of others is never completed.

    A retry goes on where the last attempt ended: the state is kept in Airflow's task state store, where it also survives a
    Clear. A package is never imported twice by one task instance; to restore again, start a new run.

    It never restores into the course the copy was made of, unless that course's number is repeated, nor into a course that
    holds something already, unless allowed. It deletes nothing, and cannot take an import back. What a package never held
    (enrolments, submissions, grades) does not come back.

    Args:
        course: what to restore: a course's number (``101``), its SIS id, or any context (``group:7``).
        into: number or SIS id of the course that it goes into.
        archive: root URI of the archive.
        copy: ``newest`` proven copy; a day or time (UTC) for the newest one by then; or the key of a manifest or package.
        export_type: which kind of package: ``common_cartridge``, ``qti`` or ``zip``.
        archive_conn_id: Airflow connection of the archive; without it, the environment's credentials.
        canvas_conn_id: Airflow connection of the Canvas that is restored into.
        proof: how deep the package is proven first: ``directory``, or ``full``, which reads all of it.
        via: ``upload``, or ``url``: Canvas fetches the package from the archive by a signed URL that lasts six hours.
        confirm_same_course: the number of the course the copy was made of, to restore into that very course.
        allow_content: restore into a course that is not empty; what is in both is overwritten.
        allow_incomplete: restore a copy that is not whole, for want of a better one.
        fail_on: when the task fails: Canvas noted any ``issues``, noted ``errors``, or only on a ``failure``.
        poll_shortest: seconds, the shortest interval between two looks.
        poll_longest: seconds, the longest.
        deadline: how long the restore may take; a timedelta or ISO 8601 (``PT12H``).
        deferrable: wait in the triggerer; otherwise in the worker, which then stays occupied.

    Raises:
        AirflowFailException: bad input, a target that is refused, a damaged package, or the failure policy.
        CanvasExportsError: Canvas or the archive could not be reached; Airflow retries and goes on from here.
    """

    template_fields: Sequence[str] = (
        "course",
        "into",
        "archive",
        "copy",
        "export_type",
        "archive_conn_id",
        "canvas_conn_id",
        "proof",
        "via",
        "confirm_same_course",
        "allow_content",
        "allow_incomplete",
        "fail_on",
        "deadline",
    )
    operator_extra_links: Sequence[BaseOperatorLink] = (CanvasLink(),)
    ui_color = "#e2f3e5"

    def __init__(
        self,
        *,
        course: str | int,
        into: str | int,
        archive: str,
        copy: str = NEWEST,
        export_type: str = "common_cartridge",
        archive_conn_id: str | None = None,
        canvas_conn_id: str = CanvasHook.default_conn_name,
        proof: str = LEVELS[0],
        via: str = UPLOAD,
        confirm_same_course: str | int | None = None,
        allow_content: bool = False,
        allow_incomplete: bool = False,
        fail_on: str = FAIL_ON[0],
        poll_shortest: float = 5.0,
        poll_longest: float = 60.0,
        deadline: Duration = timedelta(hours=12),
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.course = course
        self.into = into
        self.archive = archive
        self.copy = copy
        self.export_type = export_type
        self.archive_conn_id = archive_conn_id
        self.canvas_conn_id = canvas_conn_id
        self.proof = proof
        self.via = via
        self.confirm_same_course = confirm_same_course
        self.allow_content = allow_content
        self.allow_incomplete = allow_incomplete
        self.fail_on = fail_on
        self.poll_shortest = poll_shortest
        self.poll_longest = poll_longest
        self.deadline = deadline
        self.deferrable = deferrable
        self._restore: Restore | None = None
        self.canvas_url: str | None = None

    def execute(self, context: Context) -> dict[str, Any]:
        """Begin, or go on from the state of an earlier attempt."""
        return self._run(context, refused=False)

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> dict[str, Any]:
        """Go on after waiting. Canvas itself is asked what became of the import."""
        return self._run(context, refused=event is not None and event.get("status") == "refused")

    def on_kill(self) -> None:
        """Break an upload off; keep the state; touch nothing in Canvas."""
        if self._restore is not None:
            self._restore.cancel()

    def _run(self, context: Context, *, refused: bool) -> dict[str, Any]:
        with self._open(context, refused=refused) as restore:
            while (waiting := restore.advance()) is not None:
                self._show(restore)
                if self.deferrable:
                    self._wait(waiting, context["ti"].try_number)
                asyncio.run(self._stay(waiting))
            self._show(restore)
            result = restore.result
        assert result is not None
        return self._finish(context, result)

    @contextmanager
    def _open(self, context: Context, *, refused: bool) -> Iterator[Restore]:
        """Check the input, restore the state, open Canvas and the archive; errors become Airflow's on the way out."""
        store_state = context["task_state_store"]
        try:
            request, lasts = self._request(), read_duration(self.deadline, field="deadline")
            deadline = time.time() + lasts.total_seconds()
            generation = max(context["ti"].max_tries - (self.retries or 0), 0)
            state = RestoreState.from_json(store_state.get(CHECKPOINT))
            state = state or RestoreState(deadline=deadline, generation=generation)
            state.resume(generation=generation, deadline=deadline)
            with (
                open_archive(self.archive, self.archive_conn_id) as store,
                CanvasHook(self.canvas_conn_id).get_conn() as client,
            ):
                if refused:
                    client.whoami()  # otherwise the next watch would be refused as well
                self.canvas_url = client.host
                self._restore = Restore(
                    client=client,
                    store=store,
                    request=request,
                    state=state,
                    save=lambda document: store_state.set(CHECKPOINT, document),
                )
                yield self._restore
        except CanvasExportsError as error:
            if not error.retryable:
                fail(error)
            raise

    def _show(self, restore: Restore) -> None:
        """Lead the button to the page on which Canvas lists the course's imports."""
        self.canvas_url = f"{restore.canvas_host}/courses/{restore.course_id}/content_migrations"

    def _request(self) -> RestoreRequest:
        if self.fail_on not in FAIL_ON:
            raise InputError("fail_on", f"{self.fail_on!r} is not known", accepted=FAIL_ON)
        return RestoreRequest.build(
            course=self.course,
            into=self.into,
            copy=self.copy,
            export_type=self.export_type,
            proof=self.proof,
            via=self.via,
            confirm_same_course=self.confirm_same_course,
            allow_content=self.allow_content,
            allow_incomplete=self.allow_incomplete,
        )

    def _wait(self, waiting: Waiting, try_number: int) -> NoReturn:
        """Free the worker until Canvas is done."""
        trigger = CanvasRestoreTrigger(
            canvas_conn_id=self.canvas_conn_id,
            waiting=waiting.to_json(),
            pace=[self.poll_shortest, self.poll_longest],
            try_number=try_number,
        )
        rest = timedelta(seconds=max(waiting.deadline - time.time(), 0.0))
        self.defer(trigger=trigger, method_name="execute_complete", timeout=rest + _BACKSTOP)
        raise AssertionError("defer does not return")

    async def _stay(self, waiting: Waiting) -> None:
        """Wait in this process; the way without a triggerer."""
        async with CanvasHook(self.canvas_conn_id).async_conn() as client:
            await wait_for(client, waiting, shortest=self.poll_shortest, longest=self.poll_longest)

    def _finish(self, context: Context, result: RestoreResult) -> dict[str, Any]:
        """Tell what became of it, and judge it by the policy. The result can be read either way."""
        for text in result.texts:
            self.log.info("Canvas noted: %s", text)
        self.log.info("%s into course %d: %s", result.copy, result.course_id, result.outcome.value)
        document = result.to_json()
        if result.is_failure(self.fail_on):
            context["ti"].xcom_push(key="restore", value=document)
            raise AirflowFailException(
                f"{result.outcome.value}: {result.reason} (course {result.course_id}, {result.copy})"
            )
        return document
