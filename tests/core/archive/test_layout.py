from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from canvas_exports.core.archive.layout import (
    DEFAULT_TEMPLATE,
    FIELDS,
    check_template,
    context_folder,
    manifest_key,
    package_key,
    run_folder,
)
from canvas_exports.core.storage.object_keys import check_key
from canvas_exports.errors import InputError

CREATED = datetime(2026, 11, 23, 2, tzinfo=timezone.utc)

TEXT = (
    st.none()
    | st.text(max_size=80)
    | st.sampled_from(["../..", "a/b", "..", "é", "-", "1", "12", "1-2", "2_1", "\0", " "])
)
FREE = st.fixed_dictionaries(dict.fromkeys(("course_code", "sis_id", "name", "term"), TEXT))
PIECE = st.sampled_from([*(f"{{{name}}}" for name in FIELDS if name != "export_id"), *"-_.=a7"])
SEGMENT = st.lists(PIECE, min_size=1, max_size=2).map("".join).filter(lambda text: text.strip(".") == text)
OPENING = st.tuples(st.just("{export_id}"), st.sampled_from("-_="), SEGMENT).map("".join)
CLOSING = st.tuples(SEGMENT, st.sampled_from("-_.="), st.just("{export_id}")).map("".join)
SEGMENTS = st.lists(SEGMENT, max_size=2)
TEMPLATES = st.builds(
    lambda before, unique, after: "/".join([*before, unique, *after]),
    SEGMENTS,
    st.just("{export_id}") | OPENING | CLOSING,
    SEGMENTS,
).filter(lambda template: len(template) <= 200 and template.count("{") <= 9)


def key(**given: object) -> str:
    known: dict[str, object] = {
        "kind": "course",
        "canvas_id": 101,
        "export_type": "common_cartridge",
        "export_id": 501,
        "created": CREATED,
        "suffix": ".imscc",
    }
    return package_key(**(known | given))  # type: ignore[arg-type]


def test_the_default_key_tells_course_time_type_and_export() -> None:
    assert key() == "courses/101/20261123T020000Z-common_cartridge-501.imscc"
    assert manifest_key(key()) == "courses/101/20261123T020000Z-common_cartridge-501.json"
    assert check_template(DEFAULT_TEMPLATE) == DEFAULT_TEMPLATE


def test_times_are_utc() -> None:
    sydney = CREATED.astimezone(timezone(timedelta(hours=11)))
    assert key(created=sydney) == key()


def test_groups_and_users_have_their_own_folders() -> None:
    assert key(kind="group", canvas_id=7, suffix=".zip").startswith("groups/7/")
    assert key(kind="user", canvas_id=7, suffix=".zip").startswith("users/7/")
    assert context_folder("course", 101) == "courses/101/"


def test_free_text_becomes_a_slug_and_a_missing_one_none() -> None:
    template = "{term}/{course_code}/{sis_id}/{export_id}"
    assert (
        key(template=template, term="Fall 2026", course_code="BIO/101: Évolution", sis_id=None)
        == "courses/101/Fall-2026/BIO-101-Evolution/none/501.imscc"
    )
    assert key(template=template, term="..", course_code="日本", sis_id="x" * 500).split("/")[2:5] == [
        "none",
        "none",
        "x" * 60,
    ]


def test_the_name_of_a_user_is_never_part_of_a_key() -> None:
    assert "Ada" not in key(kind="user", template="{name}-{export_id}", name="Ada", suffix=".zip")


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("", "1 to 200"),
        ("x" * 200 + "-{export_id}", "1 to 200"),
        ("{created}", "export_id"),
        ("{export_id", "brace"),
        ("{export_id}}", "brace"),
        ("{teacher}-{export_id}", "teacher"),
        ("{export_id!r}", "no field"),
        ("{export_id:>9}", "no field"),
        ("{0}-{export_id}", "no field"),
        ("{name.x}-{export_id}", "no field"),
        ("{}-{export_id}", "no field"),
        ("../{export_id}", "dot"),
        ("a/./{export_id}", "dot"),
        (".hidden-{export_id}", "dot"),
        ("{export_id}.", "dot"),
        ("/{export_id}", "empty"),
        ("a//{export_id}", "empty"),
        ("{export_id}/", "empty"),
        ("a b-{export_id}", "not safe"),
        ("café-{export_id}", "not safe"),
        ("a\\{export_id}", "not safe"),
        ("{name}{term}{sis_id}{course_code}/{export_id}", "too long"),
        ("/".join(["{name}"] * 12) + "/{export_id}", "too long"),
        ("{created}{export_id}", "set off"),
        ("{name}-{export_id}-{term}", "set off"),
        ("v2{export_id}", "set off"),
    ],
)
def test_a_bad_template_is_refused_with_the_problem_and_what_is_accepted(template: str, problem: str) -> None:
    with pytest.raises(InputError, match=re.escape(problem)) as raised:
        check_template(template, field="key_template")
    for name in FIELDS:
        assert f"{{{name}}}" in str(raised.value)
    assert str(raised.value).startswith("key_template:")


@settings(max_examples=150)
@given(template=TEMPLATES, free=FREE, canvas_id=st.integers(1, 10**18), export_id=st.integers(1, 10**18))
def test_no_key_leaves_its_folder_or_is_illegal_anywhere(
    template: str, free: dict[str, str | None], canvas_id: int, export_id: int
) -> None:
    made = key(template=template, canvas_id=canvas_id, export_id=export_id, **free)
    assert check_key(made) == made
    assert made.startswith(f"courses/{canvas_id}/")
    for segment in made.split("/"):
        assert re.fullmatch(r"[A-Za-z0-9_=-][A-Za-z0-9._=-]*", segment)
        assert len(segment) <= 220
    assert len(made) <= 900


@settings(max_examples=150)
@given(
    template=TEMPLATES,
    one=st.tuples(st.integers(1, 12), st.integers(1, 121), FREE),
    other=st.tuples(st.integers(1, 12), st.integers(1, 121), FREE),
)
def test_no_two_contexts_or_exports_share_a_key_or_a_manifest(
    template: str,
    one: tuple[int, int, dict[str, str | None]],
    other: tuple[int, int, dict[str, str | None]],
) -> None:
    assume(one[:2] != other[:2])
    first, second = (
        key(template=template, canvas_id=canvas_id, export_id=export_id, **free)
        for canvas_id, export_id, free in (one, other)
    )
    assert first.lower() != second.lower()
    assert manifest_key(first).lower() != manifest_key(second).lower()


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "account"},
        {"canvas_id": 0},
        {"export_id": -1},
        {"suffix": ".exe"},
        {"created": datetime(2026, 11, 23)},  # noqa: DTZ001 - that is the mistake
    ],
)
def test_a_key_of_nothing_is_a_mistake_of_the_program(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no key for"):
        key(**wrong)


def test_only_a_package_has_a_manifest() -> None:
    with pytest.raises(ValueError, match="not a package"):
        manifest_key("courses/1/a.json")


def test_run_folders_keep_plain_ids_and_tell_changed_ones_apart() -> None:
    day = date(2026, 11, 23)
    assert run_folder(day, "nightly", "manual_1") == "runs/2026-11-23/nightly/manual_1/"
    scheduled = run_folder(day, "nightly", "scheduled__2026-11-23T02:00:00+00:00")
    assert re.fullmatch(
        r"runs/2026-11-23/nightly/scheduled__2026-11-23T02-00-00-00-00-[0-9a-f]{10}/", scheduled
    )


IDS = st.text(st.sampled_from("ab-_.:+/é0"), min_size=1, max_size=70)


@settings(max_examples=150)
@given(one=st.tuples(IDS, IDS), other=st.tuples(IDS, IDS))
def test_no_two_runs_share_a_folder(one: tuple[str, str], other: tuple[str, str]) -> None:
    day = date(2026, 11, 23)
    assert (run_folder(day, *one) == run_folder(day, *other)) == (one == other)


def test_an_id_that_looks_like_a_changed_one_cannot_take_its_place() -> None:
    day = date(2026, 11, 23)
    changed = run_folder(day, "d", "a b").split("/")[3]
    assert run_folder(day, "d", changed) != run_folder(day, "d", "a b")
