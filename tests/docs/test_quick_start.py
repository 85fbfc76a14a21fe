"""The quick start and ``canvas-archive doctor`` name the same permissions; its scopes are those of the requests."""

from __future__ import annotations

import re

from tests.support.repository.markdown import ROOT, page

from canvas_exports.core.doctor.permissions import FOR_BACKUPS, FOR_RESTORES


def test_the_permissions_are_those_that_the_doctor_looks_for() -> None:
    rows = page("quick-start").table("1. A user and a role in Canvas")
    named = [label for row in rows for label in re.findall(r"\*([^*]+ - [^*]+)\*", row[0])]
    assert named == [permission.label for permission in (*FOR_BACKUPS, *FOR_RESTORES)]


def test_the_scopes_are_those_of_the_requests() -> None:
    scopes = re.findall(r"^url:(\w+)\|(/api/v1/\S+)$", page("quick-start").text, re.MULTILINE)
    endpoints = (ROOT / "plugins/canvas_exports/core/canvas/client.py").read_text(encoding="utf-8")
    sent = set()
    for method, path in re.findall(r"``(GET|POST|PUT) (/api/v1/[^`?\s]+)``", endpoints):
        for collection in ("courses", "users") if "{courses,groups,users}" in path else ("",):
            sent.add((method, general(path.replace("{courses,groups,users}", collection))))
    assert sent
    assert {(method, general(path)) for method, path in scopes} == {
        (method, path) for method, path in sent if not path.startswith("/api/v1/users/:/content_exports")
    }


def general(path: str) -> str:
    """Return a path with its ids by no name: Canvas's page and our docstrings call them differently."""
    return re.sub(r":\w+|(?<=/users/)self|(?<=/folders/)root", ":", path)
