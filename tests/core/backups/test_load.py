from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canvas_exports.core.backups import include_folder, load_backups
from canvas_exports.core.backups.load import _problems
from canvas_exports.core.backups.yaml_document import read_document
from canvas_exports.errors import InputError

Write = Callable[..., Path]

HEAD = "name: nightly\nschedule: '@daily'\narchive: file:///archive\n"
WHOLE = HEAD + "courses: {ids: [101]}\n"

SHIPPED = Path(__file__).parents[3] / "include"


def told(include: Path) -> list[str]:
    return [str(problem) for problem in load_backups(include).problems]


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
    assert backup.sweep_after == "P1W"
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


# The line that is wrong, its number in the file, and what is said about it.
BROKEN: list[tuple[str, str]] = [
    (
        "export_types: [cartridge]",
        "export_types[0]: 'cartridge' is not one. Accepted: common_cartridge, qti, zip.",
    ),
    (
        "export_types: cartridge",
        "export_types: 'cartridge' is not a list. Accepted: a list of some of common_cartridge, qti, zip.",
    ),
    ("export_types: []", "export_types: is empty. Accepted: at least one."),
    ("export_types: [zip, zip]", "export_types: names something twice."),
    ("retires: 3", "retires: there is no such field. Accepted: name, description, schedule, "),
    (
        "timezone: Mars/Base",
        "timezone: 'Mars/Base' is not a time zone. Accepted: a name of the IANA database: ",
    ),
    ("timezone: America", "timezone: 'America' is not a time zone."),
    ("timezone: ../../etc/passwd", "timezone: '../../etc/passwd' is not a time zone."),
    ("start_date: tomorrow", "start_date: 'tomorrow' does not fit. Accepted: such as '2026-09-01'."),
    ("start_date: 2026-02-30", "start_date: '2026-02-30' is not a day. Accepted: 2026-09-01."),
    (
        "groups: [one]",
        "groups[0]: 'one' is not a Canvas group id. Accepted: 101, the address of its page, sis_course_id:BIO-101, ",
    ),
    ("groups: 7", "groups: 7 is not a list. Accepted: such as [7, "),
    ("select: {lessons: [1]}", "select: 'lessons' is not an object type. Accepted: folders, files, "),
    ("select: {pages: 4}", "select.pages: is neither a list nor a mapping."),
    ("select: {pages: []}", "select.pages: is empty, and Canvas would export everything."),
    ("select: {}", "select: is empty. Accepted: such as "),
    ("select:", "select: null is not a mapping of fields to values."),
    ("version: 1.2", "version: '1.2' is not one. Accepted: 1.3."),
    ("skip_notifications: yes", "skip_notifications: 'yes' is not true or false."),
    ("archive_conn_id: ''", "archive_conn_id: is empty. Accepted: such as 'aws_default'."),
    ("canvas_conn_id: 5", "canvas_conn_id: 5 is not text."),
    ("key_template: '{created}'", "key_template: {export_id} has to open or close its path segment"),
    ("key_template: '../{export_id}'", "key_template: '../{export_id}' has a segment that is empty, "),
    ("batch_size: 0", "batch_size: 0 is out of range. Accepted: 1 to 200."),
    ("batch_size: many", "batch_size: 'many' is not a whole number. Accepted: 1 to 200."),
    ("max_in_flight: 201", "max_in_flight: 201 is out of range. Accepted: 1 to 200."),
    ("parallel_transfers: 17", "parallel_transfers: 17 is out of range. Accepted: 1 to 16."),
    ("parallel_transfers: 2.5", "parallel_transfers: '2.5' is not a whole number. Accepted: 1 to 16."),
    (
        "deadline: 12 hours",
        "deadline: '12 hours' does not fit. Accepted: such as 'PT12H', 'P2D'.",
    ),
    ("deadline: PT0S", "deadline: 0:00:00 is not a length of time."),
    ("stall_after: 12:30", "stall_after: '12:30' does not fit. Accepted: such as 'PT2H', 'PT45M'."),
    ("stall_after: 2", "stall_after: 2 is not text."),
    ("notify: []", 'notify: is empty. Accepted: such as ["registrar@example.edu"].'),
    (
        "notify: [registrar]",
        "notify[0]: 'registrar' does not fit. Accepted: such as 'registrar@example.edu'.",
    ),
    ("notify_when: never", "notify_when: 'never' is not one. Accepted: problems, always."),
    ("sweep_after: PT12H", "sweep_after: PT12H is too short. Accepted: P1D or longer, or never."),
    (
        "sweep_after: always",
        "sweep_after: 'always' is not a length of time. Accepted: ISO 8601: PT12H, PT90M, P1D.",
    ),
    ("sweep_after: null", "sweep_after: null is not text. Accepted: such as 'P2D', 'P1W', 'never'."),
    ("proof: deep", "proof: 'deep' is not one. Accepted: directory, full."),
    (
        "fail_on: sometimes",
        "fail_on: 'sometimes' is not a failure policy. Accepted: any, never, or a percentage",
    ),
    ("fail_on: 101%", "fail_on: '101%' is not a failure policy."),
    ("retries: -1", "retries: -1 is out of range. Accepted: 0 to 20."),
    ("tags: ['']", "tags[0]: is empty."),
    ("tags: [a, a]", "tags: names something twice."),
    ("description: ''", "description: is empty."),
    (f"description: {'x' * 1001}", "description: is too long. Accepted: at most 1000 characters."),
    ("max_active_batches: 0", "max_active_batches: 0 is out of range. Accepted: 1 or more."),
    ("pool: [a]", "pool: [\"a\"] is not text. Accepted: such as 'canvas'."),
]


@pytest.mark.parametrize(("line", "says"), BROKEN, ids=[line[:40] for line, _ in BROKEN])
def test_a_bad_field_is_told_with_file_line_field_and_what_is_accepted(
    write: Write, line: str, says: str
) -> None:
    (problem,) = told(write(f"{WHOLE}# a comment\n{line}\n"))
    at = (
        0 if "export_types: Canvas makes no" in says else 6
    )  # blamed on a field that is not written: the whole file
    assert problem.startswith(f"include/backups/nightly.yaml, line {at or 1}, {says}")


COURSES: list[tuple[str, int, str]] = [
    ("courses: {}", 4, "courses: is empty."),
    ("courses: [101]", 4, "courses: [101] is not a mapping of fields to values."),
    (
        "courses:\n  ids:\n    - 101\n    - BIO",
        7,
        "courses.ids[1]: 'BIO' is not a Canvas course id. Accepted: 101, ",
    ),
    ("courses:\n  ids: [true]", 5, "courses.ids[0]: true is not a whole number or text."),
    (
        "courses:\n  list: pilot.xlsx",
        5,
        "courses.list: 'pilot.xlsx' does not fit. Accepted: such as 'pilot.csv', ",
    ),
    (
        "courses:\n  account: Biology",
        5,
        "courses.account: 'Biology' is not an id Canvas knows here. Accepted: a number",
    ),
    ("courses:\n  filters: {state: [all]}", 5, "courses.filters: says nothing without account."),
    (
        "courses:\n  account: 1\n  filters:\n    state: [open]",
        7,
        "courses.filters.state[0]: 'open' is not one. Accepted: created, claimed, available, completed, deleted, all.",
    ),
    (
        "courses:\n  account: 1\n  filters:\n    term: 5",
        7,
        "courses.filters.term: there is no such field. Accepted: state, published, ",
    ),
    (
        "courses:\n  account: 1\n  filters:\n    state: [all]\n    enrollment_term_id: [12, summer]",
        8,
        "courses.filters.enrollment_term_id: 'summer' is not an id Canvas knows here. Accepted: a number, current, ",
    ),
    (
        "courses:\n  account: 1\n  filters:\n    ends_after: soon",
        7,
        "courses.filters.ends_after: 'soon' is not a date. Accepted: 2026-09-01 or ",
    ),
    (
        "courses:\n  account: 1\n  filters: {order: asc}",
        6,
        "courses.filters.order: Canvas ignores it without sort. Accepted: sort together with order.",
    ),
]


@pytest.mark.parametrize(("text", "line", "says"), COURSES)
def test_courses_are_checked_down_to_the_item(write: Write, text: str, line: int, says: str) -> None:
    (problem,) = told(write(f"{HEAD}{text}\n"))
    assert problem.startswith(f"include/backups/nightly.yaml, line {line}, {says}")


@pytest.mark.parametrize(
    ("schedule", "fine"),
    [
        ("0 2 * * *", True),
        ("@weekly", True),
        ("30 1 * * MON-FRI", True),
        ("every night", False),
        ("@once", False),
        ("61 * * * *", False),
        ("0 0 30 2 *", False),
        ("*/5 * * * * *", False),
        ("H H * * *", False),
    ],
)
def test_a_schedule_is_one_that_comes(write: Write, schedule: str, *, fine: bool) -> None:
    problems = told(write(f"name: a\narchive: file:///a\ncourses: {{ids: [1]}}\nschedule: '{schedule}'\n"))
    expected = (
        f"include/backups/nightly.yaml, line 4, schedule: '{schedule}' is not a schedule. Accepted: a cron"
    )
    assert not problems if fine else problems[0].startswith(expected)


@pytest.mark.parametrize("name", ["night/ly", "", "-a", "été", "a" * 101])
def test_a_name_is_one_that_airflow_takes(write: Write, name: str) -> None:
    (problem,) = told(write(WHOLE.replace("name: nightly", f"name: '{name}'")))
    assert problem.startswith("include/backups/nightly.yaml, line 1, name: ")


@pytest.mark.parametrize("archive", ["campus backups", "/srv/archive", "{{ var.value.canvas_archive }"])
def test_an_archive_is_a_name_a_uri_or_a_template(write: Write, archive: str) -> None:
    (problem,) = told(write(WHOLE.replace("file:///archive", f"'{archive}'")))
    assert problem.startswith(
        f"include/backups/nightly.yaml, line 3, archive: '{archive}' does not fit. Accepted: such as"
    )


@pytest.mark.parametrize(
    "archive", ["sftp://me:hunter2@host/a", "https://host/a?sig=hunter2", "s3://k:hunter2@b"]
)
def test_a_credential_in_an_archive_is_refused_and_never_repeated(write: Write, archive: str) -> None:
    (problem,) = told(write(WHOLE.replace("file:///archive", archive)))
    assert "archive: " in problem
    assert "hunter2" not in problem


def test_what_is_missing_is_told_all_at_once(write: Write) -> None:
    assert told(write("tags: [a]\n")) == [
        (
            "include/backups/nightly.yaml, line 1, archive: is missing. Accepted: such as 'campus_archive', "
            "'s3://campus-backups/canvas', 'file:///srv/canvas-archive', '{{ var.value.canvas_archive }}'."
        ),
        "include/backups/nightly.yaml, line 1, courses: is missing. Accepted: courses, groups, users, or several of them.",
        "include/backups/nightly.yaml, line 1, name: is missing. Accepted: such as 'nightly', 'end_of_term_2026'.",
        "include/backups/nightly.yaml, line 1, schedule: is missing. Accepted: such as '0 2 * * *', '@weekly', null.",
    ]


@pytest.mark.parametrize("text", ["", "# nothing\n", "- 1\n", "nightly\n"])
def test_a_file_that_is_no_mapping_is_told(write: Write, text: str) -> None:
    (problem,) = told(write(text))
    assert problem == (
        "include/backups/nightly.yaml, line 1: a backup is a mapping of fields to values, such as name: nightly."
    )


def test_several_problems_of_one_file_are_told_together_in_the_order_of_lines(write: Write) -> None:
    text = f"{HEAD}courses: {{ids: [BIO, x y]}}\nversion: 1.3\nexport_types: [qti]\ndeadline: x\nfail_on: y\nfail_on: z\n"
    lines = [re.match(r"\S+ line (\d+), ([\w.\[\]]+): ", problem) for problem in told(write(text))]
    assert [match and match.groups() for match in lines] == [
        ("4", "courses.ids[0]"),
        ("4", "courses.ids[1]"),
        ("5", "version"),
        ("7", "deadline"),
        ("8", "fail_on"),
        ("9", "fail_on"),
    ]


@pytest.mark.parametrize(("line", "kind"), [("groups: [7]", "group"), ("users: [self]", "user")])
def test_groups_and_users_beside_courses_need_an_export_type_for_all(
    write: Write, line: str, kind: str
) -> None:
    says = f"Canvas makes no common_cartridge of a {kind}. Accepted: zip."
    assert told(write(f"{WHOLE}{line}\n")) == [f"include/backups/nightly.yaml, line 1, export_types: {says}"]
    assert told(write(f"{WHOLE}{line}\nexport_types: [common_cartridge]\n")) == [
        f"include/backups/nightly.yaml, line 6, export_types: {says}"
    ]


def test_a_batch_holds_no_more_exports_than_a_task_can_carry(write: Write) -> None:
    (problem,) = told(write(f"{WHOLE}export_types: [common_cartridge, zip]\nbatch_size: 101\n"))
    assert problem == (
        "include/backups/nightly.yaml, line 6, batch_size: 101 is out of range. Accepted: 1 to 100."
    )


def test_what_can_be_selected_depends_on_the_export_types(write: Write) -> None:
    (problem,) = told(write(f"{WHOLE}export_types: [zip]\nselect:\n  pages: [1]\n"))
    assert problem.startswith(
        "include/backups/nightly.yaml, line 6, select: pages cannot be selected for export_type zip. Accepted: folders, "
    )


def test_groups_alone_can_be_backed_up(write: Write) -> None:
    (backup,) = load_backups(write(f"{HEAD}groups: [7]\nusers: [self]\nexport_types: [zip]\n")).backups
    assert backup.listing == {"groups": [7], "users": ["self"]}


def test_a_group_among_the_courses_is_checked_as_a_group(write: Write) -> None:
    (problem,) = told(write(f"{HEAD}courses: {{ids: ['group:7']}}\nexport_types: [qti]\n"))
    assert problem.startswith(
        "include/backups/nightly.yaml, line 5, export_types: Canvas makes no qti of a group."
    )


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


def test_a_file_that_cannot_be_read_is_told(include: Path) -> None:
    (include / "backups" / "a.yaml").write_bytes(b"name: \xff\n")
    (include / "backups" / "b.yaml").mkdir()
    assert told(include) == [
        "include/backups/a.yaml, line 1: it is not UTF-8; save it as UTF-8.",
        "include/backups/b.yaml: is not a file.",
    ]


def test_a_missing_folder_is_told_and_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    (problem,) = told(tmp_path / "include")
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
    for problem in _problems(document):
        assert problem.file == "a.yaml"
        assert problem.line >= 1
