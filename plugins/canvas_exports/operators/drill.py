"""Restore drills: draw packages and courses for trial, and try each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, conf
from airflow.sdk.exceptions import AirflowFailException

from canvas_exports.core.archive.catalog.presence import require_archive
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.model.durations import Duration
from canvas_exports.core.model.proof_levels import PROOF_LEVELS
from canvas_exports.core.restore.drills.drill import Drill, DrillState
from canvas_exports.core.restore.drills.sample import draw
from canvas_exports.core.restore.drills.target_courses import empty_rooms
from canvas_exports.core.restore.form_labels import DRILLS
from canvas_exports.core.restore.request import NEWEST, RestoreRequest
from canvas_exports.core.restore.state import RestoreState, earlier
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import InputError
from canvas_exports.hooks.archive import open_archive
from canvas_exports.hooks.canvas import CanvasHook
from canvas_exports.operators.error_mapping import ending_in_one_line
from canvas_exports.operators.import_base import ImportingOperator, Save
from canvas_exports.operators.task_context import run_info

if TYPE_CHECKING:
    from airflow.sdk import Context

MOST = 100  # drills of one run


class CanvasDrawDrillsOperator(BaseOperator):
    """Draw packages at random and give each an empty course to be restored into.

    The chance of a course grows with the days since its last drill; one that never had any comes first, nearly always. The
    same seed draws the same courses. Courses to restore into are named, never guessed: those of them that were published,
    hold anything, or are busy with an import are passed over, so each is used once until somebody empties it.

    Changes nothing, in Canvas or in the archive.

    Args:
        archive: root URI of the archive.
        into: courses to restore into: numbers or SIS ids, as a list, or as text with commas or line breaks between them.
        count: how many packages, 1 to 100; fewer where there are fewer courses to restore into.
        seed: any text; by default the id of the DAG run.
        export_type: which kind of package.
        archive_conn_id: Airflow connection of the archive.
        canvas_conn_id: Airflow connection of the Canvas that is restored into.

    Raises:
        AirflowFailException: bad input, no course to restore into, or no proven copy in the archive.
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

    @ending_in_one_line
    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Arguments for ``CanvasRestoreDrillOperator``, one set for each drill."""
        named, count = self._named(), self._count()
        with CanvasHook(self.canvas_conn_id).get_conn() as client:
            rooms = empty_rooms(client, named)
        for course, why in rooms.refused.items():
            self.log.warning("Not restored into %s: %s", course, why)
        if not rooms.empty:
            raise InputError(
                DRILLS["into"],
                "none of the courses named for drills can be restored into",
                accepted="courses that are empty and were never published; reset or add one in Canvas",
            )
        with open_archive(self.archive, self.archive_conn_id) as store:
            drawn = draw(
                store,
                min(count, len(rooms.empty)),
                seed=self.seed or context["ti"].run_id,
                now=datetime.now(timezone.utc),
                export_type=self.export_type,
                leave_out=rooms.ids,
            )
            if not drawn:
                require_archive(store)
        if not drawn:
            raise AirflowFailException(f"The archive holds no proven {self.export_type} copy to try.")
        if len(drawn) < count:
            self.log.warning(
                "%d of the %d drills asked for: there is no more to restore, or no room", len(drawn), count
            )
        pairs = zip(drawn, rooms.empty, strict=False)
        return [{"course": copy.name, "copy": copy.key, "into": str(course)} for copy, course in pairs]

    def _named(self) -> list[str | int]:
        into = re.split(r"[,\n]", self.into) if isinstance(self.into, str) else list(self.into or ())
        named = [course for course in into if str(course).strip()]
        if not named:
            raise InputError(
                DRILLS["into"],
                "no course to restore into is named",
                accepted="numbers or SIS ids of empty courses that were never published",
            )
        return named

    def _count(self) -> int:
        try:
            count = int(self.count)
        except (TypeError, ValueError):
            count = 0
        if not 1 <= count <= MOST:
            raise InputError(DRILLS["count"], f"{self.count!r} drills cannot be run", accepted=f"1 to {MOST}")
        return count


class CanvasRestoreDrillOperator(ImportingOperator):
    """Restore one package for trial, export the course again, compare the two packages, and record what came of it.

    The record lies beside the package's manifest; see the docs of the archive. The task fails where the drill does. Nothing
    but an empty course that was never published is restored into, and what it then holds stays there.

    Args:
        course: whose copy, as ``CanvasDrawDrillsOperator`` returns it.
        into: the course that it goes into.
        archive: root URI of the archive.
        copy: key of the manifest; or as for ``CanvasRestoreOperator``.
        export_type: which kind of package, where no key says it.
        archive_conn_id: Airflow connection of the archive.
        canvas_conn_id: Airflow connection of the Canvas that is restored into.
        proof: how deep the package is proven first.
        poll_shortest: seconds, the shortest interval between two looks.
        poll_longest: seconds, the longest.
        deadline: how long the drill may take; a timedelta or ISO 8601 (``PT12H``).
        deferrable: wait in the triggerer; otherwise in the worker, which then stays occupied.

    Raises:
        AirflowFailException: bad input, a course that may not be restored into, or a failed drill.
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
        """What people call this drill: ``course:101 into 300``. For ``map_index_template``."""
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
        """The drill, as far as an earlier attempt came."""
        state = earlier(document, DrillState.from_json, DrillState(fresh))
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
        """Tell what came of it; a drill that failed is a task that failed."""
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
        return RestoreRequest.build(
            course=self.course,
            into=self.into,
            copy=self.copy,
            export_type=self.export_type,
            proof=self.proof,
            only_unpublished=True,
        )
