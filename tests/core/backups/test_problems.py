"""What is wrong in a backup file: file, line, field and what is accepted."""

from __future__ import annotations

import re

import pytest
from tests.support.backups.backup_files import HEAD, WHOLE, Write, messages

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
    ("max_age: two days", "max_age: 'two days' does not fit. Accepted: such as 'P2D', 'PT36H', 'P8D'."),
    ("max_age: PT5M", "max_age: PT5M is no age that can be promised. Accepted: from an hour to ten years"),
    ("max_age: P11Y", "max_age: P4015D is no age that can be promised."),
    ("publish: a place", "publish: 'a place' does not fit."),
    ("publish: s3://user:secret@bucket/x", "publish: 's3://...@bucket/x' does not fit."),
    ("max_age: 2", "max_age: 2 is not text."),
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
def test_a_bad_field_is_reported_with_file_line_field_and_what_is_accepted(
    write: Write, line: str, says: str
) -> None:
    (problem,) = messages(write(f"{WHOLE}# a comment\n{line}\n"))
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
    (problem,) = messages(write(f"{HEAD}{text}\n"))
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
    problems = messages(
        write(f"name: a\narchive: file:///a\ncourses: {{ids: [1]}}\nschedule: '{schedule}'\n")
    )
    expected = (
        f"include/backups/nightly.yaml, line 4, schedule: '{schedule}' is not a schedule. Accepted: a cron"
    )
    assert not problems if fine else problems[0].startswith(expected)


@pytest.mark.parametrize("name", ["night/ly", "", "-a", "été", "a" * 101])
def test_a_name_is_one_that_airflow_takes(write: Write, name: str) -> None:
    (problem,) = messages(write(WHOLE.replace("name: nightly", f"name: '{name}'")))
    assert problem.startswith("include/backups/nightly.yaml, line 1, name: ")


@pytest.mark.parametrize("archive", ["campus backups", "/srv/archive", "{{ var.value.canvas_archive }"])
def test_an_archive_is_a_name_a_uri_or_a_template(write: Write, archive: str) -> None:
    (problem,) = messages(write(WHOLE.replace("file:///archive", f"'{archive}'")))
    assert problem.startswith(
        f"include/backups/nightly.yaml, line 3, archive: '{archive}' does not fit. Accepted: such as"
    )


@pytest.mark.parametrize(
    "archive", ["sftp://me:hunter2@host/a", "https://host/a?sig=hunter2", "s3://k:hunter2@b"]
)
def test_a_credential_in_an_archive_is_refused_and_never_repeated(write: Write, archive: str) -> None:
    (problem,) = messages(write(WHOLE.replace("file:///archive", archive)))
    assert "archive: " in problem
    assert "hunter2" not in problem


def test_what_is_missing_is_reported_all_at_once(write: Write) -> None:
    assert messages(write("tags: [a]\n")) == [
        (
            "include/backups/nightly.yaml, line 1, archive: is missing. Accepted: such as 'campus_archive', "
            "'s3://campus-backups/canvas', 'file:///srv/canvas-archive', '{{ var.value.canvas_archive }}'."
        ),
        "include/backups/nightly.yaml, line 1, courses: is missing. Accepted: courses, groups, users, or several of them.",
        "include/backups/nightly.yaml, line 1, name: is missing. Accepted: such as 'nightly', 'end_of_term_2026'.",
        "include/backups/nightly.yaml, line 1, schedule: is missing. Accepted: such as '0 2 * * *', '@weekly', null.",
    ]


@pytest.mark.parametrize("text", ["", "# nothing\n", "- 1\n", "nightly\n"])
def test_a_file_that_is_no_mapping_is_reported(write: Write, text: str) -> None:
    (problem,) = messages(write(text))
    assert problem == (
        "include/backups/nightly.yaml, line 1: a backup is a mapping of fields to values, such as name: nightly."
    )


def test_several_problems_of_one_file_are_reported_together_in_the_order_of_lines(write: Write) -> None:
    text = f"{HEAD}courses: {{ids: [BIO, x y]}}\nversion: 1.3\nexport_types: [qti]\ndeadline: x\nfail_on: y\nfail_on: z\n"
    lines = [re.match(r"\S+ line (\d+), ([\w.\[\]]+): ", problem) for problem in messages(write(text))]
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
    assert messages(write(f"{WHOLE}{line}\n")) == [
        f"include/backups/nightly.yaml, line 1, export_types: {says}"
    ]
    assert messages(write(f"{WHOLE}{line}\nexport_types: [common_cartridge]\n")) == [
        f"include/backups/nightly.yaml, line 6, export_types: {says}"
    ]


def test_a_batch_holds_no_more_exports_than_a_task_can_carry(write: Write) -> None:
    (problem,) = messages(write(f"{WHOLE}export_types: [common_cartridge, zip]\nbatch_size: 101\n"))
    assert problem == (
        "include/backups/nightly.yaml, line 6, batch_size: 101 is out of range. Accepted: 1 to 100."
    )


def test_what_can_be_selected_depends_on_the_export_types(write: Write) -> None:
    (problem,) = messages(write(f"{WHOLE}export_types: [zip]\nselect:\n  pages: [1]\n"))
    assert problem.startswith(
        "include/backups/nightly.yaml, line 6, select: pages cannot be selected for export_type zip. Accepted: folders, "
    )


def test_a_group_among_the_courses_is_checked_as_a_group(write: Write) -> None:
    (problem,) = messages(write(f"{HEAD}courses: {{ids: ['group:7']}}\nexport_types: [qti]\n"))
    assert problem.startswith(
        "include/backups/nightly.yaml, line 5, export_types: Canvas makes no qti of a group."
    )
