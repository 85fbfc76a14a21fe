"""Whatever is wrong with a batch is said at once, by the name of its field."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest

from canvas_exports.core.archive.layout import DEFAULT_TEMPLATE
from canvas_exports.core.export.options import BatchOptions, build_options
from canvas_exports.core.export.waits import Waits
from canvas_exports.core.model.contexts import ContextKind
from canvas_exports.core.model.export_types import ExportType
from canvas_exports.errors import InputError


def built(**arguments: Any) -> BatchOptions:
    return build_options(**{"courses": ["101"], **arguments})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"courses": "BIO 101"}, "courses: 'BIO 101' is not a Canvas course id. Accepted: 101"),
        ({"courses": 5.5}, "courses: 5.5 is not a list. Accepted: one, or a list of them"),
        ({"courses": []}, "courses: no course, group or user is named. Accepted: at least one context"),
        ({"courses": None}, "courses: no course, group or user is named"),
        ({"groups": "self"}, "groups: 'self' is not a Canvas group id"),
        ({"users": "0"}, "users: '0' is not a Canvas user id"),
        (
            {"courses": range(1, 202)},
            "courses: 201 contexts in 1 export types are more than one task should carry. Accepted: at most 200",
        ),
        (
            {"courses": range(1, 102), "export_type": ["zip", "qti"]},
            "courses: 101 contexts in 2 export types are more than one task should carry",
        ),
        (
            {"export_type": "cartridge"},
            "export_type: 'cartridge' is not one. Accepted: common_cartridge, qti, z",
        ),
        ({"export_type": []}, "export_type: nothing is named. Accepted: common_cartridge, qti, zip"),
        ({"export_type": "quizzes2"}, "export_type: 'quizzes2' is not one"),
        (
            {"users": "self", "export_type": "qti"},
            "export_type: Canvas makes no qti of a user. Accepted: zip",
        ),
        ({"groups": 7}, "export_type: Canvas makes no common_cartridge of a group. Accepted: zip"),
        ({"select": {}}, "select: "),
        ({"select": {"pages": [1]}, "export_type": "zip"}, "select: "),
        (
            {"skip_notifications": "perhaps"},
            "skip_notifications: 'perhaps' is neither. Accepted: true, false",
        ),
        ({"version": "1.2"}, "version: '1.2' cannot be asked for. Accepted: 1.3"),
        (
            {"version": "1.3", "export_type": "zip"},
            "version: '1.3' means nothing to zip. Accepted: leave it out",
        ),
        ({"key_template": "{name}"}, "key_template: "),
        ({"key_template": "/{export_id}"}, "key_template: "),
        ({"max_in_flight": 0}, "max_in_flight: 0 is not a number in range. Accepted: 1 to 200"),
        ({"max_in_flight": 201}, "max_in_flight: 201 is not"),
        ({"max_in_flight": 2.5}, "max_in_flight: 2.5 is not a whole number. Accepted: 1 to 200"),
        ({"max_in_flight": True}, "max_in_flight: True is not a number"),
        ({"max_in_flight": None}, "max_in_flight: None is not a number"),
        ({"parallel_transfers": 17}, "parallel_transfers: 17 is not a number in range. Accepted: 1 to 16"),
        (
            {"skip_unchanged": "PT12H"},
            "skip_unchanged: PT12H is out of range. Accepted: P1D to P30D, or never",
        ),
        ({"skip_unchanged": "P31D"}, "skip_unchanged: P31D is out of range. Accepted: P1D to P30D, or never"),
        ({"skip_unchanged": "weekly"}, "skip_unchanged: 'weekly' is not a length of time"),
        ({"parallel_ranges": 9}, "parallel_ranges: 9 is not a number in range. Accepted: 1 to 8"),
        ({"parallel_transfers": "many"}, "parallel_transfers: 'many' is not a number in range"),
        ({"poll_shortest": 0}, "poll_shortest: 0 is not a number in range. Accepted: 0.1 to 3600"),
        ({"poll_shortest": math.nan}, "poll_shortest: nan is not"),
        ({"poll_longest": 4}, "poll_longest: 4 is not a number in range. Accepted: 5 to 3600"),
        ({"poll_longest": math.inf}, "poll_longest: inf is not"),
        (
            {"deadline": timedelta(0)},
            "deadline: 0:00:00 is not a length of time. Accepted: a timedelta above",
        ),
        ({"deadline": 3600}, "deadline: 3600 is not a length of time"),
        ({"stall_after": timedelta(-1)}, "stall_after: -1 day, 0:00:00 is not a length of time"),
        ({"proof": "hope"}, "proof: 'hope' is not known. Accepted: directory"),
        (
            {"fail_on": "sometimes"},
            "fail_on: 'sometimes' is not a failure policy. Accepted: any, never, or a perc",
        ),
        ({"on_clear": "explode"}, "on_clear: 'explode' is not known. Accepted: resume, restart"),
    ],
)
def test_a_bad_value_names_its_field_and_what_is_accepted(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        built(**arguments)
    assert str(caught.value).startswith(message)
    assert caught.value.field == message.partition(":")[0]


def test_the_defaults_are_what_a_person_would_want() -> None:
    options = built()
    assert options.export_types == (ExportType.COMMON_CARTRIDGE,)
    assert options.skip_notifications, "nobody is mailed about a backup"
    assert options.on_clear == "resume"
    assert options.key_template == DEFAULT_TEMPLATE
    assert str(options.fail_on) == "on any"


def test_contexts_and_types_come_once_and_in_order() -> None:
    options = built(
        courses=[102, "101", "course:101", "0102", "group:7"],
        groups=[7, "group:8"],
        users="3",
        export_type=["zip", ExportType.ZIP, " zip "],
    )
    assert [str(context) for context in options.contexts] == [
        "course:102",
        "course:101",
        "group:7",
        "group:8",
        "user:3",
    ]
    assert options.export_types == (ExportType.ZIP,)


def test_one_thing_needs_no_list_and_nothing_may_be_left_out() -> None:
    options = build_options(courses=101, groups=None, users=(), export_type="zip")  # type: ignore[arg-type]
    assert [str(context) for context in options.contexts] == ["course:101"]


def test_numbers_and_flags_may_be_text_as_templates_render_them() -> None:
    options = built(
        max_in_flight="7", parallel_transfers="2", poll_shortest="0.5", skip_notifications="False"
    )
    assert (options.max_in_flight, options.parallel_transfers, options.poll_interval.shortest) == (7, 2, 0.5)
    assert options.skip_notifications is False


def test_as_many_exports_as_one_task_may_carry_are_accepted() -> None:
    assert len(built(courses=range(1, 201)).contexts) == 200
    assert len(built(courses=range(1, 101), export_type=["zip", "qti"]).contexts) == 100


def test_a_request_says_what_was_asked_for() -> None:
    options = built(export_type=["common_cartridge", "qti"], version="1.3", skip_notifications=False)
    cartridge = options.request(ExportType.COMMON_CARTRIDGE, ContextKind.COURSE)
    assert dict(cartridge.pairs()) == {"export_type": "common_cartridge", "version": "1.3"}
    quizzes = options.request(ExportType.QTI, ContextKind.COURSE)
    assert dict(quizzes.pairs()) == {"export_type": "qti"}, "a version is for cartridges only"


def test_a_selection_goes_into_the_request() -> None:
    options = built(select={"quizzes": [1, 2]}, export_type="qti")
    pairs = list(options.request(ExportType.QTI, ContextKind.COURSE).pairs())
    assert [value for name, value in pairs if name.startswith("select[quizzes]")] == ["1", "2"]


@pytest.mark.parametrize(
    ("courses", "blamed"), [(["user:self", "group:7"], "user"), (["group:7", "user:self"], "group")]
)
def test_of_several_mistakes_the_first_is_named_in_every_process(courses: list[str], blamed: str) -> None:
    with pytest.raises(InputError, match=f"Canvas makes no qti of a {blamed}"):
        build_options(courses=courses, export_type="qti")


def test_every_further_fetch_waits_longer_up_to_the_last_wait() -> None:
    assert [Waits().before_transfer(failed) for failed in (0, 1, 2, 7)] == [0.0, 5.0, 20.0, 20.0]


@pytest.mark.parametrize(
    ("written", "limit"),
    [
        ("never", None),
        (None, None),
        ("P7D", timedelta(days=7)),
        ("P1D", timedelta(1)),
        (timedelta(30), timedelta(30)),
    ],
)
def test_no_course_is_skipped_for_longer_than_a_person_says(written: Any, limit: timedelta | None) -> None:
    assert built(skip_unchanged=written).skip_unchanged == limit
    assert built().skip_unchanged is None
