"""Links lead to hosts, in one spelling each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.archive.search.hosts import (
    host_of,
    hosts_of,
    read_host,
    reversed_name,
    tool_hosts_of,
)
from canvas_exports.errors import InputError


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://Video.Example.EDU/watch?v=1", "video.example.edu"),
        ("//cdn.example.org/x.js", "cdn.example.org"),
        ("http://user:secret@example.org:8080/", "example.org"),
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("https://example.org./", "example.org"),
        ("http://[2001:DB8::1]/", "2001:db8::1"),
        ("http://192.0.2.1/", "192.0.2.1"),
        ("mailto:someone@example.org", None),
        ("$IMS-CC-FILEBASE$/a.png", None),
        ("javascript:alert(1)", None),
        ("https://", None),
        ("https://exa mple.org/", None),
        ("https://[bad/", None),
        ("https://" + "a" * 300 + ".org/", None),
        ("https://" + "ü" * 100_000, None),
        ("https://a..b/", None),
        ("https://<script>/", None),
    ],
)
def test_an_address_leads_to_a_host_or_to_none(address: str, host: str | None) -> None:
    assert host_of(address) == host


@given(st.text())
def test_no_address_is_an_error(text: str) -> None:
    for address in (text, f"https://{text}/", f"https://example.org/external_tools/retrieve?url={text}"):
        host = host_of(address)
        assert host is None or (host.isascii() and host == host.lower() and " " not in host)
        assert all(each.isascii() for each in tool_hosts_of(address))


def test_an_embedded_tool_is_at_the_host_of_its_address() -> None:
    address = (
        "/courses/1/external_tools/retrieve?display=borderless&url=https%3A%2F%2Flti.example.com%2Flaunch"
    )
    assert list(tool_hosts_of(address)) == ["lti.example.com"]
    assert list(tool_hosts_of("https://example.org/?url=https://elsewhere.example")) == []


def test_hosts_of_one_domain_begin_alike_when_reversed() -> None:
    assert reversed_name("www.video.example.edu") == "edu.example.video.www"
    assert reversed_name("2001:db8::1") == "2001:db8::1"
    assert hosts_of(["https://a.example/1", "https://A.example/2", "nothing"]) == {"a.example"}


def test_a_person_may_write_a_host_or_an_address() -> None:
    assert (
        read_host(" Example.ORG ", field="--host")
        == read_host("https://example.org/x", field="--host")
        == "example.org"
    )
    with pytest.raises(InputError, match="--host"):
        read_host("not a host", field="--host")
