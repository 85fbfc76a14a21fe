"""Who may only start a DAG reaches the archives and Canvases that an administrator has named for it, and nothing else."""

from __future__ import annotations

import json
import re
import shutil
import socketserver
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG, BaseOperator
from airflow.sdk.definitions.mappedoperator import MappedOperator
from tests.support.airflow.task_runner import TaskRun
from tests.support.backups.forms import DAGS, alone, use, with_forms

from canvas_exports.dags.hold import canvas_hold
from canvas_exports.dags.manual_export import canvas_export
from canvas_exports.dags.restore import canvas_restore
from canvas_exports.dags.restore_drill import canvas_restore_drill
from canvas_exports.dags.trigger_form import Filled
from canvas_exports.dags.verify import canvas_verify
from canvas_exports.errors import InputError
from canvas_exports.hooks.archive import open_archive
from canvas_exports.hooks.canvas import CanvasHook
from canvas_exports.hooks.connections import RefusedChoice
from canvas_sandbox import Course, Sandbox

SECRET = "the-password-of-the-mail-server"
#: Arguments of tasks by which they choose whom to speak to, and where to read and write.
REACHING = ("archive", "archive_conn_id", "also_archives", "canvas_conn_id", "course_list", "key_template")

CONNECTIONS: dict[str, dict[str, Any]] = {
    "canvas_default": {
        "conn_type": "canvas",
        "host": "canvas.example.edu",
        "password": "canvas-token-of-forms",
    },
    "canvas_help_desk": {
        "conn_type": "canvas",
        "host": "canvas.example.edu",
        "password": "canvas-token-of-forms",
        "extra": {"forms": "canvas_restore, canvas_restore_drill"},
    },
    "law": {"conn_type": "canvas_archive", "host": "s3://law-backups/canvas"},
    "for_verify": {
        "conn_type": "canvas_archive",
        "host": "s3://legal-hold/canvas",
        "extra": {"forms": "canvas_verify"},
    },
    "mail": {"conn_type": "smtp", "host": "mail.example.edu", "login": "airflow", "password": SECRET},
    "aws_default": {"conn_type": "aws", "login": "key", "password": SECRET},
}

HOSTILE = [
    "sftp://attacker.example/x",
    "s3://attacker-bucket/x",
    "file:///opt/airflow/dags",
    "file:/opt/airflow/dags",
    "/opt/airflow/dags",
    "../../dags",
    "mail",
    "aws_default",
    "canvas_default",
    "nobody",
    "for_verify\n",
    "law\x00",
    "{{ conn.mail.password }}",
    "{{ var.value.canvas_archive }}",
    "{% for each in [] %}{% endfor %}",
    "['sftp://attacker.example/x']",
    "for_verify",
]


@pytest.fixture(autouse=True)
def _administrator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_VAR_CANVAS_ARCHIVE", "s3://campus/canvas")
    for name, fields in CONNECTIONS.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(fields))


def tasks(dag: DAG, params: dict[str, Any]) -> Iterator[BaseOperator]:
    """Its tasks as they are when they run."""
    context: Any = {"params": params, "dag": dag, "var": {"value": VariableReader()}, "conn": NoConnections()}
    for task in dag.tasks:
        if isinstance(task, MappedOperator):
            pairs = {"course": "1", "copy": "newest", "into": "2"}
            one: Any = task.unmap({"courses": ["course:101"]} if "courses" in task.template_fields else pairs)
        else:
            one = task.prepare_for_execution()
        if hasattr(one, "batches"):
            one.batches = []
        one.render_template_fields(context, dag.get_template_env())
        yield one


class VariableReader:
    canvas_archive = "s3://campus/canvas"


class NoConnections:
    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"a template asked for the connection {name}")


def hostile(value: Any, text: str) -> Any:
    """The same text as one may send it where a value of this type stands."""
    if isinstance(value, list):
        return [text]
    return {text: text} if isinstance(value, dict) else text


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_is_typed_into_whichever_field_reaches_nothing(text: str) -> None:
    refused = 0
    for dag in with_forms().values():
        params = {name: hostile(value, text) for name, value in dag.params.dump().items()}
        # Also what is no field at all: a run's configuration is any JSON.
        extra = {name: text for name in REACHING if name not in params and name != "archive_conn_id"}
        usual = [reached(task) for task in tasks(dag, dag.params.dump())]
        for task, before in zip(tasks(dag, {**params, **extra}), usual, strict=True):
            for name, value in reached(task).items():
                if (dag.dag_id, name, text.strip()) == ("canvas_verify", "archive", "for_verify"):
                    assert value == "for_verify", "it is offered there"
                    continue
                refused += isinstance(value, RefusedChoice)
                assert isinstance(value, RefusedChoice) or value == before[name], f"{task}: {name}"
    assert refused


def reached(task: BaseOperator) -> dict[str, Any]:
    return {name: getattr(task, name) for name in REACHING if hasattr(task, name)}


def test_a_form_offers_the_archives_and_canvases_that_are_set_up_for_it() -> None:
    for make in (canvas_export, canvas_hold, canvas_restore, canvas_restore_drill, canvas_verify):
        dag = make()
        named = {**dag.params.dump(), "archive": " law "}
        assert {getattr(task, "archive") for task in tasks(dag, named)} == {"law"}  # noqa: B009
    dag = canvas_restore()
    (task,) = tasks(dag, {**dag.params.dump(), "canvas_conn_id": "canvas_help_desk"})
    assert getattr(task, "canvas_conn_id") == "canvas_help_desk"  # noqa: B009
    dag = canvas_export()
    for task in tasks(dag, {**dag.params.dump(), "canvas_conn_id": "canvas_help_desk"}):
        assert isinstance(getattr(task, "canvas_conn_id", RefusedChoice("", "", "")), RefusedChoice)


@pytest.mark.parametrize("value", [None, "", "  "])
def test_an_empty_archive_is_the_one_of_the_variable(value: str | None) -> None:
    dag = canvas_verify()
    (task,) = tasks(dag, {**dag.params.dump(), "archive": value})
    assert getattr(task, "archive") == "s3://campus/canvas"  # noqa: B009


def test_without_the_variable_an_empty_archive_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_VAR_CANVAS_ARCHIVE")
    dag = canvas_verify()
    (task,) = tasks(dag, dag.params.dump())
    with pytest.raises(InputError, match=r"^archive: it is empty, and there is no Airflow Variable"):
        open_archive(getattr(task, "archive"))  # noqa: B009


def test_a_form_that_names_credentials_is_refused_and_not_passed_over() -> None:
    """A run that the release before was asked for by its API, and that is cleared now."""
    dag = canvas_verify()
    (task,) = tasks(dag, {**dag.params.dump(), "archive": "law", "archive_conn_id": "aws_default"})
    with pytest.raises(InputError, match="archive_conn_id: a form accepts no credentials"):
        open_archive(getattr(task, "archive"))  # noqa: B009


@pytest.mark.parametrize(
    "extra",
    [
        *(
            {"forms": forms}
            for forms in ([], ",", 7, 0, False, {"canvas_export": True}, [["canvas_export"]], "canvas_Export")
        ),
        [{"forms": "canvas_export"}],
        '{"forms": "canvas_verify"',
    ],
)
def test_what_an_administrator_wrote_so_that_it_cannot_be_read_is_offered_to_no_form(
    extra: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a connection that says nothing of forms is offered to all."""
    written = json.dumps({"conn_type": "canvas_archive", "host": "s3://law-backups/canvas", "extra": extra})
    monkeypatch.setenv("AIRFLOW_CONN_LAW", written)
    monkeypatch.setenv("AIRFLOW_CONN_CANVAS_LAW", written.replace("canvas_archive", "canvas"))
    dag = canvas_export()
    listing, *_ = tasks(dag, {**dag.params.dump(), "archive": "law", "canvas_conn_id": "canvas_law"})
    assert isinstance(getattr(listing, "archive"), RefusedChoice)  # noqa: B009
    assert isinstance(getattr(listing, "canvas_conn_id"), RefusedChoice)  # noqa: B009


@pytest.mark.parametrize(
    "extra", [{}, {"forms": None}, {"forms": " "}, {"forms": "canvas_verify, canvas_export"}]
)
def test_what_says_nothing_of_forms_is_offered_to_all(extra: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    written = json.dumps({"conn_type": "canvas_archive", "host": "s3://law-backups/canvas", "extra": extra})
    monkeypatch.setenv("AIRFLOW_CONN_LAW", written)
    dag = canvas_export()
    listing, *_ = tasks(dag, {**dag.params.dump(), "archive": "law"})
    assert getattr(listing, "archive") == "law"  # noqa: B009


def test_what_is_refused_opens_nothing_and_tells_nothing_of_what_there_is() -> None:
    said = set()
    dag = canvas_export()
    for text in ("mail", "nobody", "sftp://attacker.example/x"):
        listing, *_ = tasks(dag, {**dag.params.dump(), "archive": text, "canvas_conn_id": text})
        with pytest.raises(InputError) as archive:
            open_archive(getattr(listing, "archive"))  # noqa: B009
        with pytest.raises(InputError) as canvas:
            CanvasHook(getattr(listing, "canvas_conn_id")).get_conn()  # noqa: B009
        said.add((str(archive.value), str(canvas.value)))
    ((archive_said, canvas_said),) = said
    assert "archive: no connection of this name is available to canvas_export" in archive_said
    assert "canvas_conn_id: no connection of this name is available to canvas_export" in canvas_said
    assert "attacker" not in archive_said + canvas_said


@pytest.mark.parametrize("name", ["archive_conn_id", "also_archives", "course_list", "key_template"])
def test_no_form_can_be_given_a_field_that_would_lead_elsewhere(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Filled(name)


def test_no_shipped_task_renders_what_a_person_has_typed() -> None:
    """A param in a template would be text to Jinja before it is a value; ``Filled`` hands it on as it is."""
    for dag in with_forms().values():
        assert not dag.render_template_as_native_obj
        for task in dag.tasks:
            for name in task.template_fields:
                value = getattr(task, name, None) or getattr(task, "partial_kwargs", {}).get(name)
                if isinstance(value, str):
                    assert not re.search(r"params|dag_run", value), f"{dag.dag_id}.{task.task_id}.{name}"


class TestAgainstAServerThatCollectsPasswords:
    """The attack itself, through Airflow's own task runner."""

    @pytest.fixture
    def attacker(self) -> Iterator[tuple[int, list[str]]]:
        """The port of a server, and who has connected to it."""
        heard: list[str] = []

        class Listen(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                heard.append(str(self.client_address))

        with socketserver.TCPServer(("127.0.0.1", 0), Listen) as server:
            threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
            yield server.server_address[1], heard
            server.shutdown()

    @pytest.mark.parametrize(
        "make", [canvas_export, canvas_hold, canvas_restore, canvas_restore_drill, canvas_verify]
    )
    def test_no_password_leaves_and_the_task_fails_once_with_a_sentence(
        self,
        make: Callable[[], DAG],
        attacker: tuple[int, list[str]],
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        port, heard = attacker
        with Sandbox([Course(id=101), Course(id=300, state="claimed", size=0)]) as canvas:
            use(canvas, monkeypatch)
            typed = {
                "courses": ["101"],
                "course": "101",
                "into": ["300"] if make is canvas_restore_drill else "300",
                "archive": f"sftp://127.0.0.1:{port}/x",
                "archive_conn_id": "mail",
            }
            for named in (typed, {**typed, "archive_conn_id": None}):
                task_run = TaskRun(partial(alone, make, named), {}, retries=3)
                assert task_run.run_segment() == "failed", "no retry can help"
                assert not canvas.exports
                assert not canvas.migrations
        assert heard == []
        out = capsys.readouterr()
        assert SECRET not in out.out + out.err

    def test_a_teachers_package_is_not_written_where_airflow_executes_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = tmp_path / "dags"
        shutil.copytree(DAGS, folder)
        before = sorted(folder.rglob("*"))
        with Sandbox([Course(id=101)]) as canvas:
            use(canvas, monkeypatch)
            typed = {"courses": ["101"], "archive": folder.as_uri(), "export_type": "zip"}
            task_run = TaskRun(partial(alone, canvas_export, typed), {}, retries=3)
            assert task_run.run_segment() == "failed"
        assert sorted(folder.rglob("*")) == before
