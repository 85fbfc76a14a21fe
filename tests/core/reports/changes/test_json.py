"""The changes as JSON follow their schema."""

from __future__ import annotations

import json

from tests.support.reports.course_changes import CHANGES

from canvas_exports.core.archive.schemas import problem
from canvas_exports.core.packages.changes.model import CourseChanges


def test_every_kind_of_change_follows_the_schema() -> None:
    assert problem("changes-1", json.loads(json.dumps(CHANGES.to_json()))) is None
    assert problem("changes-1", json.loads(json.dumps(CourseChanges().to_json()))) is None
