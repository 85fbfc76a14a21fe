"""``docs/canvas-api.md`` names every documented item, and only tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "canvas-api.md").read_text(encoding="utf-8")
HERE = "tests/core/canvas/against_sandbox"

NAMED = sorted(set(re.findall(r"`((?:tests/[\w/]+\.py::)?test_\w+(?:\[[^\]`]+\])?)`", PAGE)))
FIRST_COLUMN = [row.split("|")[1].strip() for row in PAGE.splitlines() if row.startswith("| `")]

PATHS = ("courses/:course_id", "groups/:group_id", "users/:user_id")
DOCUMENTED = [
    *(f"`GET /api/v1/{path}/content_exports`" for path in PATHS),
    *(f"`GET /api/v1/{path}/content_exports/:id`" for path in PATHS),
    *(f"`POST /api/v1/{path}/content_exports`" for path in PATHS),
    "`export_type`",
    *(f"`export_type`: `{value}`" for value in ("common_cartridge", "qti", "zip")),
    "`skip_notifications`",
    "`select`",
    *(
        f"`select`: `{value}`"
        for value in (
            "folders",
            "files",
            "attachments",
            "quizzes",
            "assignments",
            "announcements",
            "calendar_events",
            "discussion_topics",
            "modules",
            "module_items",
            "pages",
            "rubrics",
        )
    ),
    "`select`: ids as integers or strings",
    "`select`: several types in one call",
    "`select` for `common_cartridge`: all types",
    "`select` for `zip`: `folders`, `files`, `attachments`",
    "`select` for `qti`: `quizzes`",
    "`id`",
    "`created_at`",
    "`attachment`",
    "`progress_url`",
    "`user_id`",
    *(f"`workflow_state`: `{value}`" for value in ("created", "exporting", "exported", "failed")),
]


def functions_in(path: str) -> set[str]:
    files = sorted((ROOT / path).glob("test_*.py")) or [ROOT / path]
    return {
        node.name
        for file in files
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


@pytest.mark.parametrize("name", NAMED)
def test_every_test_named_in_the_page_exists(name: str) -> None:
    path, _, function = name.rpartition("::")
    assert function.partition("[")[0] in functions_in(path or HERE)


@pytest.mark.parametrize("case", [name for name in NAMED if "[" in name])
def test_every_case_named_in_the_page_is_one_of_its_test(case: str, request: pytest.FixtureRequest) -> None:
    collected = {item.name for item in request.session.items if item.nodeid.startswith(HERE)}
    if not any(name.startswith("test_select_object_type") for name in collected):
        pytest.skip("the tests against the sandbox were not collected in this run")
    assert case in collected


@pytest.mark.parametrize("item", DOCUMENTED)
def test_every_documented_item_is_in_the_page(item: str) -> None:
    assert item in FIRST_COLUMN


def test_every_row_of_the_page_names_a_test() -> None:
    rows = [
        row
        for row in PAGE.splitlines()
        if row.startswith("| ") and not re.match(r"\| (---|.*\| Test \|)", row)
    ]
    assert rows
    assert [row for row in rows if not re.search(r"test_\w+", row)] == []
