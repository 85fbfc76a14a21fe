"""The example of docs/retention.md is what the program says."""

from __future__ import annotations

import re
from datetime import datetime, timezone

from tests.support.archives.random_archives import Spec, laid
from tests.support.repository.markdown import page

from canvas_exports.core.archive.retention.plan import make_plan
from canvas_exports.core.archive.retention.policy import Policy
from canvas_exports.core.archive.retention.policy_fields import FIELDS, HOLD_FIELDS
from canvas_exports.core.archive.retention.report import format_plan
from canvas_exports.core.packages.proof import Verdict


def test_every_key_stands_there() -> None:
    assert page("retention").column("Set a policy") == [*FIELDS, "apply"]
    rows = page("retention").table("Set a policy")
    assert all(f"`{name}`" in dict(rows)["`hold`"] for name in HOLD_FIELDS)


def test_the_table_is_the_plan_of_the_command_above_it() -> None:
    found = page("retention").blocks
    (shown,) = (block.text for block in found if block.text.startswith("CONTEXT"))
    command = next(block.text for block in found if "--keep-daily" in block.text)
    rules = {name: int(number) for name, number in re.findall(r"--keep-(\w+) (\d+)", command)}
    specs = [
        Spec(
            datetime.fromisoformat(day).replace(hour=8, tzinfo=timezone.utc),
            verdict=Verdict.WHOLE if proven == "yes" else Verdict.INCOMPLETE,
            tag="legal" if why.startswith("hold tag") else None,
        )
        for day, proven, why in re.findall(r"(\d{4}-\d\d-\d\d) \d\d:00  (yes|no) +\w+ *(.*)", shown)
    ]
    policy = Policy(timezone="America/Chicago", **rules)  # type: ignore[arg-type] # rules that count
    now = datetime(2026, 11, 23, 10, tzinfo=timezone.utc)
    told = format_plan(make_plan(laid(specs), policy, now=now, backup="nightly"))
    assert told.partition("\n\n")[0] == shown.rstrip("\n")
