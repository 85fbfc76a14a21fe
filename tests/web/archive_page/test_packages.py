"""Packages that people read stay open, as long as what they are read with is good."""

from __future__ import annotations

from pathlib import Path

from tests.support.archives.stored import stored
from tests.support.packages.build import zipped
from tests.support.packages.courses import course

from canvas_exports.core.archive.catalog.read import copies_of
from canvas_exports.core.storage.local import FileStore
from canvas_exports.web.archive_page.packages import opened


def test_a_package_is_opened_once_and_again_when_its_store_was_opened_again(tmp_path: Path) -> None:
    first, second = (FileStore(tmp_path.as_uri(), tmp_path) for _ in range(2))
    stored(first, 101, data=zipped(course(page=b"<p>Welcome</p>").members()))
    (copy,) = copies_of(first, "course", 101).copies
    found = opened(first, copy)
    assert opened(first, copy) is found
    again = opened(second, copy)
    assert again is not found, "the credentials of the former store may have expired"
    assert opened(second, copy) is again
