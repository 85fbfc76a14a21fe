"""What happens between POST and package, in which order, and how it can go wrong."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from canvas_sandbox import Course, Fault, Sandbox, Switches
from canvas_sandbox.content.model import Kind

if TYPE_CHECKING:
    from tests.support.canvas.sandbox_client import Call, Caller, Start


def watch(
    canvas: Sandbox, caller: Caller, export: Any, seconds: int = 110
) -> list[tuple[str, float, str, bool]]:
    """Progress state, completion, export state and presence of the package, second by second, repetitions left out."""
    history: list[tuple[str, float, str, bool]] = []
    for _ in range(seconds):
        progress, shown = caller.progress(export), caller.show(export)
        row = (
            progress["workflow_state"],
            progress["completion"],
            shown["workflow_state"],
            "attachment" in shown,
        )
        if not history or history[-1] != row:
            history.append(row)
        canvas.advance(1)
    return history


@pytest.fixture
def slow(start: Start) -> Sandbox:
    return start(Course(id=101, duration=100))


def test_29_completion_goes_back_from_25_to_15(slow: Sandbox, call: Call) -> None:
    admin = call(slow)
    completions = [row[1] for row in watch(slow, admin, admin.create())]
    assert completions == [0, 5, 10, 20, 25, 15, 30, 32, 35, 37, 40, 60, 70, 89, 91, 92, 93, 93, 100, 100]


def test_30_the_attachment_comes_first_then_progress_then_the_export(slow: Sandbox, call: Call) -> None:
    admin = call(slow)
    assert watch(slow, admin, admin.create())[-4:] == [
        ("running", 93.0, "exporting", False),
        ("running", 93.0, "exporting", True),
        ("completed", 100.0, "exporting", True),
        ("completed", 100.0, "exported", True),
    ]


def test_30_a_file_package_is_attached_only_at_the_end(slow: Sandbox, call: Call) -> None:
    admin = call(slow)
    assert watch(slow, admin, admin.create("zip"))[-2:] == [
        ("completed", 100.0, "exporting", False),
        ("completed", 100.0, "exported", True),
    ]


def test_31_a_quiz_migration_stays_created_while_the_feature_is_off(canvas: Sandbox, teacher: Caller) -> None:
    quiz = next(iter(canvas.content(101).of(Kind.QUIZ)))
    export = teacher.finish(teacher.create("quizzes2", quiz_id=quiz.id))
    assert export["workflow_state"] == "created"


@pytest.mark.parametrize("export_type", ["common_cartridge", "qti", "zip"])
def test_32_a_failing_export_has_no_package(start: Start, call: Call, export_type: str) -> None:
    canvas = start(Course(id=101, faults=[Fault.EXPORT_FAILS.times(1)]))
    admin = call(canvas)
    first = admin.finish(admin.create(export_type))
    assert (first["workflow_state"], "attachment" in first) == ("failed", False)
    assert admin.progress(first)["workflow_state"] == "failed"
    assert admin.finish(admin.create(export_type))["workflow_state"] == "exported"


def test_32_progress_fails_before_the_export_does(start: Start, call: Call) -> None:
    canvas = start(Course(id=101, duration=100, faults=[Fault.EXPORT_FAILS]))
    admin = call(canvas)
    states = [(row[0], row[2]) for row in watch(canvas, admin, admin.create())]
    assert states[-2:] == [("failed", "exporting"), ("failed", "failed")]


def test_33_an_unreadable_file_is_silently_missing_from_a_file_export(start: Start, call: Call) -> None:
    canvas = start(Course(id=101, faults=[Fault.INCOMPLETE]))
    files = {file.title for file in canvas.content(101).of(Kind.FILE)}
    names = {
        name.rpartition("/")[2] for name in call(canvas).package("zip").namelist() if not name.endswith("/")
    }
    assert len(files - names) == 1


@pytest.mark.parametrize("export_type", ["common_cartridge", "qti"])
def test_34_an_unreadable_file_is_named_by_the_manifest_all_the_same(
    start: Start, call: Call, export_type: str
) -> None:
    package = call(start(Course(id=101, faults=[Fault.INCOMPLETE]))).package(export_type)
    missing = hrefs(package) - set(package.namelist())
    assert len(missing) == 1
    assert package.testzip() is None


@pytest.mark.parametrize("export_type", ["common_cartridge", "qti"])
def test_35_export_errors_are_comments_after_the_manifest(start: Start, call: Call, export_type: str) -> None:
    manifest = (
        call(start(Course(id=101, faults=[Fault.EXPORT_ERRORS]))).package(export_type).read("imsmanifest.xml")
    )
    body, _, tail = manifest.decode().partition("</manifest>")
    assert "<!--" not in body
    assert re.findall(r"<!--(.*?)-->", tail)[0] == "Export errors for export 501:"
    assert len(re.findall(r"<!--(.*?)-->", tail)) == 3


@pytest.mark.parametrize(
    ("fault", "state", "progress"),
    [
        (Fault.STUCK_CREATED, "created", "queued"),
        (Fault.STUCK_EXPORTING, "exporting", "running"),
        (Fault.STUCK_WAITING, "waiting_for_external_tool", "waiting_for_external_tool"),
    ],
)
def test_a_stuck_export_stays_where_it_is(
    start: Start, call: Call, fault: Fault, state: str, progress: str
) -> None:
    canvas = start(Course(id=101, faults=[fault]))
    admin = call(canvas)
    export = admin.create()
    canvas.advance(86_400)
    assert admin.show(export)["workflow_state"] == state
    assert admin.progress(export)["workflow_state"] == progress


@pytest.mark.parametrize(("holds", "other"), [(True, "created"), (False, "exported")])
def test_a_stuck_job_occupies_its_worker_only_with_the_switch(
    start: Start, call: Call, holds: bool, other: str
) -> None:
    switches = Switches(manual_clock=True, job_workers=1, stuck_holds_worker=holds)
    canvas = start(Course(id=101, faults=[Fault.STUCK_EXPORTING]), Course(id=102), switches=switches)
    admin = call(canvas)
    admin.create()
    second = admin.create(context="courses/102")
    assert admin.finish(second, "courses/102")["workflow_state"] == other


def test_an_export_can_end_without_a_package(start: Start, call: Call) -> None:
    admin = call(start(Course(id=101, faults=[Fault.NO_ATTACHMENT])))
    export = admin.finish(admin.create())
    assert (export["workflow_state"], "attachment" in export) == ("exported", False)


def test_progress_can_fall_back_to_nearly_nothing(start: Start, call: Call) -> None:
    canvas = start(Course(id=101, duration=100, faults=[Fault.PROGRESS_REGRESSION]))
    admin = call(canvas)
    completions = [row[1] for row in watch(canvas, admin, admin.create())]
    assert completions[completions.index(60.0) + 1] == 2.0


def test_jobs_wait_for_workers_in_order(start: Start, call: Call) -> None:
    canvas = start(Course(id=101, duration=10), switches=Switches(manual_clock=True, job_workers=2))
    admin = call(canvas)
    exports = [admin.create("qti") for _ in range(5)]
    states = []
    for _ in range(3):
        states.append([record.state for record in canvas.exports])
        canvas.advance(10)
    running, waiting, done = "exporting", "created", "exported"
    assert states == [
        [running, running, waiting, waiting, waiting],
        [done, done, running, running, waiting],
        [done, done, done, done, running],
    ]
    assert admin.finish(exports[-1])["workflow_state"] == done


def test_time_scale_stretches_jobs_and_nothing_else(start: Start, call: Call) -> None:
    canvas = start(Course(id=101, duration=100), time_scale=0.01)
    admin = call(canvas)
    export = admin.create()
    canvas.advance(1)
    assert admin.show(export)["workflow_state"] == "exported"


def test_durations_can_be_spread_by_seed(start: Start, call: Call) -> None:
    switches = Switches(manual_clock=True, duration=10, duration_sigma=0.8, job_workers=20)

    def durations(seed: int) -> list[float]:
        canvas = start(*(Course(id=number) for number in range(1, 9)), switches=switches, seed=seed)
        admin = call(canvas)
        for number in range(1, 9):
            admin.create(context=f"courses/{number}")
        canvas.advance(10_000)
        return [round((record.finished_at or 0) - record.created_at, 6) for record in canvas.exports]

    assert durations(1) == durations(1)
    assert durations(1) != durations(2)
    assert len(set(durations(1))) == 8


def test_a_real_cartridge_can_be_handed_out(
    start: Start, call: Call, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("real") / "course.imscc"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("imsmanifest.xml", "<manifest/>")
    admin = call(start(Course(id=101, package=path)))
    export = admin.finish(admin.create())
    assert admin.download(export).content == path.read_bytes()
    assert export["attachment"]["size"] == path.stat().st_size


def hrefs(package: zipfile.ZipFile) -> set[str]:
    manifest = package.read("imsmanifest.xml").decode()
    return {href.replace("&amp;", "&") for href in re.findall(r'<file href="([^"]+)"', manifest)}


def test_a_whole_cartridge_names_exactly_what_it_holds(admin: Caller) -> None:
    package = admin.package()
    files = {name for name in package.namelist() if not name.endswith("/")}
    assert hrefs(package) | {"imsmanifest.xml"} == files
    assert package.namelist()[-1] == "imsmanifest.xml"


def test_the_same_download_twice_is_the_same_bytes(admin: Caller) -> None:
    export = admin.finish(admin.create())
    one, two = admin.download(export), admin.download(export)
    assert one.content == two.content
    assert one.headers["ETag"] == two.headers["ETag"]
    assert zipfile.ZipFile(io.BytesIO(one.content)).testzip() is None
