"""Rules of the room as a whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import canvas_exports.core.canvas

ROOM = Path(canvas_exports.core.canvas.__file__).parent


def test_naming_a_context_costs_no_http_library() -> None:
    code = (
        "import sys\n"
        "import canvas_exports.core.model.contexts, canvas_exports.core.canvas.api.export_request, canvas_exports.core.canvas.api.course_filters\n"
        "import canvas_exports.core.canvas.api.models, canvas_exports.core.canvas.api.selection\n"
        "print({'requests', 'aiohttp', 'urllib3', 'airflow'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("module", sorted(path.name for path in ROOM.glob("*.py")))
def test_the_map_in_the_rooms_docstring_names_every_module(module: str) -> None:
    if module == "__init__.py":
        return
    text = (canvas_exports.core.canvas.__doc__ or "").replace(",", " ").split()
    assert module.removesuffix(".py") in text
