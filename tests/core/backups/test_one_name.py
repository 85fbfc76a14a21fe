"""Files with one name: neither takes the DAG of the other."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.backups.backup_files import Write

from canvas_exports.core.backups import load_backups

HEAD = "name: nightly\nschedule: '@daily'\narchive: file:///archive\n"


def text(course: int) -> str:
    return f"{HEAD}courses: {{ids: [{course}]}}\n"


def running(include: Path) -> dict[str, str]:
    """The file of each backup that runs."""
    return {backup.name: backup.file.rpartition("/")[2] for backup in load_backups(include).backups}


def changed(include: Path, name: str, seconds: int) -> None:
    os.utime(include / "backups" / name, (seconds, seconds))


@pytest.mark.parametrize(
    "added", ["aaa.yaml", "zzz.yaml", "nightly copy.yaml", "nightly-law.yml", "Nightly.yaml"]
)
def test_a_file_that_is_called_like_its_backup_keeps_the_dag_whatever_is_added(
    write: Write, added: str
) -> None:
    include = write(text(101))
    write(text(102), added)
    changed(include, added, 1)
    assert running(include) == {"nightly": "nightly.yaml"}


def test_each_file_names_the_others(write: Write) -> None:
    write(text(101))
    write(text(102), "law.yaml")
    include = write(text(103), "arts.yaml")
    at = "include/backups"
    stays = f"{at}/nightly.yaml keeps the DAG, and this file does not run. Give each backup its own name."
    keeps = "This file keeps the DAG, because it has the same name. Give each backup its own name."
    assert [str(problem) for problem in load_backups(include).problems] == [
        f"{at}/{file}.yaml, line 1, name: 'nightly' is also the name of {at}/{one}.yaml and {at}/{other}.yaml. {said}"
        for file, one, other, said in (
            ("arts", "law", "nightly", stays),
            ("law", "arts", "nightly", stays),
            ("nightly", "arts", "law", keeps),
        )
    ]


@pytest.mark.parametrize(
    ("first", "added"), [("a.yaml", "b.yaml"), ("b.yaml", "a.yaml"), ("nightly.yml", "nightly.yaml")]
)
def test_where_the_names_of_the_files_do_not_tell_the_one_that_was_there_keeps_the_dag(
    write: Write, first: str, added: str
) -> None:
    write(text(101), first)
    include = write(text(102), added)
    changed(include, first, 1_000)
    changed(include, added, 2_000)
    assert running(include) == {"nightly": first}


def test_where_nothing_tells_none_of_them_does_the_work_of_another(write: Write) -> None:
    write(text(101), "a.yaml")
    include = write(text(102), "b.yaml")
    for name in ("a.yaml", "b.yaml"):
        changed(include, name, 1_000)
    assert running(include) == {}
    assert [str(problem) for problem in load_backups(include).problems] == [
        f"include/backups/{one}.yaml, line 1, name: 'nightly' is also the name of include/backups/{other}.yaml. None of "
        "them runs, because it is not known which file had the name first. Give each backup its own name."
        for one, other in (("a", "b"), ("b", "a"))
    ]


@pytest.mark.parametrize(
    "broken",
    [
        HEAD.encode(),  # names no course
        b"name: nightly\nschedule: [\n",
        b"name: nightly\xff\n",
        b"",
        b"x" * 300_000,
    ],
)
def test_a_broken_file_still_has_its_name(include: Path, write: Write, broken: bytes) -> None:
    write(text(102), "copy.yaml")
    (include / "backups" / "nightly.yaml").write_bytes(broken)
    assert running(include) == {}, "the copy waits, whatever is wrong with the other"


def test_a_broken_file_takes_no_dag_because_of_what_the_file_is_called(include: Path, write: Write) -> None:
    write(text(101), "campus.yaml")
    (include / "backups" / "nightly.yaml").write_bytes(
        b"# the law school\nname: lawschool  # not the night\r\nschedule: [\n"
    )
    assert running(include) == {"nightly": "campus.yaml"}


def test_many_files_of_one_name_are_reported_in_short(write: Write) -> None:
    for number in range(200):
        write(text(number + 1), f"copy{number}.yaml")
    include = write(text(1))
    assert running(include) == {"nightly": "nightly.yaml"}
    for problem in load_backups(include).problems:
        assert "and 197 more. " in str(problem)
        assert "Give each backup its own name." in str(problem)


NAMES = st.sampled_from(["nightly", "law", "arts"])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(NAMES, NAMES, min_size=1),
    st.tuples(st.sampled_from(["zeta", "alpha", "law copy"]), NAMES),
)
def test_a_file_that_is_added_never_takes_a_dag(
    tmp_path_factory: pytest.TempPathFactory, there: dict[str, str], added: tuple[str, str]
) -> None:
    include = tmp_path_factory.mktemp("include")
    (include / "backups").mkdir()

    def put(stem: str, name: str, age: int) -> None:
        path = include / "backups" / f"{stem}.yaml"
        path.write_text(text(101).replace("nightly", name))
        os.utime(path, (age, age))

    for age, (stem, name) in enumerate(there.items(), start=1):
        put(stem, name, age)
    before = running(include)
    put(*added, 100)
    after = running(include)
    assert {name: after.get(name) for name in before} == before
    assert set(after) - set(before) <= {added[1]}
