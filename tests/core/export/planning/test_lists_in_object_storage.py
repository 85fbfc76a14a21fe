"""Course lists in a bucket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.store_servers import s3

from canvas_exports.core.export.planning.course_lists import read_list
from canvas_exports.core.model.contexts import Context
from canvas_exports.errors import ArchiveUnavailableError


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A bucket on an S3 server that the environment points to."""
    folder = tmp_path_factory.mktemp("s3")
    (folder / "lists").mkdir()
    with s3.rclone(folder) as endpoint, pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", endpoint)
        environment.setenv("AWS_ACCESS_KEY_ID", s3.ACCESS_KEY)
        environment.setenv("AWS_SECRET_ACCESS_KEY", s3.SECRET_KEY)
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        environment.setenv("AWS_MAX_ATTEMPTS", "1")
        yield folder / "lists"


class TestObjectStorage:
    def test_a_list_in_a_bucket(self, bucket: Path) -> None:
        (bucket / "pilot.csv").write_text("course_id\n101\n102\n")
        assert read_list("s3://lists/pilot.csv") == [Context.parse(101), Context.parse(102)]

    @pytest.mark.parametrize("uri", ["s3://lists/none.csv", "s3://nowhere/pilot.csv"])
    def test_a_failed_read_is_never_an_empty_list(self, bucket: Path, uri: str) -> None:
        assert not (bucket / "none.csv").exists()
        with pytest.raises(ArchiveUnavailableError, match=f"the course list {uri} cannot be read"):
            read_list(uri)

    def test_refused_keys_are_never_an_empty_list(
        self, bucket: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (bucket / "secret.csv").write_text("course_id\n101\n")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
        with pytest.raises(ArchiveUnavailableError, match="cannot be read"):
            read_list("s3://lists/secret.csv")
