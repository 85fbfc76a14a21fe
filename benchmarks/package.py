"""One whole cartridge as a file, of about the size that is wanted: what the packages of a benchmark hold."""

from __future__ import annotations

from pathlib import Path

from canvas_sandbox import Course
from canvas_sandbox.content.generate import generate, source_of
from canvas_sandbox.exports.build import build
from canvas_sandbox.exports.package_spec import PackageSpec

COURSE = 101
_MOMENT = 1_795_000_000  # seconds since the epoch; any would do


def write_package(path: Path, size: int) -> None:
    """Write a cartridge of course 101 of the Canvas at 127.0.0.1, of ``size`` bytes, give or take a few percent."""
    course = Course(id=COURSE, size=size)
    order = PackageSpec(
        label=f"course:{COURSE}",
        context_id=COURSE,
        name="Benchmark",
        content=generate(source_of(course, 1)),
        seed=1,
        revision=1,
        export_id=1,
        moment=_MOMENT,
        canvas_domain="127.0.0.1",
    )
    with path.open("wb") as file:
        for block in build("common_cartridge", order).blocks():
            file.write(block)
