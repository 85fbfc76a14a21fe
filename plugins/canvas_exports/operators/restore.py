"""The operator that restores a stored package into a course."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from canvas_exports.airflow_compat import AirflowFailException, conf
from canvas_exports.core.model.durations import Duration
from canvas_exports.core.model.proof_levels import PROOF_LEVELS
from canvas_exports.core.restore.choices import FAIL_ON, NEWEST, UPLOAD
from canvas_exports.core.restore.timing import RestoreTiming
from canvas_exports.hooks.canvas import CanvasHook
from canvas_exports.operators.task_support.import_base import ImportingOperator, Save

if TYPE_CHECKING:
    from airflow.sdk import Context

    from canvas_exports.core.canvas.client import CanvasClient
    from canvas_exports.core.restore.request import RestoreRequest
    from canvas_exports.core.restore.restore import Restore
    from canvas_exports.core.restore.state import RestoreState
    from canvas_exports.core.storage.store import Store


class CanvasRestoreOperator(ImportingOperator):
    """Import one stored package into one course through Canvas's content migrations, and report the issues.

    Chooses the copy from the manifests, checks the target course and proves the package before it changes anything in Canvas.
    Then streams the package from the archive in constant memory, and waits in the triggerer while Canvas imports. Compares
    the bytes with the manifest's digest during the upload, and never completes the upload of other bytes.

    A retry resumes where the last attempt ended: the state is in Airflow's task state store (before Airflow 3.3: in the archive), where it also survives a Clear.
    One task instance never imports a package twice; to restore again, start a new run.

    Never restores into the source course of the copy, unless its id is confirmed, nor into a course that is not empty, unless
    allowed. Deletes nothing, and cannot undo an import. Does not restore what no package holds: enrolments, submissions,
    grades.

    Args:
        course: what to restore: the id of a course (``101``), its SIS id, code or name, or a group or user (``group:7``). A
            course that Canvas no longer has is found in the manifests.
        into: id or SIS id of the target course.
        archive: root URI of the archive.
        copy: ``newest`` proven copy; a day or time (UTC) for the newest one by then; or the key of a manifest or package.
        export_type: of the package: ``common_cartridge``, ``qti`` or ``zip``.
        archive_conn_id: Airflow connection of the archive; without it, the environment's credentials.
        canvas_conn_id: Airflow connection of the Canvas with the target course.
        proof: level of the proof before the upload: ``directory``, or ``full``, which reads all of the package.
        via: ``upload``, or ``url``: Canvas downloads the package from the archive by a signed URL that lasts six hours.
        confirm_same_course: id of the source course of the copy, to restore into that same course.
        allow_content: restore into a course that is not empty; items that are in both are overwritten.
        allow_incomplete: restore a copy that is not whole, if there is no better one.
        fail_on: when the task fails: Canvas reported any ``issues``, reported ``errors``, or only on a ``failure``.
        poll_shortest: shortest interval between two polls, in seconds.
        poll_longest: longest interval between two polls, in seconds.
        deadline: how long the restore may take; a timedelta or ISO 8601 (``PT12H``).
        deferrable: wait in the triggerer; otherwise in the worker, which then stays occupied.

    Raises:
        AirflowFailException: bad input, a refused target course, a damaged package, or the failure policy.
        CanvasExportsError: Canvas or the archive could not be reached; Airflow retries and the task resumes.
    """

    #: How long a restore waits for Canvas.
    timing: ClassVar[RestoreTiming] = RestoreTiming()

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
        proof: str = PROOF_LEVELS[0],
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
        super().__init__(
            archive=archive,
            archive_conn_id=archive_conn_id,
            canvas_conn_id=canvas_conn_id,
            poll_shortest=poll_shortest,
            poll_longest=poll_longest,
            deadline=deadline,
            deferrable=deferrable,
            **kwargs,
        )
        self.course = course
        self.into = into
        self.copy = copy
        self.export_type = export_type
        self.proof = proof
        self.via = via
        self.confirm_same_course = confirm_same_course
        self.allow_content = allow_content
        self.allow_incomplete = allow_incomplete
        self.fail_on = fail_on
        self._restore: Restore | None = None

    def check(self) -> None:
        """Refuse bad input."""
        from canvas_exports.core.restore.form_labels import form_error

        if self.fail_on not in FAIL_ON:
            raise form_error("fail_on", f"{self.fail_on!r} is not known", accepted=FAIL_ON)
        self._request()

    def build(
        self,
        context: Context,  # noqa: ARG002 - a drill needs it
        *,
        client: CanvasClient,
        store: Store,
        fresh: RestoreState,
        document: Any,
        save: Save,
    ) -> Restore:
        """Return the restore, from the state of an earlier attempt or a fresh one."""
        from canvas_exports.core.restore.form_labels import label
        from canvas_exports.core.restore.restore import Restore
        from canvas_exports.core.restore.state import RestoreState, read_state

        request = self._request()
        if not isinstance(request.source, str):
            request.source.check_host(client.host, field=label("course"))
        request.into.check_host(client.host, field=label("into"))
        state = read_state(document, RestoreState.from_json, fresh)
        state.resume(fresh)
        self._restore = Restore(
            client=client, store=store, request=request, state=state, save=save, timing=self.timing
        )
        return self._restore

    def finish(self, context: Context) -> dict[str, Any]:
        """Log the issues, and fail the task if ``fail_on`` says so. The XCom holds the result in either case."""
        assert self._restore is not None
        result = self._restore.result
        assert result is not None
        for text in result.texts:
            self.log.warning("Canvas reported: %s", text)
        self.log.info("%s into course %d: %s", result.copy, result.course_id, result.outcome.value)
        document = result.to_json()
        if result.is_failure(self.fail_on):
            context["ti"].xcom_push(key="restore", value=document)
            raise AirflowFailException(
                f"{result.outcome.value}: {str(result.reason).rstrip('.')}. {result.outcome.next_step} "
                f"(course {result.course_id}, {result.copy})"
            )
        return document

    def _request(self) -> RestoreRequest:
        from canvas_exports.core.restore.request import RestoreRequest

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
