"""Restore a stored package into a course."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import conf
from airflow.sdk.exceptions import AirflowFailException

from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.model.durations import Duration
from canvas_exports.core.model.proof_levels import PROOF_LEVELS
from canvas_exports.core.restore.form_labels import label, refused
from canvas_exports.core.restore.request import NEWEST, UPLOAD, RestoreRequest
from canvas_exports.core.restore.restore import Restore
from canvas_exports.core.restore.state import RestoreState, earlier
from canvas_exports.core.storage.store import Store
from canvas_exports.hooks.canvas import CanvasHook
from canvas_exports.operators.import_base import ImportingOperator, Save

if TYPE_CHECKING:
    from airflow.sdk import Context

FAIL_ON = ("issues", "errors", "failure")


class CanvasRestoreOperator(ImportingOperator):
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
        course: what to restore: a course's number (``101``), its SIS id, code or name, or any context (``group:7``). A course
            that Canvas no longer knows is found in the manifests.
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
        if self.fail_on not in FAIL_ON:
            raise refused("fail_on", f"{self.fail_on!r} is not known", accepted=FAIL_ON)
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
        """The restore, as far as an earlier attempt came."""
        request = self._request()
        if not isinstance(request.source, str):
            request.source.check_host(client.host, field=label("course"))
        request.into.check_host(client.host, field=label("into"))
        state = earlier(document, RestoreState.from_json, fresh)
        state.resume(fresh)
        self._restore = Restore(client=client, store=store, request=request, state=state, save=save)
        return self._restore

    def finish(self, context: Context) -> dict[str, Any]:
        """Tell what became of it, and judge it by the policy. The result can be read either way."""
        assert self._restore is not None
        result = self._restore.result
        assert result is not None
        for text in result.texts:
            self.log.warning("Canvas noted: %s", text)
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
