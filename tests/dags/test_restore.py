"""The form of the restore, and that of the drill."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import ParamValidationError
from tests.support.backups import forms
from tests.support.backups.forms import administrator  # noqa: F401 - used by each test

from canvas_exports.core.restore.form_labels import LABELS
from canvas_exports.dags.restore import SAFEGUARDS, canvas_restore
from canvas_exports.dags.restore import form as restore_form
from canvas_exports.dags.restore_drill import canvas_restore_drill
from canvas_exports.dags.restore_drill import form as drill_form
from canvas_exports.dags.trigger_form import CONNECTIONS, RUN_SETTINGS
from canvas_exports.errors import InputError

RESTORE = {"course": "101", "into": "300"}
PAIR = {"course": "course:101", "copy": "courses/101/a.json", "into": "300"}


@pytest.fixture(autouse=True)
def _drills(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of the drill."""
    monkeypatch.setenv("AIRFLOW_VAR_CANVAS_DRILL_COURSES", "sis_course_id:DRILL-1, 300")
    monkeypatch.setenv("AIRFLOW_VAR_CANVAS_DRILL_COUNT", "3")


def rendered(make: Callable[[], DAG], task_id: str, **entries: Any) -> Any:
    return forms.rendered(make, task_id, PAIR, **entries)


def restore(**entries: Any) -> Any:
    return rendered(canvas_restore, "restore", **{**RESTORE, **entries})


@pytest.mark.parametrize("form", [restore_form, drill_form])
def test_every_field_has_a_title_and_a_help_text(form: Callable[[], dict[str, Any]]) -> None:
    for param in form().values():
        assert param.schema["title"]
        assert param.schema["description_md"].endswith(".")


def test_a_help_desk_sees_three_questions_and_the_safeguards_below_them() -> None:
    sections: dict[str | None, list[str]] = {}
    for name, param in restore_form().items():
        sections.setdefault(param.schema.get("section"), []).append(name)
    assert sections == {
        None: ["course", "copy", "into"],
        SAFEGUARDS: ["confirm_same_course", "allow_content", "allow_incomplete", "fail_on"],
        CONNECTIONS: ["archive", "canvas_conn_id"],
        RUN_SETTINGS: ["export_type", "proof", "via", "deadline"],
    }


def test_a_form_with_two_answers_restores_the_newest_copy_and_allows_nothing() -> None:
    task = restore()
    assert task.archive == "s3://campus/canvas"
    request = task._request()
    assert (str(request.source), str(request.into)) == ("course:101", "course:300")
    assert (request.wanted.until, request.wanted.key) == (None, None)
    assert (request.allow_content, request.allow_incomplete, request.confirmed) == (False, False, None)
    assert task.fail_on == "issues"


def test_what_is_filled_in_arrives_with_its_type() -> None:
    task = restore(
        course="group:7",
        copy="2026-11-20",
        into="sis_course_id:NEW",
        confirm_same_course=" 300 ",
        allow_content=True,
        allow_incomplete=True,
        export_type="zip",
        proof="full",
        via="url",
        archive=" law ",
    )
    request = task._request()
    assert request.wanted.until is not None
    assert (request.allow_content, request.allow_incomplete, request.confirmed) == (True, True, "300")
    assert (request.export_type.value, request.proof, request.via) == ("zip", "full", "url")
    assert task.archive == "law"


@pytest.mark.parametrize("copy", ["", None, "Newest", "2026-11-20T14:00Z", "courses/101/a.imscc"])
def test_every_way_to_name_a_copy_passes_the_form(copy: str | None) -> None:
    assert restore(copy=copy)._request()


REFUSED: list[tuple[str, Any]] = [
    ("course", None),
    ("into", None),
    ("allow_content", "yes"),
    ("allow_incomplete", None),
    ("fail_on", "never"),
    ("export_type", "pdf"),
    ("proof", "none"),
    ("via", "mail"),
    ("deadline", "12 hours"),
]


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_the_form_refuses_and_names_the_field(name: str, value: Any) -> None:
    with pytest.raises(ParamValidationError, match=name):
        forms.filled(canvas_restore, **{**RESTORE, name: value})


def test_a_form_without_answers_is_refused() -> None:
    with pytest.raises(ParamValidationError, match=r"course|into"):
        forms.filled(canvas_restore)


def test_a_drill_without_a_form_uses_the_courses_of_the_variable() -> None:
    task = rendered(canvas_restore_drill, "draw")
    assert task._named() == ["sis_course_id:DRILL-1", " 300"]
    assert (task._count(), task.seed, task.archive) == (3, None, "s3://campus/canvas")


def test_a_drill_without_variables_tries_one_copy_and_needs_courses_to_be_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AIRFLOW_VAR_CANVAS_DRILL_COURSES")
    monkeypatch.delenv("AIRFLOW_VAR_CANVAS_DRILL_COUNT")
    task = rendered(canvas_restore_drill, "draw")
    assert task._count() == 1
    with pytest.raises(InputError, match="no target course is named"):
        task._named()


def test_a_drill_by_hand_uses_those_of_the_form() -> None:
    task = rendered(canvas_restore_drill, "draw", into=["301", "", " 302 "], count=2, seed="again")
    assert (task._named(), task._count(), task.seed) == (["301", "302"], 2, "again")


def test_each_drill_takes_its_copy_and_its_course_from_the_draw() -> None:
    task = rendered(canvas_restore_drill, "drill", proof="full")
    request = task._request()
    assert (str(request.source), request.wanted.key, str(request.into)) == (
        "course:101",
        "courses/101/a.json",
        "course:300",
    )
    assert (request.proof, request.only_unpublished, request.allow_content) == ("full", True, False)
    assert task.drill_name == "course:101 into 300"


def test_the_drill_waits_for_a_person_to_switch_it_on() -> None:
    """Airflow adds DAGs paused, unless somebody has changed that for all of them."""
    assert canvas_restore_drill().is_paused_upon_creation is True
    assert canvas_restore().schedule is None


def test_messages_use_the_titles_of_the_form() -> None:
    fields = restore_form()
    assert {name: fields[name].schema["title"] for name in LABELS} == LABELS
