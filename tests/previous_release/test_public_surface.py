"""No public name of the previous release is gone."""

from __future__ import annotations

import pytest
from tests.support.releases.previous_release import recorded
from tests.support.releases.public_surface import as_typed, surface

#: What a release has withdrawn on purpose, as its changelog says.
WITHDRAWN = frozenset(
    {
        # Progress is asked for by REST alone.
        "canvas.progress_api",
        "canvas_exports.hooks.canvas.CanvasSettings(progress_api)",
    }
)
SURFACE: dict[str, list[str]] = recorded("public_surface.json")
SURFACE["commands"] = as_typed(SURFACE["commands"])


@pytest.fixture(scope="module")
def present() -> dict[str, list[str]]:
    found = surface()
    return {**found, "commands": as_typed(found["commands"])}


@pytest.mark.parametrize("kind", SURFACE)
def test_every_name_is_still_there(kind: str, present: dict[str, list[str]]) -> None:
    assert set(SURFACE[kind]) - set(present[kind]) - WITHDRAWN == set()


def test_what_was_withdrawn_is_gone(present: dict[str, list[str]]) -> None:
    assert WITHDRAWN.isdisjoint(name for names in present.values() for name in names)
