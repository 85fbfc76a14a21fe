from __future__ import annotations

import pytest

from canvas_exports.core.canvas.http.origin import Origin, host_of, is_http, resolve
from canvas_exports.errors import InputError

CANVAS = Origin.parse("canvas.example.edu")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("canvas.example.edu", "https://canvas.example.edu"),
        (" Canvas.Example.EDU ", "https://canvas.example.edu"),
        ("https://canvas.example.edu/", "https://canvas.example.edu"),
        ("https://canvas.example.edu:443", "https://canvas.example.edu"),
        ("canvas.example.edu:8443", "https://canvas.example.edu:8443"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("http://localhost:80", "http://localhost"),
        ("https://[::1]:8443", "https://[::1]:8443"),
        ("https://lernplattform.universität.example", "https://lernplattform.xn--universitt-y5a.example"),
    ],
)
def test_a_host_is_read_as_people_write_it(written: str, meant: str) -> None:
    assert str(Origin.parse(written)) == meant


@pytest.mark.parametrize(
    "written",
    [
        "",
        "  ",
        "https://",
        "ftp://canvas.example.edu",
        "https://canvas.example.edu/api/v1",
        "https://user:password@canvas.example.edu",
        "https://canvas.example.edu?x=1",
        "https://canvas.example.edu#x",
        "https://canvas.example.edu:70000",
        "canvas example edu",
        "canvas.example.edu\\@evil.example",
        "-canvas.example.edu",
        "https://" + "ü" * 80,
    ],
)
def test_anything_else_is_refused_without_repeating_it(written: str) -> None:
    with pytest.raises(InputError) as caught:
        Origin.parse(written)
    assert caught.value.field == "host"
    assert "password@" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("https://canvas.example.edu/files/7", True),
        ("https://CANVAS.example.edu:443/files/7", True),
        ("http://canvas.example.edu/files/7", False),
        ("https://canvas.example.edu:8443/", False),
        ("https://canvas.example.edu.evil.example/", False),
        ("https://canvas.example.edu@evil.example/", False),
        ("https://user@canvas.example.edu/", False),
        ("https://canvas.example.edu\\.evil.example/", False),
        ("https://canvas.example.edu:x/", False),
        ("/files/7", False),
        ("", False),
    ],
)
def test_only_the_very_same_origin_is_owned(url: str, own: bool) -> None:
    assert CANVAS.owns(url) is own


@pytest.mark.parametrize(
    ("url", "own_url"),
    [
        ("https://canvas.example.edu/a?b=%2E", "https://canvas.example.edu/a?b=%2E"),
        ("http://canvas.example.edu/a?b=1", "https://canvas.example.edu/a?b=1"),
        ("http://canvas.example.edu:80/a", "https://canvas.example.edu/a"),
        ("http://canvas.example.edu:8080/a", None),
        ("http://other.example.edu/a", None),
        ("https://other.example.edu/a", None),
        ("http://user@canvas.example.edu/a", None),
        ("", None),
    ],
)
def test_own_links_written_without_tls_are_upgraded_and_foreign_ones_are_not_ours(
    url: str, own_url: str | None
) -> None:
    assert CANVAS.own_url(url) == own_url


def test_an_origin_without_tls_is_not_upgraded() -> None:
    assert (
        Origin.parse("http://127.0.0.1:3000").own_url("http://127.0.0.1:3000/a") == "http://127.0.0.1:3000/a"
    )
    assert Origin.parse("http://127.0.0.1:3000").own_url("https://127.0.0.1:3000/a") is None


def test_links_resolve_and_keep_what_was_encoded() -> None:
    assert resolve("https://h/a/b", "c?x=%2E~%7e") == "https://h/a/c?x=%2E~%7e"
    assert resolve("https://h/", "https://s/é?sig=a+b/c=") == "https://s/%C3%A9?sig=a+b/c="
    assert resolve("https://h/", "http://[") == ""


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("https://s/x", True),
        ("http://s/x", True),
        ("ftp://s/x", False),
        ("file:///etc/passwd", False),
        ("https://u:p@s/x", False),
        ("https:///x", False),
        ("", False),
    ],
)
def test_only_http_without_a_password_is_http(url: str, plain: bool) -> None:
    assert is_http(url) is plain


def test_a_host_name_for_messages_never_holds_more() -> None:
    assert host_of("https://bucket.example/k?X-Amz-Signature=secret") == "bucket.example"
    assert host_of("nonsense") == "an unreadable address"
