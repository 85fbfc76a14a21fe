"""The quick start lists the permissions of Canvas that ``canvas-archive doctor`` checks, by the same names."""

from __future__ import annotations

from tests.support.repository.markdown import page

from canvas_exports.core.doctor.permissions import FOR_BACKUPS, FOR_RESTORES


def test_every_permission_that_the_doctor_checks() -> None:
    rows = page("quick-start").table("1. A user and a role in Canvas")
    listed = [name.strip("*") for row in rows for name in row[0].replace(" or ", ", ").split(", ")]
    assert [name for name in listed if " - " in name] == [
        each.label for each in (*FOR_BACKUPS, *FOR_RESTORES)
    ]
