"""Every command in the documentation is one that its program understands."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import metadata
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import requests
from airflow.cli import cli_parser
from airflow.configuration import conf
from airflow.sdk import Connection
from benchmarks.__main__ import names as benchmarks
from tests.support.packages.build import cartridge
from tests.support.repository.compose import SERVICES, VALUES
from tests.support.repository.markdown import BLOCKS, ROOT, Block

from canvas_exports.cli.arguments import CANVAS
from canvas_exports.cli.arguments import VARIABLE as ARCHIVE
from canvas_exports.cli.main import parser
from canvas_exports.core.backups import load_backups
from canvas_exports.core.backups.fields import SETTINGS
from canvas_exports.core.backups.load import INCLUDE
from canvas_exports.core.packages.digests import BLAKE3, SHA256, digests_of
from canvas_exports.hooks.archive import store_options
from canvas_exports.hooks.archive_location import ArchiveLocation
from canvas_exports.hooks.canvas import CanvasSettings
from canvas_sandbox import Course, Sandbox
from canvas_sandbox.__main__ import _parser

LINES = [
    (str(block), line)
    for block in BLOCKS
    if block.language == "bash"
    for line in block.text.replace("\\\n", "").splitlines()
]
WIDEST = 110
COMMANDS = [pytest.param(shlex.split(line), id=f"{block}: {line[:60]}") for block, line in LINES]
#: As the AWS libraries read them.
AWS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")
DAGS = {f"canvas_backup_{backup.name}" for backup in load_backups(ROOT / "include").backups}
DAGS |= {
    path.stem for path in (ROOT / "dags").glob("canvas_*.py") if not path.stem.startswith("canvas_backups")
}


@pytest.fixture(scope="module")
def canvas() -> Iterator[Sandbox]:
    with Sandbox([Course(id=101)]) as sandbox:
        yield sandbox


@pytest.mark.parametrize("command", COMMANDS)
def test_the_program_understands_the_command(command: list[str], canvas: Sandbox) -> None:
    if command[0] == "curl":
        curl(command, canvas)
    else:
        PROGRAMS[command[0]](command[1:])


def airflow(arguments: list[str]) -> None:
    parsed = cli_parser.get_parser().parse_args(arguments)
    if arguments[:2] == ["pools", "import"]:
        assert parsed.file.endswith("include/pools.json")
    if arguments[0] == "dags":
        assert parsed.dag_id in DAGS
        assert set(json.loads(getattr(parsed, "conf", None) or "{}")) <= set(SETTINGS)
    if arguments[:2] == ["connections", "add"]:
        add_connection(parsed)


def add_connection(parsed: argparse.Namespace) -> None:
    connection = Connection(
        conn_id=parsed.conn_id,
        conn_type=parsed.conn_type,
        host=parsed.conn_host,
        login=parsed.conn_login,
        password=parsed.conn_password,
        extra=parsed.conn_extra,
    )
    if connection.conn_type == "canvas":
        CanvasSettings.read(connection, connection.extra_dejson)
    elif connection.conn_type == "canvas_archive":
        assert ArchiveLocation.read(connection).uri == "s3://campus-backups/canvas"
    else:
        scheme = {"google_cloud_platform": "gs", "wasb": "az"}.get(connection.conn_type or "", "s3")
        options = store_options(f"{scheme}://bucket/path", connection)
        needed: dict[str, list[object]] = {
            "s3": [options.endpoint or options.region],
            "gs": [options.key_file],
            "az": [options.account, options.settings],
        }
        assert all(needed[scheme])


def source(arguments: list[str]) -> None:
    (script,) = arguments
    assert f"python3 -m venv {script.removesuffix('/bin/activate')}" in (text for _, text in LINES)


def python(arguments: list[str]) -> None:
    assert arguments[0] == "-m"
    if arguments[1] == "venv":
        return
    if arguments[1].startswith("benchmarks."):
        assert arguments[1].removeprefix("benchmarks.") in benchmarks()
        return
    assert arguments[1] == "canvas_sandbox"
    _parser().parse_args(arguments[2:])


def digest(program: str, arguments: list[str]) -> None:
    """Run it, if it is installed, as somebody would who checks a package by hand: it prints what a manifest states."""
    (name,) = arguments
    assert name.endswith((".imscc", ".zip"))
    if (found := shutil.which(program)) is None:
        assert program == "b3sum", "every Linux has the others"
        return
    with TemporaryDirectory() as folder:
        data = cartridge()
        (Path(folder) / name).write_bytes(data)
        printed = subprocess.run([found, name], cwd=folder, capture_output=True, check=True, text=True).stdout
    algorithm = {"b3sum": BLAKE3, "sha256sum": SHA256}[program]
    assert printed.split() == [digests_of(data, [algorithm])[algorithm], name]


def pip(arguments: list[str]) -> None:
    assert arguments[0] == "install"
    rest = [argument for argument in arguments[1:] if argument != "--upgrade"]
    named = re.fullmatch(r"airflow-provider-canvas-exports(?:\[([\w,]+)\])?", rest.pop(0))
    assert named
    offered = metadata("airflow-provider-canvas-exports").get_all("Provides-Extra") or []
    assert set((named[1] or "s3").split(",")) <= set(offered)
    if rest:
        assert rest[0] == "--constraint"
        assert re.fullmatch(
            r"https://raw\.githubusercontent\.com/apache/airflow/constraints-3\.\d+\.\d+/constraints-3\.\d+\.txt",
            rest[1],
        )


def export(arguments: list[str]) -> None:
    name, _, value = arguments[0].partition("=")
    if name.startswith("AIRFLOW_CONN_"):
        connection = Connection.from_json(value, conn_id=name.removeprefix("AIRFLOW_CONN_").lower())
        CanvasSettings.read(connection, connection.extra_dejson)
    elif setting := re.fullmatch(r"AIRFLOW__([A-Z_]+?)__([A-Z_]+)", name):
        assert conf.configuration_description[setting[1].lower()]["options"][setting[2].lower()]
    elif name == "AIRFLOW_HOME":
        assert value == "~/airflow"  # Airflow's own default
    else:
        assert name in (INCLUDE, ARCHIVE, CANVAS, *AWS)


def copy(arguments: list[str]) -> None:
    *sources, target = [argument for argument in arguments if not argument.startswith("-")]
    assert target.startswith("$AIRFLOW_HOME")
    assert all((ROOT / source).exists() for source in sources)


def make_folder(arguments: list[str]) -> None:
    assert arguments[-1].startswith("$AIRFLOW_HOME")


def curl(command: list[str], canvas: Sandbox) -> None:
    url = re.sub(r"http://127\.0\.0\.1:\d+", canvas.url, command[-1])
    if command[1].startswith("https://canvas.example.edu/"):
        url = command[1].replace("https://canvas.example.edu", canvas.url)
        fields = dict(field.split("=", 1) for field in command[3::2])
        assert set(command[2::2]) == {"--data"}
        answer = requests.post(url, data=fields, timeout=10)
        assert answer.json()["error"]  # of the placeholders: the address and the fields are understood
        assert answer.status_code in (400, 401)
        return
    if command[1] == "-d":
        answer = requests.post(url, data=command[2], timeout=10)
    else:
        answer = requests.get(url, timeout=10)
    assert answer.ok, answer.text
    json.loads(answer.text)


def docker(arguments: list[str]) -> None:
    if arguments[0] == "compose":
        rest = [word for word in arguments[1:] if not word.startswith("--")]
        if "--profile" in arguments:
            profile = rest.pop(0)
            assert any(profile in service.get("profiles", []) for service in SERVICES.values())
        assert rest[0] in ("up", "exec")
        assert rest[0] == "up" or rest[1] in SERVICES
    else:
        assert arguments[0] in ("build", "push")
        image = arguments[-1] if arguments[0] == "push" else arguments[arguments.index("--tag") + 1]
        assert image == "{repository}:{tag}".format(**VALUES["images"]["airflow"])


def helm(arguments: list[str]) -> None:
    if arguments[0] == "upgrade":
        assert (ROOT / "docs" / "deploy" / arguments[arguments.index("--values") + 1]).exists()
        version = arguments[arguments.index("--version") + 1]
        assert version in (ROOT / "docs" / "deploy" / "values.yaml").read_text(encoding="utf-8")
    else:
        assert arguments[:2] == ["repo", "add"]


def make(arguments: list[str]) -> None:
    (target,) = arguments
    assert re.search(rf"^{target}:.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def canvas_archive(arguments: list[str]) -> None:
    if arguments != ["--version"]:
        parser().parse_args(arguments)


PROGRAMS: dict[str, Callable[[list[str]], None]] = {
    "airflow": airflow,
    "b3sum": partial(digest, "b3sum"),
    "canvas-archive": canvas_archive,
    "cp": copy,
    "docker": docker,
    "export": export,
    "helm": helm,
    "make": make,
    "mkdir": make_folder,
    "pip": pip,
    "python": python,
    "python3": python,
    "sha256sum": partial(digest, "sha256sum"),
    "source": source,
}


def test_a_command_that_is_not_one_is_found_out() -> None:
    block = Block("page", 1, "bash", "", "airflow conections add")
    with pytest.raises(SystemExit):
        airflow(shlex.split(block.text)[1:])


def test_commands_fit_into_the_width_of_a_page() -> None:
    wide = [
        (str(block), line)
        for block in BLOCKS
        if block.language == "bash"
        for line in block.text.splitlines()
        if len(line) > WIDEST and not line.lstrip().startswith("--conn-extra")  # JSON is in one piece
    ]
    assert wide == []
