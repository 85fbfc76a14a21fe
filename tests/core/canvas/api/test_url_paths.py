from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canvas_exports.core.canvas.api.url_paths import account_path, context_path, encode_id
from canvas_exports.core.model.contexts import Context
from canvas_exports.errors import InputError


@pytest.mark.parametrize(
    ("meant", "path"),
    [
        ("101", "/api/v1/courses/101"),
        ("sis_course_id:BIO-101_a", "/api/v1/courses/sis_course_id:BIO-101_a"),
        ("sis_course_id:BIO 101", "/api/v1/courses/sis_course_id:BIO%20101"),
        ("sis_course_id:Bïo", "/api/v1/courses/sis_course_id:B%C3%AFo"),
        ("sis_course_id:a:b", "/api/v1/courses/sis_course_id:a%3Ab"),
        ("sis_course_id:CS/101", "/api/v1/courses/hex:sis_course_id:43532f313031"),
        ("sis_course_id:CS/101.11é", "/api/v1/courses/hex:sis_course_id:43532f3130312e3131c3a9"),
        ("sis_course_id:50%", "/api/v1/courses/hex:sis_course_id:353025"),
        ("sis_integration_id:a.b", "/api/v1/courses/hex:sis_integration_id:612e62"),
        ("lti_context_id:a.b", "/api/v1/courses/lti_context_id:a%2Eb"),
        ("group:7", "/api/v1/groups/7"),
        ("group:sis_group_id:x/y", "/api/v1/groups/hex:sis_group_id:782f79"),
        ("user:self", "/api/v1/users/self"),
        ("user:sis_login_id:jo", "/api/v1/users/sis_login_id:jo"),
    ],
)
def test_a_context_becomes_one_safe_path(meant: str, path: str) -> None:
    assert context_path(Context.parse(meant)) == path


@given(st.text(min_size=1, max_size=40))
@settings(derandomize=True, max_examples=200)
def test_whatever_a_sis_id_holds_canvas_reads_it_back(name: str) -> None:
    segment = encode_id(f"sis_course_id:{name}")
    # What the worst proxy makes of it: decoded once on the way, once more by Canvas.
    assert segment.isascii()
    assert not set("/?#\\. ") & set(segment)
    form, _, value = segment.rpartition("sis_course_id:")
    read = bytes.fromhex(value).decode() if form == "hex:" else unquote(value)
    assert read == name


@pytest.mark.parametrize(
    ("account", "path"),
    [
        ("self", "/api/v1/accounts/self"),
        ("default", "/api/v1/accounts/default"),
        ("site_admin", "/api/v1/accounts/site_admin"),
        (5, "/api/v1/accounts/5"),
        (" 5 ", "/api/v1/accounts/5"),
        ("sis_account_id:A.1", "/api/v1/accounts/hex:sis_account_id:412e31"),
        ("sis_account_id:faculty", "/api/v1/accounts/sis_account_id:faculty"),
    ],
)
def test_an_account_is_named_in_every_way_canvas_knows(account: str | int, path: str) -> None:
    assert account_path(account) == path


@pytest.mark.parametrize(
    "account", ["", "faculty", "sis_course_id:1", "sis_account_id:", "../1", "1/courses", "-1"]
)
def test_an_account_canvas_cannot_find_is_refused(account: str) -> None:
    with pytest.raises(InputError) as caught:
        account_path(account)
    assert caught.value.field == "account"
    assert "sis_account_id:..." in str(caught.value)
