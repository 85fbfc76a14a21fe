from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.backups.backup_files import HEAD, WHOLE, Write, messages

from canvas_exports.core.backups import include_folder, load_backups
from canvas_exports.core.backups.load import find_problems
from canvas_exports.core.backups.yaml_document import read_document
from canvas_exports.errors import InputError

SHIPPED = Path(__file__).parents[3] / "include"


def test_the_backups_that_are_shipped_are_whole() -> None:
    loaded = load_backups(SHIPPED)
    assert loaded.problems == ()
    assert [backup.name for backup in loaded.backups] == ["end_of_term_archive", "nightly", "pilot"]


def test_a_backup_says_only_what_the_file_says(write: Write) -> None:
    (backup,) = load_backups(write(WHOLE)).backups
    assert (backup.name, backup.schedule, backup.archive) == ("nightly", "@daily", "file:///archive")
    assert backup.file == "include/backups/nightly.yaml"
    assert backup.listing == {"courses": [101]}
    assert backup.options == {}
    assert backup.connections == {}


def test_every_field_reaches_the_backup(write: Write) -> None:
    include = write(
        """
name: everything
description: All fields at once.
schedule: 30 1 * * MON-FRI
timezone: Europe/London
start_date: 2026-09-01
courses:
  ids: [101, 0102, sis_course_id:BIO-101]
  list: pilot.csv
  account: self
  filters: {enrollment_term_id: [12, sis_term_id:F], state: [available], starts_before: 2026-09-01, order: asc, sort: term}
export_types: [common_cartridge, zip]
version: 1.3
skip_notifications: false
archive: "{{ var.value.canvas_archive }}"
archive_conn_id: aws_default
canvas_conn_id: canvas_test
key_template: "{term}/{export_id}"
batch_size: 10
max_in_flight: 5
parallel_transfers: 2
deadline: P1D
stall_after: "{{ var.value.canvas_stall_after }}"
proof: directory
fail_on: 2.5%
retries: 1
tags: [law]
max_active_batches: 2
pool: canvas
sweep_after: P1W
max_age: PT36H
publish: s3://campus-bundle/courses
notify: [registrar@example.edu]
notify_when: always
"""
    )
    loaded = load_backups(include)
    assert loaded.problems == ()
    (backup,) = loaded.backups
    assert backup.timezone == "Europe/London"
    assert str(backup.start_date) == "2026-09-01"
    assert backup.listing["courses"] == [101, "0102", "sis_course_id:BIO-101"]
    assert backup.listing["course_list"] == str(include / "courses" / "pilot.csv")
    assert backup.listing["account"] == "self"
    assert backup.listing["filters"]["enrollment_term_id"] == [12, "sis_term_id:F"]
    assert backup.export_types == ("common_cartridge", "zip")
    assert backup.options == {
        "version": "1.3",
        "skip_notifications": False,
        "key_template": "{term}/{export_id}",
    }
    assert backup.settings == {
        "batch_size": 10,
        "max_in_flight": 5,
        "parallel_transfers": 2,
        "deadline": "P1D",
        "stall_after": "{{ var.value.canvas_stall_after }}",
        "proof": "directory",
        "fail_on": "2.5%",
    }
    assert backup.connections == {"archive_conn_id": "aws_default", "canvas_conn_id": "canvas_test"}
    assert (backup.retries, backup.tags) == (1, ("law",))
    assert (backup.max_active_batches, backup.pool) == (2, "canvas")
    assert (backup.sweep_after, backup.max_age) == ("P1W", "PT36H")
    assert backup.publish == "s3://campus-bundle/courses"
    assert (backup.notify, backup.notify_when) == (("registrar@example.edu",), "always")


@pytest.mark.parametrize(
    ("listed", "path"),
    [
        ("pilot.csv", "{include}/courses/pilot.csv"),
        ("/srv/a.txt", "/srv/a.txt"),
        ("s3://b/a.json", "s3://b/a.json"),
    ],
)
def test_a_course_list_is_looked_up_beside_the_backups_unless_it_says_where(
    write: Write, listed: str, path: str
) -> None:
    include = write(f"{HEAD}courses: {{list: {listed}}}\n")
    (backup,) = load_backups(include).backups
    assert backup.listing == {"course_list": path.format(include=include)}


def test_groups_alone_can_be_backed_up(write: Write) -> None:
    (backup,) = load_backups(write(f"{HEAD}groups: [7]\nusers: [self]\nexport_types: [zip]\n")).backups
    assert backup.listing == {"groups": [7], "users": ["self"]}


def test_a_broken_file_leaves_the_others_alone(write: Write) -> None:
    write(WHOLE, "nightly.yaml")
    include = write("name: other\n", "other.yml")
    loaded = load_backups(include)
    assert [backup.name for backup in loaded.backups] == ["nightly"]
    assert {problem.file for problem in loaded.problems} == {"include/backups/other.yml"}


def test_files_that_are_no_backups_are_passed_over(write: Write) -> None:
    write("not: a backup", "._nightly.yaml")
    include = write("not: a backup", "README.md")
    assert load_backups(include).problems == ()


def test_a_missing_folder_is_reported_and_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    (problem,) = messages(tmp_path / "include")
    assert problem.startswith("include/backups: there is no such folder, so there is no backup. ")
    assert "CANVAS_EXPORTS_INCLUDE" in problem


def test_problems_are_raised_together_and_their_absence_raises_nothing(write: Write) -> None:
    include = write(WHOLE)
    load_backups(include).raise_problems()
    write("name: a\n", "a.yaml")
    write("name: b\n", "b.yaml")
    with pytest.raises(InputError, match="fix these files") as raised:
        load_backups(include).raise_problems()
    assert len(str(raised.value).splitlines()) == 1 + len(load_backups(include).problems)


def test_the_include_folder_lies_beside_the_dag_folder_or_where_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("CANVAS_EXPORTS_INCLUDE", raising=False)
    assert include_folder(str(tmp_path / "dags" / "a.py")) == tmp_path.resolve() / "include"
    monkeypatch.setenv("CANVAS_EXPORTS_INCLUDE", "/srv/include")
    assert include_folder(str(tmp_path / "dags" / "a.py")) == Path("/srv/include")


NAMES = [
    "name",
    "schedule",
    "timezone",
    "start_date",
    "courses",
    "groups",
    "export_types",
    "select",
    "version",
    "archive",
]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 300)
    | st.text(max_size=8)
    | st.sampled_from(["ids", "1.3", "{{ x }}"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["ids", "account", "filters", "state", "pages", "order"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from([*NAMES, "deadline", "fail_on", "batch_size", "key_template", "typo"]), VALUES
    )
)
def test_nothing_an_admin_writes_breaks_the_loader(data: dict[str, Any]) -> None:
    """Whatever stands in a file, it is either whole or told; an exception would take the other backups along."""
    document = read_document(yaml.safe_dump(data, allow_unicode=True), "a.yaml")
    for problem in find_problems(document):
        assert problem.file == "a.yaml"
        assert problem.line >= 1
