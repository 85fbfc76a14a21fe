from __future__ import annotations

import json
import re
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pendulum
import pytest
import yaml
from airflow.dag_processing.collection import _get_dag_assets
from airflow.providers.smtp.notifications.smtp import SmtpNotifier
from airflow.sdk import DAG, AssetAlias
from airflow.sdk.definitions.mappedoperator import MappedOperator
from airflow.sdk.definitions.param import process_params
from airflow.sdk.exceptions import ParamValidationError
from airflow.serialization.definitions.assets import SerializedAssetAlias
from airflow.serialization.serialized_objects import DagSerialization, LazyDeserializedDAG
from airflow.timetables.base import DataInterval, TimeRestriction
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.support.backups.backup_dags import build, round_trip

from canvas_exports.core.backups import Backup
from canvas_exports.core.backups.load import find_problems
from canvas_exports.core.backups.yaml_document import read_document
from canvas_exports.core.model.export_types import ExportType
from canvas_exports.dags.backups import backup_dag
from canvas_exports.notifications.run_report import RunReportNotifier
from canvas_exports.operators.publish import CanvasPublishOperator


def tasks(dag: DAG) -> list[Any]:
    return [dag.get_task(name) for name in ("list", "export", "report")]


def run(dag: DAG, conf: dict[str, Any]) -> list[Any]:
    """The tasks of a run that was started with these settings, rendered."""
    found = []
    for task in tasks(dag):
        instance = SimpleNamespace(map_index=0, xcom_pull=lambda **_: [["course:101"]])
        context: Any = {"ti": instance, "dag": dag, "dag_run": SimpleNamespace(conf=conf), "task": task}
        context["var"] = SimpleNamespace(value=SimpleNamespace(canvas_archive="file:///archive"))
        context["params"] = process_params(dag, task, conf, suppress_exception=False)
        task.render_template_fields(context)
        found.append(context["task"])
    return found


def next_run(dag: DAG, last: pendulum.DateTime) -> pendulum.DateTime:
    info = round_trip(dag).timetable.next_dagrun_info(
        last_automated_data_interval=DataInterval.exact(last),
        restriction=TimeRestriction(earliest=None, latest=None, catchup=True),
    )
    moment: pendulum.DateTime = info.run_after
    return moment


def test_a_backup_lists_exports_and_reports() -> None:
    dag = build()
    listing, export, report = tasks(dag)
    assert export.upstream_task_ids == {"list"}
    assert report.upstream_task_ids == {"list", "export"}
    assert isinstance(export, MappedOperator)
    assert listing.archive == "{{ var.value.canvas_archive }}"
    assert export.partial_kwargs["deferrable"] is True
    assert export.partial_kwargs["fail_on"] == "never"
    assert report.trigger_rule.value == "all_done_min_one_success"


def test_a_run_is_as_its_file_says_unless_a_person_starts_it_otherwise() -> None:
    written = {"batch_size": 10, "stall_after": "PT1H", "fail_on": "5%"}
    listing, export, report = run(build(settings=written), {})
    assert (listing.batch_size, export.stall_after, report.fail_on) == (10, "PT1H", "5%")
    assert (export.max_in_flight, export.deadline) == (50, "PT12H")
    listing, export, report = run(
        build(settings=written), {"batch_size": 2, "stall_after": "PT20S", "fail_on": "never"}
    )
    assert (listing.batch_size, export.stall_after, report.fail_on) == (2, "PT20S", "never")
    with pytest.raises(ParamValidationError, match="batch_size"):
        run(build(settings=written), {"batch_size": 0})


def test_a_setting_that_is_a_template_is_rendered_and_not_asked_for() -> None:
    dag = build(settings={"stall_after": "{{ 'PT' ~ 5 ~ 'M' }}"})
    assert "stall_after" not in dag.params
    assert run(dag, {})[1].stall_after == "PT5M"


def test_what_is_stored_of_a_dag_is_the_same_in_every_process() -> None:
    """Otherwise every reading of the file would be a new version of the DAG."""
    stored = json.dumps(DagSerialization.to_dict(build(settings={"max_in_flight": 5})))
    assert "{{ params.max_in_flight }}" in stored
    assert " object at 0x" not in stored


def test_everything_reaches_the_task_it_is_meant_for() -> None:
    dag = build(
        description="Every course.",
        export_types=("common_cartridge", "zip"),
        listing={"account": 1, "filters": {"state": ["available"]}},
        options={"version": "1.3", "key_template": "{created}/{export_id}"},
        connections={"archive_conn_id": "aws_default", "canvas_conn_id": "canvas_test"},
        retries=7,
        sweep_after="P9D",
        max_age="P2D",
        tags=("law",),
        max_active_batches=2,
        pool="canvas",
    )
    listing, export, report = tasks(dag)
    assert isinstance(export, MappedOperator)
    assert (listing.account, listing.filters) == (1, {"state": ["available"]})
    assert listing.export_types == export.partial_kwargs["export_type"] == report.export_type
    assert (listing.archive_conn_id, listing.canvas_conn_id) == ("aws_default", "canvas_test")
    assert report.archive_conn_id == "aws_default"
    for name, value in {
        "archive_conn_id": "aws_default",
        "canvas_conn_id": "canvas_test",
        "version": "1.3",
        "max_active_tis_per_dagrun": 2,
        "pool": "canvas",
    }.items():
        assert export.partial_kwargs[name] == value, name
    assert {listing.retries, export.retries, report.retries} == {7}
    assert listing.retry_delay <= timedelta(minutes=5)
    assert (listing.pool, report.pool) == ("default_pool", "default_pool")
    assert (report.sweep_after, report.key_template) == ("P9D", "{created}/{export_id}")
    assert report.max_age == "P2D"
    assert dag.tags == {"canvas", "backup", "law"}
    assert dag.description == "Every course."


def test_what_is_published_changes_nothing_of_what_the_report_says() -> None:
    dag = build(
        publish="s3://campus-bundle/courses",
        keep={"last": 3},
        connections={"archive_conn_id": "aws_default"},
    )
    publish = dag.get_task("publish")
    assert isinstance(publish, CanvasPublishOperator)
    assert (publish.site, publish.archive_conn_id) == ("s3://campus-bundle/courses", "aws_default")
    assert publish.upstream_task_ids == {"report", "retention"}
    assert publish.is_teardown
    assert not publish.on_failure_fail_dagrun
    assert "publish" not in build().task_dict


def test_notifiers_receive_the_report_and_a_list_that_failed() -> None:
    listing, _, report = tasks(build(notify=("registrar@example.edu",), notify_when="always"))
    assert listing.on_success_callback == []
    for (callback,), when in (
        (report.on_success_callback, "always"),
        (report.on_failure_callback, "always"),
        (listing.on_failure_callback, "problems"),
    ):
        assert isinstance(callback, RunReportNotifier)
        assert isinstance(callback.notifier, SmtpNotifier)
        assert callback.notifier.to == ["registrar@example.edu"]
        assert callback.when == when
    listing, _, report = tasks(build())
    assert [*listing.on_failure_callback, *report.on_success_callback, *report.on_failure_callback] == []


def test_one_run_at_a_time_and_none_for_a_missed_day() -> None:
    dag = build()
    assert (dag.catchup, dag.max_active_runs, dag.start_date) == (False, 1, None)


def test_the_schedule_follows_the_clock_on_the_campus_through_daylight_saving() -> None:
    dag = build(timezone="America/Chicago")
    winter = next_run(dag, pendulum.datetime(2026, 1, 10, 8, tz="UTC"))
    summer = next_run(dag, pendulum.datetime(2026, 7, 10, 7, tz="UTC"))
    assert (str(winter), str(summer)) == ("2026-01-11 08:00:00+00:00", "2026-07-11 07:00:00+00:00")


def test_a_backup_without_a_schedule_waits_for_a_person() -> None:
    assert build(schedule=None).timetable.__class__.__name__ == "NullTimetable"


def test_the_first_day_is_a_day_on_the_campus() -> None:
    start = build(start_date=date(2026, 9, 1), timezone="America/Chicago").start_date
    assert start == pendulum.datetime(2026, 9, 1, tz="America/Chicago")


def test_the_export_announces_the_archive_where_airflow_looks_for_it() -> None:
    dag = build()
    assert tasks(dag)[1].partial_kwargs["outlets"] == [AssetAlias("canvas_archive")]
    stored = LazyDeserializedDAG(data=DagSerialization.to_dict(dag))
    found = _get_dag_assets(stored, of=SerializedAssetAlias, inlets=False)
    assert [(task, alias.name) for task, alias in found] == [("export", "canvas_archive")]


def test_the_page_of_the_dag_says_what_it_does() -> None:
    page = build().doc_md
    assert page is not None
    assert "Backs up course `101`" in page


@pytest.mark.parametrize(
    ("courses", "name"),
    [
        (["course:101"], "course:101"),
        ({"plan": "runs/plan/0.jsonl", "batch": 3, "name": "course:7 and 1 more"}, "course:7 and 1 more"),
        ([f"course:{number}" for number in range(101, 151)], "course:101 and 49 more"),
    ],
)
def test_a_batch_is_named_after_its_courses(courses: Any, name: str) -> None:
    dag = build()
    export = dag.get_task("export")
    assert isinstance(export, MappedOperator)
    task = export.unmap({"courses": courses})
    template = dag.get_template_env().from_string(str(export.partial_kwargs["map_index_template"]))
    assert template.render(task=task) == name


def test_a_dag_is_called_what_people_call_it_and_is_found_by_its_id() -> None:
    """By Airflow's search with wildcards: it looks at display names only, and takes each _ of an id for any character."""
    dag = build(name="end_of_term")
    found = re.compile(dag.dag_id.replace("_", "."), re.IGNORECASE)
    assert dag.dag_display_name == "Canvas backup end of term"
    assert found.search(dag.dag_display_name)
    assert round_trip(build(display_name="Every course")).dag_display_name == "Every course"


def test_a_dag_without_a_description_says_what_it_backs_up_and_when() -> None:
    assert build(timezone="America/Chicago").description == "Backs up course 101, every day at 02:00."
    assert build(schedule=None).description == "Backs up course 101, when it is triggered."


@pytest.mark.parametrize(
    ("configured", "owner", "shown", "links"),
    [
        (None, None, "Canvas administrators", {}),
        ("data-platform", None, "data-platform", {}),
        ("data-platform", "LMS team", "LMS team", {}),
        (None, "lms@example.edu", "lms@example.edu", {"lms@example.edu": "mailto:lms@example.edu"}),
        (None, "//[lms@x", "//[lms@x", {"//[lms@x": "mailto:%2F%2F%5Blms@x"}),
    ],
)
def test_every_task_of_a_dag_has_the_owner_of_the_backup(
    monkeypatch: pytest.MonkeyPatch,
    configured: str | None,
    owner: str | None,
    shown: str,
    links: dict[str, str],
) -> None:
    if configured:
        monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_OWNER", configured)
    dag = build(owner=owner, keep={"last": 3})
    assert {task.owner for task in dag.tasks} == {shown}
    assert round_trip(dag).owner_links == links


def test_a_course_id_from_a_list_is_never_taken_for_a_template() -> None:
    """Ids may come from a file or a form; what they hold must not be evaluated."""
    hostile = "course:sis_course_id:{{ var.value.secret }}"
    dag = build(archive="{{ 'file:///' ~ 'archive' }}")
    instance = SimpleNamespace(map_index=0, xcom_pull=lambda **_: [[hostile]])
    context: Any = {"ti": instance, "dag": dag, "dag_run": SimpleNamespace(conf={}), "params": {}}
    dag.get_task("export").render_template_fields(context)
    assert context["task"].archive == "file:///archive"
    assert context["task"].courses == [hostile]


# Values that an admin may write for each field of a small backup.
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "name": st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_-]{0,99}\Z"),
    "schedule": st.sampled_from(["@hourly", "@yearly", "0 2 * * *", "15,45 */6 1-7 * MON", None]),
    "archive": st.sampled_from(["file:///archive", "s3://bucket/a", "{{ var.value.canvas_archive }}"]),
    "courses": st.fixed_dictionaries(
        {},
        optional={
            "ids": st.lists(st.integers(1, 10**18) | st.just("sis_course_id:A/1"), min_size=1, max_size=3),
            "list": st.just("pilot.csv"),
            "account": st.integers(1, 9) | st.just("self"),
        },
    ).filter(bool),
    "description": st.text(min_size=1, max_size=50),
    "display_name": st.text(min_size=1, max_size=50),
    "owner": st.text(st.characters(blacklist_characters=","), min_size=1, max_size=30),
    "timezone": st.sampled_from(["UTC", "America/Chicago", "Asia/Kolkata"]),
    "start_date": st.dates(min_value=date(2020, 1, 1), max_value=date(2030, 1, 1)).map(str),
    "export_types": st.lists(st.sampled_from([each.value for each in ExportType]), min_size=1, unique=True),
    "skip_notifications": st.booleans(),
    "archive_conn_id": st.text(min_size=1, max_size=20),
    "key_template": st.sampled_from(["{export_id}", "{term}/{created}_{export_id}"]),
    "batch_size": st.integers(1, 66),
    "max_in_flight": st.integers(1, 200),
    "deadline": st.sampled_from(["PT12H", "P2D", "P1W", "PT1.5H", "{{ var.value.deadline }}"]),
    "fail_on": st.sampled_from(["any", "never", "0.5%"]),
    "retries": st.integers(0, 20),
    "sweep_after": st.sampled_from(["P1D", "P2W", "never", "{{ var.value.sweep_after }}"]),
    "publish": st.sampled_from(["s3://campus-bundle/courses", "bundle", "{{ var.value.site }}"]),
    "max_age": st.sampled_from(["P2D", "PT36H", "P1M", "{{ var.value.max_age }}"]),
    "tags": st.lists(st.text(min_size=1, max_size=100), unique=True, max_size=3),
    "max_active_batches": st.integers(1, 100),
    "pool": st.text(min_size=1, max_size=30),
    "notify": st.just(["registrar@example.edu"]),
    "notify_when": st.sampled_from(["problems", "always"]),
}
REQUIRED = ("name", "schedule", "archive", "courses")


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.fixed_dictionaries(
        {name: FIELDS[name] for name in REQUIRED},
        optional={name: field for name, field in FIELDS.items() if name not in REQUIRED},
    )
)
def test_every_backup_that_is_found_whole_becomes_a_dag_that_airflow_can_store(data: dict[str, Any]) -> None:
    """A backup that passes the loader and fails here would take all other backups of the file along."""
    document = read_document(yaml.safe_dump(data, allow_unicode=True), "a.yaml")
    assume(not document.problems)
    assert find_problems(document) == []
    dag = backup_dag(Backup.from_data(document.data, file="a.yaml", lists=Path("courses")))
    stored = round_trip(dag)
    assert stored.dag_id == f"canvas_backup_{document.data['name']}"
    published = {"publish"} if "publish" in document.data else set()
    assert set(stored.task_dict) == {"list", "export", "report", *published}
    assert stored.max_active_runs == 1


def test_the_search_index_is_made_after_the_report_and_decides_nothing() -> None:
    dag = build(search_index=True, retries=2)
    task: Any = dag.get_task("search_index")
    assert task.upstream_task_ids == {"report"}
    assert dag.get_task("report").downstream_task_ids == {"search_index"}
    assert (task.archive, task.archive_conn_id, task.retries) == ("{{ var.value.canvas_archive }}", None, 2)
    # Airflow leaves such a teardown out when it decides the state of a run: the report is the last task that counts.
    assert task.is_teardown
    assert not task.on_failure_fail_dagrun
    stored = round_trip(dag).get_task("search_index")
    assert (stored.is_teardown, stored.on_failure_fail_dagrun) == (True, False)
    assert str(stored.trigger_rule) == "all_done_setup_success"


def test_a_backup_that_does_not_ask_for_it_has_no_search_index() -> None:
    assert not build().has_task("search_index")
