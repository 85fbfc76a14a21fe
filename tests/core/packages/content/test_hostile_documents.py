"""Documents that are made to cost their reader: within the bounds of the package, and at the cost of themselves only."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from benchmarks.attacks import ATTACKS
from tests.support.packages.courses import course
from tests.support.packages.opened import opened, titles

from canvas_exports.core.packages.content.model import ItemKind
from canvas_exports.errors import CorruptPackageError

DOCUMENTS = (
    "course_settings/module_meta.xml",
    "course_settings/rubrics.xml",
    "course_settings/assignment_groups.xml",
    "course_settings/files_meta.xml",
    "non_cc_assessments/z1.xml.qti",
    "z1/assessment_meta.xml",
    "d1.xml",
    "d1meta.xml",
    "a1/assignment_settings.xml",
    "w1.xml",
    "x0.xml",
)
HOSTILE: Mapping[str, bytes] = {
    "deep": b"<a>" * 5_000 + b"</a>" * 5_000,
    "entities": b"<!DOCTYPE a [<!ENTITY x 'y'><!ENTITY z '&x;&x;&x;&x;'>]><a>&z;</a>",
    "external": b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
    "attributes": b"<a " + b" ".join(b"a%d='1'" % number for number in range(3_000)) + b"/>",
    "a long tag": b"<a b='" + b"x" * 400_000 + b"'/>",
    "many names": b"<a>" + b"".join(b"<b%d/>" % number for number in range(12_000)) + b"</a>",
    "no end": b"<quiz><title>A",
    "nothing": b"",
    "binary": bytes(range(256)) * 40,
    "utf-16": "<quiz><title>Ü</title></quiz>".encode("utf-16"),
    "an unknown encoding": b"<?xml version='1.0' encoding='x-none'?><a/>",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_one_document_costs_itself_only(kind: str) -> None:
    for name in DOCUMENTS:
        content = opened(course().having({name: HOSTILE[kind]}))
        found = list(content.read_all(content.items))
        assert len(found) == len(content.items)
        assert titles(content, ItemKind.PAGE) == ["Welcome"]
        assert all("\n" not in document.problem for document in found)


@pytest.mark.parametrize(
    "name",
    [
        "end records in the comment",
        "zeros",
        "a text of 31 MB, in the manifest",
        "deep nesting, in the manifest",
        "resources",
    ],
)
def test_a_hostile_package_opens_or_is_corrupt(name: str) -> None:
    try:
        content = opened(ATTACKS[name]())
    except CorruptPackageError:
        return
    assert len(list(content.read_all(content.items))) == len(content.items)


@pytest.mark.parametrize(
    "html", ["<div>" * 100_000, "<a href='x" * 50_000, "<!--" * 100_000, "<table>" * 50_000, "&" * 500_000]
)
def test_hostile_html_is_given_as_it_is(html: str) -> None:
    content = opened(course(page=html.encode()))
    (page,) = (item for item in content.items if item.kind is ItemKind.PAGE)
    assert content.read(page).html == html
