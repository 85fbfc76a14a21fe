"""Airflow's form of each connection type has its fields, in every release that the package works with."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService

from canvas_exports.hooks.connection_forms import ARCHIVE_FORM, CANVAS_FORM

#: Airflow's own names of standard fields, where they differ from those in a provider's info.
STANDARD = {"schema": "url_schema"}


@pytest.mark.parametrize(
    ("connection_type", "form"), [("canvas", CANVAS_FORM), ("canvas_archive", ARCHIVE_FORM)]
)
def test_the_form_of_airflow_has_the_fields_and_labels(connection_type: str, form: dict[str, Any]) -> None:
    found = {each.connection_type: each for each in HookMetaService.hook_meta_data()}[connection_type]
    fields: dict[str, Any] = dict(found.extra_fields or {})
    assert list(fields) == list(form["conn-fields"])
    for name, field in form["conn-fields"].items():
        shown = fields[name]
        assert shown["schema"]["title"] == field["label"]
        assert shown["description"] == field["description"]
    standard = found.standard_fields
    assert standard is not None
    for name, title in form["ui-field-behaviour"]["relabeling"].items():
        shown = getattr(standard, STANDARD.get(name, name))
        assert shown.title == title
    for name in form["ui-field-behaviour"]["hidden-fields"]:
        assert getattr(standard, STANDARD.get(name, name)).hidden
