"""The site of the documentation holds every page, and loads nothing from elsewhere. ``make docs`` checks links and anchors."""

from __future__ import annotations

import json
import pkgutil
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.repository.markdown import BLOCKS, ROOT, Page, page

from canvas_exports.cli.main import parser
from canvas_exports.provider import get_provider_info
from docs_site import schema_tables
from docs_site.command_help import describe
from docs_site.links import CORE, PAGES, origin_of, rewrite

DOCS = ROOT / "docs"
FILES = [path.relative_to(DOCS).as_posix() for path in sorted([*DOCS.glob("*.md"), *DOCS.glob("*/*.md")])]
SCHEMAS = sorted((ROOT / CORE).rglob("*.schema.json"))


class Loader(yaml.SafeLoader):
    """Reads the tags of mkdocs as nothing."""


Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda *_: None)
SITE: dict[str, Any] = yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), Loader)  # noqa: S506 - safe


def leaves(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        for inner in part.values():
            yield from leaves(inner)
    else:
        for inner in part:
            yield from leaves(inner)


def test_the_navigation_has_every_page_once_and_no_other() -> None:
    named = list(leaves(SITE["nav"]))
    assert sorted(named) == sorted([*FILES, *PAGES.values()])
    assert [source for source in PAGES if not (ROOT / source).is_file()] == []


@pytest.mark.parametrize("name", FILES)
def test_headings_begin_with_one_title_and_leave_out_no_level(name: str) -> None:
    levels = [len(found) for found in re.findall(r"^(#+) ", Page(DOCS / name).prose, re.MULTILINE)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))


def test_nothing_is_loaded_from_another_server() -> None:
    assert SITE["theme"]["font"] is False
    for file in (SITE.get("extra_javascript", []), SITE.get("extra_css", [])):
        assert not [address for address in file if "//" in address]
    template = (ROOT / SITE["theme"]["custom_dir"] / "main.html").read_text(encoding="utf-8")
    assert "default-src 'self'" in template
    images = [
        link for name in FILES for link in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", Page(DOCS / name).text)
    ]
    assert images
    assert not [image for image in images if "//" in image]


@pytest.mark.parametrize("path", ["docs/requirements.lock", "dev/docs_site/package-lock.json"])
def test_what_builds_the_site_is_locked_with_digests_and_names_no_index(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert "://" not in text
    if path.endswith(".json"):
        packages = [found for name, found in json.loads(text)["packages"].items() if name]
        assert packages
        assert all(found["integrity"].startswith("sha512-") for found in packages)
    else:
        blocks = re.split(r"^(?=[a-z])", text, flags=re.MULTILINE)[1:]
        assert len(blocks) > 20
        assert [block for block in blocks if "--hash=sha256:" not in block] == []


class TestReference:
    def test_every_class_is_there(self) -> None:
        named = re.findall(r"^::: ([\w.]+)$", (DOCS / "reference/classes.md").read_text(), re.MULTILINE)
        for name in named:
            assert pkgutil.resolve_name(name).__doc__, name
        (listed,) = get_provider_info()["operators"]
        assert {name.rpartition(".")[0] for name in named if ".operators." in name} == set(
            listed["python-modules"]
        )

    def test_every_generated_part_has_a_source(self) -> None:
        hooks = (ROOT / "dev/docs_site/hooks.py").read_text(encoding="utf-8")
        (sources,) = re.findall(r"^GENERATED = \{(.*)\}$", hooks, re.MULTILINE)
        text = "".join((DOCS / name).read_text(encoding="utf-8") for name in FILES)
        found = re.findall(r"<!-- generated: (\w+) -->", text)
        assert sorted(found) == sorted(re.findall(r'"(\w+)":', sources))

    @pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
    def test_every_field_of_a_schema_has_a_row_with_a_type(self, path: Path) -> None:
        rows = [
            line.split(" | ") for line in schema_tables.describe(path).splitlines() if line.startswith("| `")
        ]
        fields = [row[0].strip("| `") for row in rows]
        assert set(json.loads(path.read_text())["properties"]) <= set(fields)
        assert len(set(fields)) == len(fields)
        assert [row[0] for row in rows if not row[1].strip()] == []

    def test_the_help_of_every_subcommand(self) -> None:
        whole = parser()
        text = "\n".join(describe(whole))
        (listed,) = (action.choices for action in whole._actions if isinstance(action.choices, dict))
        for name in listed:
            assert f"`canvas-archive {name}`" in text


class TestLinks:
    @pytest.mark.parametrize(
        ("page_of_site", "link", "expected"),
        [
            ("deploy.md", "[x](quick-start.md#a)", "[x](quick-start.md#a)"),
            ("deploy.md", "[x](../README.md#a)", "[x](project/readme.md#a)"),
            ("project/readme.md", "[x](docs/deploy.md)", "[x](../deploy.md)"),
            ("reference/command.md", "[x](../catalog.md)", "[x](../catalog.md)"),
            (
                "archive.md",
                f"[x](../{CORE}archive/schemas/gate-1.schema.json)",
                "[x](reference/documents.md#gate-1)",
            ),
            ("dependencies.md", "[x](../requirements.lock)", "x"),
            ("reports.md", "![x](images/report.png)", "![x](images/report.png)"),
            ("deploy.md", "[x](https://example.edu) `[x](y)`", "[x](https://example.edu) `[x](y)`"),
        ],
    )
    def test_a_link_of_the_repository_becomes_one_of_the_site(
        self, page_of_site: str, link: str, expected: str
    ) -> None:
        assert rewrite(link, page_of_site) == expected

    @pytest.mark.parametrize("page_of_site", [*FILES, *PAGES.values()])
    def test_every_link_of_the_site_leads_to_a_page(self, page_of_site: str) -> None:
        text = rewrite(Page(ROOT / origin_of(page_of_site)).text, page_of_site)
        others = [
            path.relative_to(DOCS).as_posix() for path in [*DOCS.glob("*/*.png"), *DOCS.glob("*/*.yaml")]
        ]
        places = {*FILES, *PAGES.values(), *others}
        folder = Path(page_of_site).parent
        for block in re.findall(
            r"\]\((?!https?:|mailto:|#)([^)#\s]+)", re.sub(r"```.*?```|`[^`\n]+`", "", text, flags=re.DOTALL)
        ):
            target = (ROOT / folder / block).resolve().relative_to(ROOT).as_posix()
            assert target in places, f"{page_of_site} leads to {block}"


def test_the_arithmetic_of_the_costs() -> None:
    found = 0
    for title in ("Requests to Canvas", "Requests to the store", "Storage and traffic", "Airflow", "Money"):
        for _, arithmetic, result in page("costs").table(title):
            formula = arithmetic.strip("`")
            assert re.fullmatch(r"[\d .*/+()]+", formula)
            expected = float(result.replace(",", ""))
            digits = len(result.partition(".")[2])
            assert round(eval(formula), digits) == expected, formula  # noqa: S307 - digits and signs only
            found += 1
    assert found > 10


def test_what_the_costs_take_from_the_benchmarks() -> None:
    night = next(block.text for block in BLOCKS if "a mapped task per course (computed)" in block.text)
    row = next(line for line in night.splitlines() if line.startswith("Canvas runs 100 at once"))
    executed, slot_seconds = re.split(r"\s{2,}", row)[6:8]
    assert f"`{executed} * 30`" in page("costs").text
    assert f"`{slot_seconds} * 30`" in page("costs").text
    assert "5 requests" in page("archive").section("Unchanged courses")
