"""Rules of the package as a whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import canvas_exports.core.canvas

PACKAGE = Path(canvas_exports.core.canvas.__file__).parent


def test_naming_a_context_costs_no_http_library() -> None:
    code = (
        "import sys\n"
        "import canvas_exports.core.model.contexts, canvas_exports.core.canvas.api.export_request, canvas_exports.core.canvas.api.course_filters\n"
        "import canvas_exports.core.canvas.api.models, canvas_exports.core.canvas.api.selection\n"
        "print({'requests', 'aiohttp', 'urllib3', 'airflow'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("module", sorted(path.stem for path in PACKAGE.iterdir() if path.stem[0] != "_"))
def test_the_docstring_names_every_module_and_package(module: str) -> None:
    text = (canvas_exports.core.canvas.__doc__ or "").replace(",", " ").split()
    assert module in text
