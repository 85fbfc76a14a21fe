"""Downloads from every kind of storage, used from end to end against the sandbox."""

from __future__ import annotations

import pytest
from tests.support.canvas.campus import Found

from canvas_exports.errors import (
    DownloadError,
)
from canvas_sandbox import Course, Fault, Storage


@pytest.mark.parametrize("storage", list(Storage))
@pytest.mark.parametrize("files_domain", [False, True])
@pytest.mark.parametrize("verifier", [False, True])
def test_downloads_from_every_kind_of_storage(
    found: Found, storage: Storage, files_domain: bool, verifier: bool
) -> None:
    campus = found(switches={"storage": storage, "files_domain": files_domain, "verifier_in_url": verifier})
    with campus.client() as client:
        assert "imsmanifest.xml" in campus.package(client, campus.export(client))
    assert not [
        record
        for record in campus.sandbox.requests
        if record.listener == "storage" and record.had_authorization
    ]


def test_downloads_from_a_canvas_that_ignores_tokens_on_files(found: Found) -> None:
    campus = found(switches={"file_token_auth": False, "verifier_in_url": True})
    with campus.client() as client:
        campus.package(client, campus.export(client))
    campus = found(switches={"file_token_auth": False})
    with campus.client() as client, pytest.raises(DownloadError, match="asks for a login"):
        campus.package(client, campus.export(client))


def test_a_cut_download_goes_on_where_storage_can(found: Found) -> None:
    course = Course(101, size=3_000_000, faults=[Fault.CUT.times(2)])
    campus = found(course, switches={"storage": Storage.S3})
    with campus.client() as client:
        campus.package(client, campus.export(client))
    fetched = [record for record in campus.sandbox.requests if record.listener == "storage"]
    assert [record.status for record in fetched] == [200, 206, 206]
