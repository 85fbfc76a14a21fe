"""Whatever the proof calls whole opens, every item of it reads, and there are as many of each kind as the proof has counted."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.packages.build import DATA, real, zipped
from tests.support.packages.courses import course, quizzes
from tests.support.packages.opened import opened
from tests.support.packages.random_courses import EXPECT, damaged, packages
from tests.support.packages.stored import proven

from canvas_exports.core.packages.content.listing import KIND_OF_COUNT
from canvas_exports.core.packages.content.model import CourseContent, ItemKind
from canvas_exports.core.packages.proof import Expectation, Verdict
from canvas_exports.errors import CorruptPackageError, PackageError


def shown(content: CourseContent) -> Counter[ItemKind]:
    found = Counter(item.kind for item in content.items)
    found[ItemKind.DISCUSSION] += found[ItemKind.ANNOUNCEMENT]  # the proof counts these among the discussions
    return found


def check(data: bytes, expect: Expectation = EXPECT) -> None:
    """Compare an open package with its proof, if it has one that calls it whole."""
    try:
        found = proven(data, expect).proof
    except PackageError:
        found = None
    if found is None or found.verdict is Verdict.INCOMPLETE:
        try:
            content = opened(data, expect.export_type)
        except CorruptPackageError:
            return
    else:
        content = opened(data, expect.export_type)
    documents = list(content.read_all(content.items))
    assert len(documents) == len(content.items)
    assert len({(item.kind, item.identifier) for item in content.items}) == len(content.items)
    for document in documents:
        assert content.find(document.item.kind, document.item.identifier) is not None
        for link in document.links:
            content.resolve(link, base=document.item)
    if found is not None and found.verdict is not Verdict.INCOMPLETE:
        number = shown(content)
        counts = {name: found.counts[name] for name in KIND_OF_COUNT if name in found.counts}
        assert {name: number[KIND_OF_COUNT[name]] for name in counts} == counts
        if expect.export_type == "common_cartridge" and not any(
            item.url for module in content.modules for item in module.items
        ):
            assert len(content.modules) >= found.counts["modules"]
            assert sum(len(module.items) for module in content.modules) >= found.counts["module_items"]


@given(packages())
def test_of_any_course(members: dict[str, bytes]) -> None:
    check(zipped(members))


@settings(max_examples=200)
@given(damaged())
def test_of_a_damaged_one(data: bytes) -> None:
    check(data)


@given(
    st.dictionaries(
        st.text("ab/ü.\\\x07 ", min_size=1, max_size=9).filter(lambda name: not name.endswith("/")),
        st.binary(max_size=9),
    )
)
def test_of_files(members: dict[str, bytes]) -> None:
    check(zipped(members), Expectation("zip"))


@pytest.mark.parametrize("name", sorted(path.stem for path in DATA.glob("*.imscc")))
def test_of_a_real_one(name: str) -> None:
    check(real(name), Expectation("common_cartridge"))


def test_of_a_course_of_canvas() -> None:
    check(zipped(course().members()))
    check(zipped(quizzes().members()), quizzes().expect)
