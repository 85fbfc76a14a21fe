from __future__ import annotations

import pytest

from canvas_exports.core.canvas.files.redirects import MOST_HOPS, Redirects
from canvas_exports.core.canvas.http.origin import Origin
from canvas_exports.errors import DownloadError, UploadError

DOWNLOAD = Redirects(Origin.parse("canvas.example.edu"))
UPLOAD = Redirects(Origin.parse("canvas.example.edu"), "upload")
START = "https://canvas.example.edu/files/7/download?download_frd=1&verifier=abc"


def test_the_token_goes_to_canvas_and_stays_there() -> None:
    hop = DOWNLOAD.start(START)
    assert (hop.bearer, hop.on_canvas) == (True, True)
    hop = DOWNLOAD.follow(hop, "/files/7/x")
    assert (hop.url, hop.bearer) == ("https://canvas.example.edu/files/7/x", True)
    hop = DOWNLOAD.follow(hop, "https://files.example.edu/7?sf_verifier=jwt")
    assert (hop.bearer, hop.on_canvas) == (False, False)


def test_once_dropped_the_token_does_not_come_back() -> None:
    hop = DOWNLOAD.follow(DOWNLOAD.start(START), "https://files.example.edu/7")
    hop = DOWNLOAD.follow(hop, START + "&fallback_ts=1")
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
    assert not DOWNLOAD.follow(DOWNLOAD.start(START), neighbour).bearer


def test_a_package_that_starts_elsewhere_never_sees_the_token() -> None:
    hop = DOWNLOAD.start("https://files.example.edu/7?sig=x")
    assert (hop.bearer, hop.on_canvas) == (False, False)


@pytest.mark.parametrize(
    "location",
    [
        "http://canvas.example.edu:8080/x",
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
        DOWNLOAD.follow(DOWNLOAD.start(START), location)
    assert "password" not in str(caught.value)
    assert "abc" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://files.example.edu/x", "ftp://canvas.example.edu/x", "https://u:p@s3.example/x"]
)
def test_a_download_does_not_start_just_anywhere(url: str) -> None:
    with pytest.raises(DownloadError):
        DOWNLOAD.start(url)


@pytest.mark.parametrize("redirects", [DOWNLOAD, UPLOAD])
def test_an_own_url_without_tls_is_upgraded(redirects: Redirects) -> None:
    start = redirects.start("http://canvas.example.edu/files/7?a=1")
    assert start.url == "https://canvas.example.edu/files/7?a=1"
    assert redirects.follow(start, "http://canvas.example.edu/x").url == "https://canvas.example.edu/x"


def test_an_upload_begins_without_the_token_and_canvas_is_told_with_it() -> None:
    hop = UPLOAD.start(START, bearer=False)
    assert (hop.bearer, hop.on_canvas) == (False, True)
    hop = UPLOAD.follow(hop, "https://files.example.edu/7")
    assert (hop.bearer, hop.on_canvas) == (False, False)
    hop = UPLOAD.follow(hop, "https://canvas.example.edu/api/v1/files/7")
    assert (hop.bearer, hop.on_canvas) == (True, True)


def test_a_forbidden_destination_of_an_upload_is_an_error_of_the_upload() -> None:
    with pytest.raises(UploadError, match=r"the upload leads to files\.example\.edu without encryption"):
        UPLOAD.follow(UPLOAD.start(START), "http://files.example.edu/x")


def test_a_campus_without_tls_may_lead_to_http_and_https() -> None:
    plain = Redirects(Origin.parse("http://127.0.0.1:3000"))
    hop = plain.follow(plain.start("http://127.0.0.1:3000/files/7"), "http://127.0.0.1:4000/x")
    assert not hop.bearer
    assert plain.follow(hop, "https://s3.example/x").url == "https://s3.example/x"


def test_the_way_is_bounded() -> None:
    hop = DOWNLOAD.start(START)
    for number in range(MOST_HOPS):
        hop = DOWNLOAD.follow(hop, f"/{number}")
    with pytest.raises(DownloadError, match="more than 10 times"):
        DOWNLOAD.follow(hop, "/again")


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
    assert DOWNLOAD.leads_to_login(DOWNLOAD.start(START), url) is login


def test_a_verifier_is_seen_and_no_hop_shows_its_query() -> None:
    assert DOWNLOAD.start(START).has_verifier
    assert not DOWNLOAD.start("https://canvas.example.edu/files/7/download?x=verifier").has_verifier
    assert "abc" not in repr(DOWNLOAD.start(START))


def test_signatures_survive_as_they_are() -> None:
    signed = "https://s3.example/k%2Fx?X-Amz-Signature=a%2Bb/c=&n=~%7E"
    assert DOWNLOAD.follow(DOWNLOAD.start(START), signed).url == signed
