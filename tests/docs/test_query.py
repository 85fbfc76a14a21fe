"""Every query of ``docs/query.md`` runs over a real archive, in a folder and on S3, and says what is true."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import pytest
from obstore.fsspec import FsspecStore
from tests.support.archives.holdings import START, lay, manifest, note
from tests.support.archives.run_reports import outcome, report
from tests.support.repository.markdown import Block, page
from tests.support.store_servers.s3 import ACCESS_KEY, SECRET_KEY, client, moto

from canvas_exports.core.archive.catalog.read import every_context
from canvas_exports.core.archive.records import RecordKind
from canvas_exports.core.packages.proof import Verdict
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.options import StoreOptions
from canvas_exports.core.storage.store import Store

ALL = [block for block in page("query").blocks if block.language == "sql"]
VIEWS = [block for block in ALL if block.text.startswith("CREATE VIEW")]
QUERIES = {
    name: next(block for block in ALL if block.text.startswith("SELECT") and word in block.text)
    for name, word in {
        "newest": "WHERE proven",
        "without": "NOT bool_or(proven)",
        "inside": "finding.code",
        "room": "gigabytes",
        "still": "INTERVAL 1 YEAR",
        "drilled": "last_drill",
        "runs": "report.json",
    }.items()
}
YESTERDAY = datetime.now(timezone.utc).date() - timedelta(days=1)
BUCKET = "s3://campus-backups/canvas"


class S3(FsspecStore):
    """What ``register("s3")`` makes, without registering it for the whole process."""

    protocol = "s3"


def fill(store: Store) -> None:
    """1 changed once, and then no more. 2 is incomplete. 3 rotted. 4 never changes, and was drilled."""
    lay(store, manifest("course:1", facts={"term": "Fall", "course_code": "BIO"}))
    changed = manifest("course:1", day=1, export_id=502, content=b"another one", facts={"term": "Fall"})
    lay(store, changed, package=b"another one")
    lay(store, manifest("course:1", day=2, export_id=503, facts={"term": "Fall"}), names=changed)
    lay(store, manifest("course:2", day=3, verdict=Verdict.INCOMPLETE))
    rotted = lay(store, manifest("course:3", day=3))
    note(store, rotted, day=4)
    note(store, rotted, day=5, result="damaged")
    still = lay(store, manifest("course:4"))
    lay(store, manifest("course:4", day=400, export_id=502), names=still)
    note(store, still, day=400, kind=RecordKind.DRILL, detail="course", result="passed")
    report(store, outcome("course:1", "stored"), outcome("course:2", "incomplete"), day=YESTERDAY)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("archive")
    with open_store(root.as_uri()) as store:
        fill(store)
    return root


@pytest.fixture(scope="module")
def bucket() -> Iterator[Any]:
    """Below DuckDB's own extension for S3, which it would have to download, the file system that the page names."""
    with moto() as endpoint:
        client(endpoint).create_bucket(Bucket="campus-backups")
        options = StoreOptions(
            endpoint=endpoint, region="us-east-1", access_key=ACCESS_KEY, secret_key=SECRET_KEY
        )
        with open_store(BUCKET, options) as store:
            fill(store)
        yield S3(
            "s3",
            endpoint=endpoint,
            region="us-east-1",
            access_key_id=ACCESS_KEY,
            secret_access_key=SECRET_KEY,
            client_options={"allow_http": True},
        )


def opened(archive: str, *systems: Any) -> duckdb.DuckDBPyConnection:
    """A connection with the views of the page."""
    connection = duckdb.connect(
        config={"threads": 1}
    )  # file systems in Python are not at their best under many
    for system in systems:
        connection.register_filesystem(system)
    connection.execute(f"SET VARIABLE archive = '{archive}'")
    for view in VIEWS:
        connection.execute(view.text)
    return connection


@pytest.fixture(params=["folder", "s3"])
def duck(request: pytest.FixtureRequest) -> Iterator[duckdb.DuckDBPyConnection]:
    if request.param == "folder":
        connection = opened(str(request.getfixturevalue("folder")))
    else:
        connection = opened(BUCKET, request.getfixturevalue("bucket"))
    with connection:
        yield connection


def asked(duck: duckdb.DuckDBPyConnection, block: Block) -> list[tuple[Any, ...]]:
    return duck.execute(block.text).fetchall()


def day(number: int) -> datetime:
    return (START + timedelta(days=number)).replace(tzinfo=None)


def test_every_query_of_the_page_says_what_is_true(duck: duckdb.DuckDBPyConnection) -> None:
    told = {name: asked(duck, block) for name, block in QUERIES.items()}
    assert [(row[0], row[3], row[4]) for row in told["newest"]] == [
        (1, day(2), "courses/1/20261102T020000Z-common_cartridge-502.imscc"),
        (4, day(400), "courses/4/20261101T020000Z-common_cartridge-501.imscc"),
    ]
    assert [(row[0], row[2]) for row in told["without"]] == [(2, 1), (3, 1)]
    assert [(row[0], row[1], row[3]) for row in told["inside"]] == 2 * [
        (2, "missing_file", "web_resources/a.png")
    ]
    assert sorted((row[0] or "", row[1]) for row in told["room"]) == [("", 3), ("Fall", 2)]
    assert [(row[0], row[2]) for row in told["still"]] == [(4, day(0))]
    assert told["drilled"] == [
        (1, None, None),
        (2, None, None),
        (3, None, None),
        (4, day(400), "passed"),
    ]
    assert sorted(told["runs"]) == [("nightly", "incomplete", 1), ("nightly", "stored", 1)]


def test_the_page_has_no_other_query(folder: Path) -> None:
    known = {id(block) for block in (*VIEWS, *QUERIES.values())}
    rest = [block for block in ALL if id(block) not in known]
    assert [(block.word, block.text.split()[0]) for block in rest] == [("", "SET"), ("remote", "INSTALL")]
    assert folder.exists()


def test_duckdb_and_the_catalog_agree_who_is_proven(folder: Path) -> None:
    with opened(str(folder)) as duck, open_store(folder.as_uri()) as store:
        proven = {copy.key for holding in every_context(store) for copy in holding.copies if copy.is_proven}
        found = duck.execute("SELECT filename FROM copies WHERE proven").fetchall()
        assert {Path(row[0]).relative_to(folder).as_posix() for row in found} == proven
