from __future__ import annotations

import pytest

from canvas_exports.core.canvas.files.redirects import MOST_HOPS, first_hop, is_login, next_hop
from canvas_exports.core.canvas.http.origin import Origin
from canvas_exports.errors import DownloadError

CANVAS = Origin.parse("canvas.example.edu")
START = "https://canvas.example.edu/files/7/download?download_frd=1&verifier=abc"


def test_the_token_goes_to_canvas_and_stays_there() -> None:
    hop = first_hop(CANVAS, START)
    assert (hop.bearer, hop.on_canvas) == (True, True)
    hop = next_hop(CANVAS, hop, "/files/7/x")
    assert (hop.url, hop.bearer) == ("https://canvas.example.edu/files/7/x", True)
    hop = next_hop(CANVAS, hop, "https://files.example.edu/7?sf_verifier=jwt")
    assert (hop.bearer, hop.on_canvas) == (False, False)


def test_once_dropped_the_token_does_not_come_back() -> None:
    hop = next_hop(CANVAS, first_hop(CANVAS, START), "https://files.example.edu/7")
    hop = next_hop(CANVAS, hop, START + "&fallback_ts=1")
    assert (hop.bearer, hop.on_canvas) == (False, True)


@pytest.mark.parametrize(
    "neighbour",
    [
        "https://canvas.example.edu:8443/x",
        "https://evil.canvas.example.edu/x",
        "https://canvas.example.edu.evil.example/x",
        "//files.example.edu/x",
    ],
)
def test_a_neighbour_of_canvas_is_a_foreign_host(neighbour: str) -> None:
    assert not next_hop(CANVAS, first_hop(CANVAS, START), neighbour).bearer


def test_a_package_that_starts_elsewhere_never_sees_the_token() -> None:
    hop = first_hop(CANVAS, "https://files.example.edu/7?sig=x")
    assert (hop.bearer, hop.on_canvas) == (False, False)


@pytest.mark.parametrize(
    "location",
    [
        "http://canvas.example.edu/x",
        "http://files.example.edu/x",
        "ftp://files.example.edu/x",
        "file:///etc/passwd",
        "data:text/plain,x",
        "https://user:password@files.example.edu/x",
        "https://[",
        "",
        None,
    ],
)
def test_forbidden_destinations_are_not_followed(location: str | None) -> None:
    with pytest.raises(DownloadError) as caught:
        next_hop(CANVAS, first_hop(CANVAS, START), location)
    assert "password" not in str(caught.value)
    assert "abc" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://files.example.edu/x", "ftp://canvas.example.edu/x", "https://u:p@s3.example/x"]
)
def test_a_download_does_not_start_just_anywhere(url: str) -> None:
    with pytest.raises(DownloadError):
        first_hop(CANVAS, url)


def test_an_own_url_without_tls_is_upgraded_at_the_start() -> None:
    assert (
        first_hop(CANVAS, "http://canvas.example.edu/files/7?a=1").url
        == "https://canvas.example.edu/files/7?a=1"
    )


def test_a_campus_without_tls_may_lead_to_http_and_https() -> None:
    plain = Origin.parse("http://127.0.0.1:3000")
    hop = next_hop(plain, first_hop(plain, "http://127.0.0.1:3000/files/7"), "http://127.0.0.1:4000/x")
    assert not hop.bearer
    assert next_hop(plain, hop, "https://s3.example/x").url == "https://s3.example/x"


def test_the_way_is_bounded() -> None:
    hop = first_hop(CANVAS, START)
    for number in range(MOST_HOPS):
        hop = next_hop(CANVAS, hop, f"/{number}")
    with pytest.raises(DownloadError, match="more than 10 times"):
        next_hop(CANVAS, hop, "/again")


@pytest.mark.parametrize(
    ("url", "login"),
    [
        ("https://canvas.example.edu/login", True),
        ("https://canvas.example.edu/login/saml?x=1", True),
        ("https://canvas.example.edu/logins", False),
        ("https://canvas.example.edu/files/login", False),
        ("https://s3.example/login", False),
    ],
)
def test_the_login_page_is_known(url: str, login: bool) -> None:
    assert is_login(CANVAS, url) is login


def test_a_verifier_is_seen_and_no_hop_shows_its_query() -> None:
    assert first_hop(CANVAS, START).has_verifier
    assert not first_hop(CANVAS, "https://canvas.example.edu/files/7/download?x=verifier").has_verifier
    assert "abc" not in repr(first_hop(CANVAS, START))


def test_signatures_survive_as_they_are() -> None:
    signed = "https://s3.example/k%2Fx?X-Amz-Signature=a%2Bb/c=&n=~%7E"
    assert next_hop(CANVAS, first_hop(CANVAS, START), signed).url == signed
