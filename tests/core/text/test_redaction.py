"""What is taken out of a text, and what stays."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.text.redaction import KNOWN, MASK, redact, register_environment, register_secrets

LINK = "https://inst-fs.example.net:443/files/3f/BIO.imscc?token=eyJhb.c2VjcmV0&X-Amz-Signature=0a1b2c3d#end"


@pytest.mark.parametrize(
    "text",
    [
        f"Failed to parse headers (url={LINK}): [MissingHeaderBodySeparatorDefect()], unparsed data: 'x'",
        'https://storage:443 "GET /files/3f/BIO.imscc?X-Amz-Signature=0a1b2c3d HTTP/1.1" 200 10',
        "Retrying after connection broken by 'X': /files/1/download?verifier=0a1b2c3d",
        '{"url": "https://canvas/files/1/download?download_frd=1\\u0026verifier=0a1b2c3d"}',
        "redirected to https://canvas/login?0a1b2c3d",
        f"callback={quote(LINK, safe='')}",
        "sftp://backup:0a1b2c3d@files.example.edu/canvas",
        "('https://me:0a1b2c3d@proxy:8080',)",
        "Authorization: Bearer 0a1b2c3d4e",
        "{'Authorization': b'AWS4-HMAC-SHA256 Credential=A/b, SignedHeaders=host, Signature=0a1b2c3d'}",
        "header Bearer 0a1b2c3d4e5f was sent",
        "send: Basic bWU6MGExYjJjM2Q= done",
        "{'username': 'me', 'password': '0a1b2c3d', 'port': 22}",
        '"client_secret":"0a1b2c3d"',
        "connect_kwargs=dict(passphrase='0a1b2c3d')",
        "x-amz-security-token:0a1b2c3d4e",
        "[('Host', 'storage'), ('password', '0a1b2c3d')]",
        "[('Authorization', b'AWS4-HMAC-SHA256 Credential=A/b, Signature=0a1b2c3d')]",
        "signed with sv=2020-02-10&sig=0a1b2c3d",
        "https://storage/files/1;sig=0a1b2c3d",
        "pwd=0a1b2c3d",
        "X-Api-Key: 0a1b2c3d",
        "api_key='0a1b2c3d'",
        "Signature:\n0a1b2c3d",
        "Set-Cookie: _csrf_token=0a1b2c3d; path=/",
        "refresh_token=0a1b2c3d&grant_type=refresh_token",
        "-----BEGIN RSA PRIVATE KEY-----\n0a1b2c3d\n-----END RSA PRIVATE KEY-----",
        "sas_token: 0a1b2c3d",
    ],
)
def test_what_has_the_shape_of_a_credential_is_masked(text: str) -> None:
    found = redact(text)
    assert "0a1b2c3d" not in found
    assert "bWU6MGExYjJjM2Q" not in found
    assert "c2VjcmV0" not in found
    assert MASK in found


@pytest.mark.parametrize(
    "text",
    [
        "connection canvas_default, password: it is empty. Accepted: a Canvas access token",
        "private_key: not a private key that paramiko can read. Accepted: Ed25519, ECDSA or RSA.",
        "course:101: stored, Basic Thermodynamics and bearer bonds, 4.5 GB",
        "1 file missing: web_resources/Is this whole?.png",
        "wiki_content/really?.html",
        "s3://campus-backups/canvas/courses/101/20261123T020000Z-common_cartridge-501.imscc",
        "Confirm the original course It was course 101.",
        "mail to help@example.edu; see https://canvas.example.edu/courses/101/content_migrations",
        "the token is unknown, expired or revoked: stop everything",
        "100%3 of it",
    ],
)
def test_what_people_have_to_read_stays(text: str) -> None:
    assert redact(text) == text


def test_the_host_and_the_path_of_a_link_stay() -> None:
    assert redact(f"no answer from {LINK} yet") == (
        f"no answer from https://inst-fs.example.net:443/files/3f/BIO.imscc?{MASK} yet"
    )


@given(st.text(min_size=5, max_size=60).filter(lambda text: len(text.strip()) >= 5))
def test_a_known_secret_is_found_however_it_is_written(secret: str) -> None:
    KNOWN.forms = ()
    register_secrets(secret)
    for written in (secret, quote(secret, safe=""), repr(secret)[1:-1], repr({"a": [secret]}), f"-{secret}-"):
        assert secret.strip() not in redact(f"<{written}>").replace(MASK, "") or secret.strip() in MASK


def test_the_lines_of_a_key_are_known_also_within_a_document() -> None:
    line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"
    register_secrets(
        f'{{"private_key": "-----BEGIN PRIVATE KEY-----\\n{line}\\n-----END PRIVATE KEY-----\\n"}}'
    )
    assert line not in redact(f"parsing {line}")


def test_short_words_and_what_is_no_text_are_passed_over() -> None:
    register_secrets(None, "", "true", 7, b"bytes-of-a-key")
    assert redact("true enough") == "true enough"


def test_what_is_remembered_is_bounded_and_the_newest_stays() -> None:
    for number in range(3_000):
        register_secrets(f"secret-number-{number}")
    assert len(KNOWN.forms) <= 2_000
    assert redact("secret-number-2999") == MASK


@pytest.mark.parametrize(
    "unit",
    [
        "?",
        "a?",
        "/?",
        "token",
        "token=",
        "token: ",
        "://",
        "://a@",
        "%3f",
        "Bearer ",
        "authorization:",
        "'",
        "eyJ",
        "-",
        "=?",
        "password",
    ],
)
def test_the_time_grows_with_the_text_and_no_faster(unit: str) -> None:
    """That it ends is the test: where work grew with the square, a million characters would take an hour."""
    assert len(redact((unit * 1_000_000)[:1_000_000])) <= 3_000_000


def test_the_password_of_a_proxy_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library may tell it apart from its URL."""
    monkeypatch.setenv("https_proxy", "http://campus:hush%20hush@proxy.example.edu:3128")
    register_environment()
    for text in ("campus:hush%20hush@proxy.example.edu:3128", "with hush hush", "with hush%20hush"):
        assert "hush" not in redact(text)
