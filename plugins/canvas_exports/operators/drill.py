"""The operators of restore drills: sample copies with target courses, and run one drill for each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from canvas_exports.airflow_compat import AirflowFailException, conf
from canvas_exports.core.model.durations import Duration
from canvas_exports.core.model.proof_levels import PROOF_LEVELS
from canvas_exports.core.restore.choices import NEWEST
from canvas_exports.core.restore.form_labels import DRILL_LABELS
from canvas_exports.errors import InputError
from canvas_exports.hooks.canvas import CanvasHook
from canvas_exports.operators.task_support.import_base import ImportingOperator, Save
from canvas_exports.operators.task_support.task_context import AirflowErrors, run_info

if TYPE_CHECKING:
    from airflow.sdk import Context

    from canvas_exports.core.canvas.client import CanvasClient
    from canvas_exports.core.restore.drills.drill import Drill
    from canvas_exports.core.restore.request import RestoreRequest
    from canvas_exports.core.restore.state import RestoreState
    from canvas_exports.core.storage.store import Store

MOST = 100  # drills of one run


class CanvasDrawDrillsOperator(BaseOperator):
    """Sample copies at random and assign an empty target course to each.

    The weight of a course grows with the days since its last drill; a course without a drill nearly always comes first. The
    same seed samples the same courses. Uses only target courses that are named, and skips those that were published, are not
    empty, or are busy with an import; so each is used once until it is emptied.

    Changes nothing in Canvas and nothing in the archive.

    Args:
        archive: root URI of the archive.
        into: target courses: ids or SIS ids, as a list, or as text with commas or line breaks between them.
        count: number of copies, 1 to 100; fewer if there are fewer empty target courses.
        seed: any text; by default the id of the DAG run.
        export_type: of the packages.
        archive_conn_id: Airflow connection of the archive.
        canvas_conn_id: Airflow connection of the Canvas with the target courses.

    Raises:
        AirflowFailException: bad input, no usable target course, or no proven copy in the archive.
    """

    template_fields: Sequence[str] = (
        "archive",
        "into",
        "count",
        "seed",
        "export_type",
        "archive_conn_id",
        "canvas_conn_id",
    )
    ui_color = "#e8f0f7"

    def __init__(
        self,
        *,
        archive: str,
        into: str | Iterable[str | int],
        count: int | str = 1,
        seed: str | None = None,
        export_type: str = "common_cartridge",
        archive_conn_id: str | None = None,
        canvas_conn_id: str = CanvasHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.archive = archive
        self.into = into
        self.count = count
        self.seed = seed
        self.export_type = export_type
        self.archive_conn_id = archive_conn_id
        self.canvas_conn_id = canvas_conn_id

    @AirflowErrors()
    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Return arguments for ``CanvasRestoreDrillOperator``, one set for each drill."""
        from canvas_exports.core.archive.catalog.presence import require_archive
        from canvas_exports.core.restore.drills.sample import sample_copies
        from canvas_exports.core.restore.drills.target_courses import find_empty_courses
        from canvas_exports.hooks.archive import open_archive

        named, count = self._named(), self._count()
        with CanvasHook(self.canvas_conn_id).get_conn() as client:
            targets = find_empty_courses(client, named)
        for course, why in targets.refused.items():
            self.log.warning("Target course %s is not used: %s", course, why)
        if not targets.empty:
            raise InputError(
                DRILL_LABELS["into"],
                "no target course is usable",
                accepted="courses that are empty and were never published; reset one or add one in Canvas",
            )
        with open_archive(self.archive, self.archive_conn_id) as store:
            sampled = sample_copies(
                store,
                min(count, len(targets.empty)),
                seed=self.seed or context["ti"].run_id,
                now=datetime.now(timezone.utc),
                export_type=self.export_type,
                leave_out=targets.ids,
            )
            if not sampled:
                require_archive(store)
        if not sampled:
            raise AirflowFailException(f"The archive holds no proven {self.export_type} copy.")
        if len(sampled) < count:
            self.log.warning(
                "%d of %d drills: there are no more copies or no more empty target courses",
                len(sampled),
                count,
            )
        pairs = zip(sampled, targets.empty, strict=False)
        return [{"course": copy.name, "copy": copy.key, "into": str(course)} for copy, course in pairs]

    def _named(self) -> list[str | int]:
        into = re.split(r"[,\n]", self.into) if isinstance(self.into, str) else list(self.into or ())
        named = [course for course in into if str(course).strip()]
        if not named:
            raise InputError(
                DRILL_LABELS["into"],
                "no target course is named",
                accepted="ids or SIS ids of empty courses that were never published",
            )
        return named

    def _count(self) -> int:
        try:
            count = int(self.count)
        except (TypeError, ValueError):
            count = 0
        if not 1 <= count <= MOST:
            raise InputError(
                DRILL_LABELS["count"], f"{self.count!r} is not a number of drills", accepted=f"1 to {MOST}"
            )
        return count


class CanvasRestoreDrillOperator(ImportingOperator):
    """Restore one copy, export the restored course, compare the two packages, and record the result.

    Writes the record beside the manifest of the copy; see the docs of the archive. The task fails if the drill fails. Restores
    only into an empty course that was never published, and leaves the restored content there.

    Args:
        course: the course of the copy, as ``CanvasDrawDrillsOperator`` returns it.
        into: the target course.
        archive: root URI of the archive.
        copy: key of the manifest; or as for ``CanvasRestoreOperator``.
        export_type: of the package, if no key says it.
        archive_conn_id: Airflow connection of the archive.
        canvas_conn_id: Airflow connection of the Canvas with the target course.
        proof: level of the proof before the upload.
        poll_shortest: shortest interval between two polls, in seconds.
        poll_longest: longest interval between two polls, in seconds.
        deadline: how long the drill may take; a timedelta or ISO 8601 (``PT12H``).
        deferrable: wait in the triggerer; otherwise in the worker, which then stays occupied.

    Raises:
        AirflowFailException: bad input, a refused target course, or a failed drill.
        CanvasExportsError: Canvas or the archive could not be reached; Airflow retries and the task resumes.
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
        self._drill: Drill | None = None

    @property
    def drill_name(self) -> str:
        """Return the name of this drill for ``map_index_template``: ``course:101 into 300``."""
        return f"{self.course} into {self.into}"

    def check(self) -> None:
        """Refuse bad input."""
        self._request()

    def build(
        self,
        context: Context,
        *,
        client: CanvasClient,
        store: Store,
        fresh: RestoreState,
        document: Any,
        save: Save,
    ) -> Drill:
        """Return the drill, from the state of an earlier attempt or a fresh one."""
        from canvas_exports.core.restore.drills.drill import Drill, DrillState
        from canvas_exports.core.restore.state import read_state

        state = read_state(document, DrillState.from_json, DrillState(fresh))
        state.restore.resume(fresh)
        self._drill = Drill(
            client=client,
            store=store,
            request=self._request(),
            state=state,
            save=save,
            run=run_info(context).to_facts(),
        )
        return self._drill

    def finish(self, context: Context) -> dict[str, Any]:
        """Log the result, and fail the task if the drill failed."""
        assert self._drill is not None
        result = self._drill.state.result
        assert result is not None
        for difference in result.differences:
            self.log.warning("%s", difference)
        self.log.info("%s: %s, %.0f s", result.copy, result.reason, result.seconds)
        document = result.to_json()
        if not result.passed:
            context["ti"].xcom_push(key="drill", value=document)
            raise AirflowFailException(f"The drill failed: {result.reason} ({result.record})")
        return document

    def _request(self) -> RestoreRequest:
        from canvas_exports.core.restore.request import RestoreRequest

        return RestoreRequest.build(
            course=self.course,
            into=self.into,
            copy=self.copy,
            export_type=self.export_type,
            proof=self.proof,
            only_unpublished=True,
        )
