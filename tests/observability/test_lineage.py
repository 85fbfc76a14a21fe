"""OpenLineage learns where courses come from and where they go, and nothing that is secret."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support.airflow.task_runner import TaskRun

from canvas_exports.core.model.contexts import Context
from canvas_exports.observability.lineage import LineageMixin, Place, archive_place, canvas_places
from canvas_exports.operators.archive_gate import CanvasArchiveGateOperator
from canvas_exports.operators.content_export import CanvasContentExportOperator
from canvas_exports.operators.list_courses import CanvasListCoursesOperator
from canvas_exports.operators.restore import CanvasRestoreOperator
from canvas_exports.operators.retention import CanvasRetentionOperator
from canvas_exports.operators.run_report import CanvasRunReportOperator
from canvas_exports.operators.verify import CanvasVerifyOperator
from canvas_sandbox import Course, Sandbox, Switches


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("s3://campus-backups/canvas", Place("s3://campus-backups", "canvas")),
        ("gs://campus-backups", Place("gs://campus-backups", "/")),
        ("az://backups/canvas/2026?sig=secret#secret", Place("az://backups", "canvas/2026")),
        (
            "sftp://keeper:secret@backup.example.edu:2222/srv/canvas",
            Place("sftp://backup.example.edu:2222", "srv/canvas"),
        ),
        ("file:///srv/canvas", Place("file", "/srv/canvas")),
    ],
)
def test_an_archive_is_named_by_openlineages_rules_without_its_credentials(uri: str, place: Place) -> None:
    assert archive_place(uri) == place


def test_a_group_or_user_without_a_number_is_not_named_as_its_name_may_be_a_persons() -> None:
    texts = [
        "course:101",
        "sis_course_id:BIO-101",
        "group:7",
        "user:sis_login_id:ada",
        "user:self",
        "course:101",
    ]
    places = canvas_places("https://canvas.example.edu/", map(Context.parse, texts))
    assert {place.namespace for place in places} == {"https://canvas.example.edu"}
    assert [place.name for place in places] == [
        "courses/101",
        "courses/sis_course_id:BIO-101",
        "groups/7",
        "users",
    ]


def test_the_operators_need_no_openlineage() -> None:
    """A campus without OpenLineage has none of its packages."""
    program = (
        "import sys; sys.modules['openlineage'] = sys.modules['airflow.providers.openlineage.extractors'] = None\n"
        "from canvas_exports.operators import content_export, drill, list_courses, restore, run_report, verify\n"
        "from canvas_exports.observability import lineage\n"
        "assert lineage.LineageMixin().get_openlineage_facets_on_complete(None) is None"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


class TestWithOpenLineage:
    """Through the extractor of Airflow's OpenLineage provider, as its listener uses it."""

    @pytest.fixture(autouse=True)
    def _installed(self) -> None:
        pytest.importorskip("airflow.providers.openlineage")

    def extracted(self, operator: LineageMixin) -> tuple[list[tuple[str, str]], list[tuple[str, str]], Any]:
        from airflow.providers.openlineage.extractors.base import DefaultExtractor  # noqa: PLC0415 - optional

        found: Any = DefaultExtractor(operator).extract_on_complete(None)
        names = [[(each.namespace, each.name) for each in side] for side in (found.inputs, found.outputs)]
        return names[0], names[1], found

    def event(self, found: Any) -> str:
        """The event that would be sent."""
        from openlineage.client.event_v2 import Job, Run, RunEvent, RunState  # noqa: PLC0415 - optional
        from openlineage.client.serde import Serde  # noqa: PLC0415 - likewise

        text: str = Serde.to_json(
            RunEvent(
                eventType=RunState.COMPLETE,
                eventTime="2026-11-23T02:00:00Z",
                run=Run(runId="0195ce57-9fd6-7e5e-b0c2-1f2f8d1b6f6e"),
                job=Job(namespace="campus", name="canvas_backup_nightly.export"),
                inputs=found.inputs,
                outputs=found.outputs,
            )
        )
        return text

    def run(self, canvas: Sandbox, build: Any, end: str = "success") -> Any:
        task_run = TaskRun(
            build,
            {"canvas_default": {"conn_type": "canvas", "host": canvas.url, "password": canvas.token}},
        )
        assert task_run.run_segment() == end
        return task_run.operator

    def test_an_export_reads_courses_and_writes_the_archives(self, canvas: Sandbox, tmp_path: Path) -> None:
        roots = [tmp_path / "first", tmp_path / "second"]
        for root in roots:
            root.mkdir()
        operator = self.run(
            canvas,
            lambda: CanvasContentExportOperator(
                task_id="export",
                courses=["100", "101"],
                archive=roots[0].as_uri(),
                also_archives=[roots[1].as_uri()],
                poll_shortest=0.2,
            ),
        )
        inputs, outputs, found = self.extracted(operator)
        assert inputs == [(canvas.url, "courses/100"), (canvas.url, "courses/101")]
        assert outputs == [("file", str(root)) for root in roots]
        statistics = found.outputs[0].outputFacets["outputStatistics"]
        stored = list(roots[0].rglob("*.imscc"))
        assert (statistics.fileCount, statistics.size) == (2, sum(each.stat().st_size for each in stored))
        event = self.event(found)
        assert canvas.token not in event
        assert "verifier" not in event
        assert "Biology" not in event

    def test_a_restore_reads_the_archive_and_writes_a_course(self, tmp_path: Path) -> None:
        courses = [Course(id=101, name="Biology"), Course(id=300, name="Biology", state="claimed", size=0)]
        with Sandbox(courses, switches=Switches(duration=0.2, throttle=False)) as canvas:
            self.run(
                canvas,
                lambda: CanvasContentExportOperator(
                    task_id="export", courses=["101"], archive=tmp_path.as_uri(), poll_shortest=0.2
                ),
            )
            operator = self.run(
                canvas,
                lambda: CanvasRestoreOperator(
                    task_id="restore", course="101", into="300", archive=tmp_path.as_uri(), poll_shortest=0.2
                ),
            )
            inputs, outputs, found = self.extracted(operator)
            assert (inputs, outputs) == ([("file", str(tmp_path))], [(canvas.url, "courses/300")])
            assert canvas.token not in self.event(found)

    def test_every_other_operator_names_what_it_reads_and_writes(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        archive = ("file", str(tmp_path))
        root = tmp_path.as_uri()
        for build, expected in (
            (
                lambda: CanvasListCoursesOperator(task_id="list", account="1", archive=root),
                ([(canvas.url, "accounts/1/courses")], [archive]),
            ),
            (
                lambda: CanvasRunReportOperator(
                    task_id="report", archive=root, batches=[["course:100"]], fail_on="never"
                ),
                ([archive], [archive]),
            ),
            (
                lambda: CanvasRetentionOperator(
                    task_id="retention", archive=root, keep={"last": 1}, allow_empty=True
                ),
                ([archive], [archive]),
            ),
            (
                lambda: CanvasVerifyOperator(task_id="verify", archive=root, allow_empty=True),
                ([archive], [archive]),
            ),
        ):
            inputs, outputs, _ = self.extracted(self.run(canvas, build))
            assert (inputs, outputs) == expected

    def test_a_gate_that_stays_closed_names_what_it_read(self, canvas: Sandbox, tmp_path: Path) -> None:
        """OpenLineage asks for the datasets of a failed task, too."""
        root = tmp_path.as_uri()
        gate = self.run(
            canvas,
            lambda: CanvasArchiveGateOperator(task_id="gate", archive=root, courses=[100], allow_empty=True),
            end="failed",
        )
        inputs, outputs, _ = self.extracted(gate)
        assert inputs == outputs == [("file", str(tmp_path))]
