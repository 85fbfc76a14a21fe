"""One document that is not what it should be costs its own course at most, whoever asks the archive what."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from tests.support.archives.holdings import DAY, START, manifest, note
from tests.support.archives.hostile_documents import SPOILT, TIMES
from tests.support.archives.run_reports import outcome, report
from tests.support.archives.stored import stored
from tests.support.reports.run_views import row

from canvas_exports.cli.main import main
from canvas_exports.core.archive.catalog.index import read_with_index
from canvas_exports.core.archive.catalog.newest_copy import newest_copy
from canvas_exports.core.archive.catalog.read import every_context
from canvas_exports.core.archive.deletion_gate import DeletionGate, DeletionRule
from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.records import RecordKind
from canvas_exports.core.archive.retention.apply import apply_plan
from canvas_exports.core.archive.retention.plan import make_plan
from canvas_exports.core.archive.retention.policy import Policy
from canvas_exports.core.archive.sweep import sweep
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.reports.page.copy_status import read_copy_statuses
from canvas_exports.core.restore.choose_copy import choose_copy
from canvas_exports.core.restore.request import RestoreRequest
from canvas_exports.core.storage.local import FileStore
from canvas_exports.errors import InputError

GOOD = ("course:102", "course:103")
BAD = "course:101"
NOW = START + 10 * DAY
VALID = manifest(BAD, day=3, export_id=509)  # the newest copy of the course that suffers
BROKEN = manifest_key(VALID.package.key)
SPOILERS = {**SPOILT, **TIMES}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three courses of several nights each, verified and held and reported on."""
    folder = tmp_path_factory.mktemp("whole")
    store = FileStore(folder.as_uri(), folder)
    for course in (101, 102, 103):
        first = stored(store, course)
        for day in (1, 2):
            stored(store, course, day=day)
        note(store, first, day=3)
    note(
        store,
        stored(store, 103, day=4),
        day=5,
        kind=RecordKind.HOLD,
        detail="legal",
        result="set",
    )
    report(store, outcome("course:104", "denied"), outcome("course:102", "stored"))
    return folder


@pytest.fixture
def archive(whole: Path, tmp_path: Path) -> FileStore:
    folder = tmp_path / "archive"
    shutil.copytree(whole, folder)
    return FileStore(folder.as_uri(), folder)


def spoil(store: FileStore, name: str) -> None:
    """Put the newest manifest of one course there, spoilt."""
    data = VALID.to_json().replace(b"2026-11-04T02:00:00Z", b"2026-11-01T02:00:00Z")
    store.put(VALID.package.key, [b"a package"])
    store.replace(BROKEN, SPOILERS[name](data))


@pytest.fixture(params=SPOILERS)
def spoilt(request: pytest.FixtureRequest, archive: FileStore) -> FileStore:
    spoil(archive, request.param)
    return archive


def held(store: FileStore, read: Callable[..., Any] = every_context) -> dict[str, Any]:
    with closing(read(store)) as holdings:
        return {holding.name: holding for holding in holdings}


def test_of_every_other_course_the_catalog_says_what_it_said(spoilt: FileStore, whole: Path) -> None:
    before = held(FileStore(whole.as_uri(), whole))
    for read in (every_context, read_with_index, read_with_index):
        now = held(spoilt, read)
        for name in GOOD:
            assert now[name].copies == before[name].copies
        assert [unreadable.key for unreadable in now[BAD].unreadable] == [BROKEN]
        assert now[BAD].copies == before[BAD].copies
        assert now[BAD].unreadable[0].reason.isprintable()


def test_it_costs_no_copy_of_its_own_course_and_no_other_course_its_retention(spoilt: FileStore) -> None:
    keys = {info.key for info in spoilt.list("courses/")}
    plan = make_plan(spoilt, Policy(last=1), now=NOW, holdings=read_with_index(spoilt))
    apply_plan(spoilt, plan)
    gone = keys - {info.key for info in spoilt.list("courses/")}
    assert {key.split("/")[1] for key in gone} == {"102", "103"}
    assert any(BROKEN in note for context in plan.contexts for note in context.notes)


def test_nothing_that_asks_about_the_others_notices(spoilt: FileStore) -> None:
    swept = sweep(spoilt)
    assert (swept.packages, swept.problem) == (0, None)
    assert (
        newest_copy(spoilt, "course", 101, lambda _: True) is None
    )  # not known: the package is stored again
    assert newest_copy(spoilt, "course", 102, lambda _: True) is not None
    client = cast("CanvasClient", None)
    for course, export in ((101, 503), (102, 504), (103, 507)):
        chosen = choose_copy(spoilt, client, RestoreRequest.build(course=course, into=300))
        assert chosen.export.id == export
    with pytest.raises(InputError, match="no copy with that key"):
        choose_copy(spoilt, client, RestoreRequest.build(course=101, into=300, copy=BROKEN))
    gate = DeletionGate([BAD, *GOOD], DeletionRule("directory", timedelta(days=30), 1), now=NOW)
    with closing(read_with_index(spoilt)) as holdings:
        gate.check(spoilt.uri, holdings)
    assert [one.context for one in gate.shortfalls()] == [BAD]
    copies = read_copy_statuses(spoilt, [row(101, Outcome.DENIED), row(102, Outcome.DENIED)], now=NOW)
    assert (copies.problem, copies.skipped) == (None, 0)


def test_every_subcommand_answers_and_names_it_once(
    spoilt: FileStore, whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = shutil.copytree(whole, tmp_path / "whole")

    def ask(store: str, *arguments: str) -> tuple[int, list[str], str]:
        status = main([*arguments, "--archive", store])
        message = capsys.readouterr()
        assert all(each.isprintable() or each == "\n" for each in message.out + message.err)
        return (
            status,
            [line for line in message.out.splitlines() if BROKEN not in line],
            message.out + message.err,
        )

    for arguments in (["missing"], ["ages"], ["verify"], ["retention", "--keep-last", "9"]):
        status, lines, text = ask(spoilt.uri, *arguments)
        assert status == ask(whole.as_uri(), *arguments)[0]
        assert text.count(BROKEN) == 1, arguments
        assert lines
    for arguments in (["history", "101"], ["history", "102"], ["hold"], ["runs"], ["runs", "run"]):
        status, lines, text = ask(spoilt.uri, *arguments)
        was = ask(whole.as_uri(), *arguments)
        assert status == was[0] == 0
        assert text.count(BROKEN) == (arguments == ["history", "101"])
    assert (
        ask(spoilt.uri, "compare", "102", "--from", "502")[0]
        == ask(whole.as_uri(), "compare", "102", "--from", "502")[0]
    )
    document = json.loads(ask(spoilt.uri, "missing", "--json")[2])
    assert [each["key"] for each in document["unreadable"]] == [BROKEN]


#: The totals come first in a report, and are read alone.
_BEHIND_THE_HEAD = {"deep in a field", "twice"}


@pytest.mark.parametrize("name", sorted(SPOILT.keys() - _BEHIND_THE_HEAD))
def test_a_report_of_a_run_that_is_none_hides_no_other_run(
    archive: FileStore, name: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    key = report(archive, outcome("course:102", "failed"), run_id="spoilt")
    valid = archive.read(key)
    archive.replace(key, SPOILT[name](valid) if name != "too large" else b"[" + b"1," * 34_000_000)
    assert main(["runs", "--archive", archive.uri]) == 0
    message = capsys.readouterr().out
    assert f"{key} cannot be read." in message
    assert "nightly" in message
    caplog.clear()
    assert main(["missing", "--archive", archive.uri]) == 1
    assert "denied in the last run" in capsys.readouterr().out
    assert caplog.text.count(key) <= 1


def _places() -> Iterator[str]:
    record = f"{manifest_key(manifest(BAD).package.key).removesuffix('.json')}."
    yield f"{record}verify-20261110T000000Z-full-intact.json"
    yield f"{record}drill-20261110T000000Z-course-passed.json"
    yield f"{record}hold-20261110T000000Z-legal-set.json"
    yield f"{record}verify-20260230T000000Z-full-intact.json"
    yield f"{record}verify-20261110T000000Z-full-banana.json"
    yield f"{record}hold-99991231T235959Z-legal-lifted.json"
    yield "runs/2026-11-23/nightly/run/retention/retention.json"
    yield "runs/2026-11-23/nightly/run/gates/gate.json"
    yield "runs/2026-11-23/nightly/run/verification.json"
    yield "runs/2026-02-30/nightly/run/report.json"
    yield "catalog/00000000-00000000000000000000000000000000.jsonl.gz"
    yield "courses/0/x.json"
    yield "courses/101.json"
    yield f"courses/{'9' * 200}/x.json"
    yield "courses/x/x.json"
    yield "groups/7/x.json"


@pytest.mark.parametrize("key", list(_places()))
def test_no_document_under_any_name_ends_a_question(
    archive: FileStore, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("brackets", "nothing", "gzip", "5000 digits"):
        archive.replace(key, SPOILT[name](VALID.to_json()))
        for arguments in (
            ("missing",),
            ("ages",),
            ("verify",),
            ("runs",),
            ("hold",),
            ("history", "102"),
            ("retention", "--keep-last", "9"),
        ):
            assert main([*arguments, "--archive", archive.uri]) in (0, 1), arguments
            message = capsys.readouterr()
            assert "Traceback" not in message.err
        assert {name: len(held(archive)[name].copies) for name in GOOD} == {"course:102": 3, "course:103": 4}
