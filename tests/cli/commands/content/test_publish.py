"""``canvas-archive publish``: a site of courses, brought up to date, with nothing of anybody else touched."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright
from tests.support.archives.holdings import lay, manifest
from tests.support.archives.stored import spoil, stored
from tests.support.packages.build import zipped
from tests.support.packages.courses import course
from tests.support.reports.chromium import CHROMIUM
from tests.support.store_servers.places import BUCKET
from tests.support.store_servers.s3 import ACCESS_KEY, SECRET_KEY, client, moto

from canvas_exports.core.archive.browsing.site import publish_site
from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.packages.proof import Verdict
from canvas_exports.core.storage.local import FileStore
from canvas_exports.errors import ArchiveUnavailableError


@pytest.fixture
def archive(tmp_path: Path) -> FileStore:
    root = tmp_path / "archive"
    return FileStore(root.as_uri(), root)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return tmp_path / "site"


@pytest.fixture
def publish(archive: FileStore, site: Path, run_command: Any) -> Any:
    return partial(run_command, archive.uri, "publish", "-o", str(site))


def store_course(archive: FileStore, number: int, *, day: int = 0, text: str = "<p>Welcome</p>") -> Manifest:
    return stored(archive, number, day=day, data=zipped(course(page=text.encode()).members()))


def files(site: Path) -> dict[str, bytes]:
    return {str(each.relative_to(site)): each.read_bytes() for each in site.rglob("*") if each.is_file()}


def homes(site: Path) -> list[str]:
    return sorted(re.findall(r'href="(courses/[^"]+)"', (site / "index.html").read_text()))


def test_the_start_page_leads_to_every_course(publish: Any, site: Path, archive: FileStore) -> None:
    for number in (101, 102, 103):
        store_course(archive, number)
    status, text = publish("--json")
    assert status == 0, text
    assert json.loads(text)["written"] == 3
    assert len(homes(site)) == 3
    for home in homes(site):
        page = (site / unquote(home)).read_text()
        assert 'href="../../../index.html">All courses</a>' in page
        inner = next((site / home).parent.glob("pages/pages.html")).read_text()
        assert 'href="../../../../index.html">All courses</a>' in inner


def test_only_what_has_changed_is_written(publish: Any, site: Path, archive: FileStore) -> None:
    store_course(archive, 101)
    store_course(archive, 102)
    publish()
    before = files(site)
    assert publish()[1].strip().endswith("0 courses written (0 B), 2 unchanged.")
    assert files(site) == before
    store_course(archive, 101, day=3, text="<p>Changed</p>")
    store_course(archive, 102, day=3)
    document = json.loads(publish("--json")[1])
    assert (document["written"], document["unchanged"]) == (1, 1)
    after = files(site)
    assert len(homes(site)) == 2
    assert any(b"Changed" in data for data in after.values())
    assert not any(name.startswith("courses/101/20261101") for name in after), "older pages are deleted"
    assert {name: data for name, data in after.items() if name.startswith("courses/102/")} == {
        name: data for name, data in before.items() if name.startswith("courses/102/")
    }


def test_other_options_write_other_pages(publish: Any, site: Path, archive: FileStore) -> None:
    store_course(archive, 101)
    publish()
    assert json.loads(publish("--json", "--no-files")[1])["written"] == 1
    assert not any("/files/" in name for name in files(site))


def test_a_course_that_is_gone_is_kept_unless_it_is_to_be_deleted(
    publish: Any, site: Path, archive: FileStore
) -> None:
    copy = store_course(archive, 101)
    store_course(archive, 102)
    publish()
    archive.delete(copy.package.key)
    assert json.loads(publish("--json")[1])["kept"] == 1
    assert len(homes(site)) == 2
    assert json.loads(publish("--json", "--delete")[1])["deleted"] == 1
    assert len(homes(site)) == 1
    assert not any(name.startswith("courses/101/") for name in files(site))
    assert b"courses/101/" not in b"".join(each.read_bytes() for each in (site / "search").iterdir())


def test_only_proven_copies_of_courses_are_published(publish: Any, site: Path, archive: FileStore) -> None:
    store_course(archive, 101)
    lay(archive, manifest("course:102", verdict=Verdict.INCOMPLETE))
    lay(archive, manifest("group:7"))
    assert json.loads(publish("--json")[1])["written"] == 1
    assert len(homes(site)) == 1


@pytest.mark.parametrize(
    ("filters", "written"),
    [
        (("--term", "Autumn"), 0),
        (("--account", "1"), 0),
        (("--backup", "nightly"), 1),
        (("--backup", "other"), 0),
    ],
)
def test_courses_are_chosen(publish: Any, archive: FileStore, filters: tuple[str, ...], written: int) -> None:
    store_course(archive, 101)
    assert json.loads(publish("--json", *filters)[1])["written"] == written


def test_a_course_that_cannot_be_read_costs_itself_only(publish: Any, site: Path, archive: FileStore) -> None:
    store_course(archive, 101)
    store_course(archive, 102)
    publish()
    broken = store_course(archive, 101, day=3, text="<p>Changed</p>")
    spoil(archive, broken.package.key, b"x" * broken.package.size)
    store_course(archive, 103)
    status, text = publish()
    assert status == 1
    assert "course:101" in text
    assert len(homes(site)) == 3, "its older pages stay"
    assert all((site / home).is_file() for home in homes(site))


def test_a_run_that_was_stopped_leaves_whole_courses_and_the_next_one_goes_on(
    publish: Any, site: Path, archive: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_course(archive, 101)
    publish()
    store_course(archive, 101, day=3, text="<p>Changed</p>")
    store_course(archive, 102)

    def fail(*_: Any, **__: Any) -> bytes:
        raise ArchiveUnavailableError("the store is down")

    with monkeypatch.context() as broken:
        broken.setattr(publish_site, "titles_document", fail)
        assert publish()[0] == 2
    assert len(homes(site)) == 1
    assert (site / homes(site)[0]).is_file()
    assert json.loads(publish("--json")[1])["written"] == 2
    folders = {"/".join(name.split("/")[:3]) for name in files(site) if name.startswith("courses/")}
    assert len(folders) == 2, "nothing of the run that was stopped is left"


def test_a_run_goes_on_with_the_courses_that_a_killed_one_has_written(
    publish: Any, site: Path, archive: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (101, 102, 103):
        store_course(archive, number)
    publish()
    for number in (101, 102, 104):
        store_course(archive, number, day=3, text="<p>Changed</p>")

    class KilledError(BaseException):
        pass

    def killed(*_: Any, **__: Any) -> None:
        raise KilledError

    with monkeypatch.context() as broken:
        broken.setattr(publish_site, "_NOTED_EVERY", 0.0)
        broken.setattr(publish_site._Run, "finish", killed)
        with pytest.raises(KilledError):
            publish()
    assert len(homes(site)) == 3
    assert all((site / home).is_file() for home in homes(site)), "the start page leads to whole courses"
    (site / "courses/101/half-written").mkdir()
    (site / "courses/101/half-written/index.html").write_text("half")
    (site / "courses/999/old").mkdir(parents=True)
    (site / "courses/999/old/index.html").write_text("of a course that was taken out")
    again = json.loads(publish("--json")[1])
    assert (again["written"], again["unchanged"]) == (0, 4)
    assert len(homes(site)) == 4
    assert {
        "/".join(name.split("/")[:3]) + "/index.html" for name in files(site) if name.startswith("courses/")
    } == set(homes(site)), "older pages, half a course and what was taken out are deleted"
    found = "".join(text.decode() for name, text in files(site).items() if name.startswith("search/"))
    assert all(home.removesuffix("index.html") in found for home in homes(site)), (
        "the search leads to them, too"
    )
    assert json.loads((site / "publish.json").read_text())["finished"] is True


def test_a_link_into_the_archive_is_no_place_for_a_site(
    publish: Any, site: Path, archive: FileStore, tmp_path: Path
) -> None:
    store_course(archive, 101)
    (tmp_path / "archive" / "site").mkdir()
    site.symlink_to(tmp_path / "archive" / "site")
    status, text = publish()
    assert (status, "must not lie within each other" in text) == (2, True)
    assert not files(tmp_path / "archive" / "site")


def test_what_is_somebody_elses_is_not_touched(
    publish: Any, site: Path, archive: FileStore, run_command: Any
) -> None:
    store_course(archive, 101)
    site.mkdir()
    (site / "index.html").write_text("mine")
    assert publish()[0] == 2
    assert files(site) == {"index.html": b"mine"}
    (site / "publish.json").write_text('{"schema": "x"}')
    assert publish()[0] == 2
    assert (site / "index.html").read_text() == "mine"
    before = sorted(info.key for info in archive.list() if not info.key.startswith("index/"))
    for inside in (archive.uri, f"{archive.uri}/site", archive.uri.rpartition("/")[0]):
        assert run_command(archive.uri, "publish", "-o", inside)[0] == 2
    assert sorted(info.key for info in archive.list() if not info.key.startswith("index/")) == before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("folder", "../archive/"),
        ("folder", "courses/102/x/"),
        ("context", "course:../../archive"),
        ("context", "group:7"),
        ("title", 7),
    ],
)
def test_a_document_that_names_other_folders_deletes_nothing(
    publish: Any, site: Path, archive: FileStore, name: str, value: Any
) -> None:
    copy = store_course(archive, 101)
    publish()
    state = json.loads((site / "publish.json").read_text())
    state["courses"][0][name] = value
    (site / "publish.json").write_text(json.dumps(state))
    before = files(site)
    assert publish("--delete", "--term", "none")[0] == 2
    assert archive.stat(copy.package.key) is not None
    assert files(site) == before


def test_a_bucket_tells_browsers_what_its_objects_are(
    archive: FileStore, run_command: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_course(archive, 101)
    with moto() as endpoint:
        bucket = client(endpoint)
        bucket.create_bucket(Bucket=BUCKET)
        for name, value in (
            ("AWS_ENDPOINT_URL", endpoint),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
            ("AWS_REGION", "us-east-1"),
        ):
            monkeypatch.setenv(name, value)
        assert run_command(archive.uri, "publish", "-o", f"s3://{BUCKET}/site")[0] == 0
        keys = [each["Key"] for each in bucket.list_objects_v2(Bucket=BUCKET, Prefix="site/")["Contents"]]
        types = {
            key.rpartition(".")[2]: bucket.head_object(Bucket=BUCKET, Key=key)["ContentType"] for key in keys
        }
    assert types == {
        "html": "text/html; charset=utf-8",
        "css": "text/css; charset=utf-8",
        "js": types["js"],
        "json": "application/json",
        "png": "image/png",
    }
    assert "javascript" in types["js"]


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium")
def test_the_search_finds_titles_from_a_disk(publish: Any, site: Path, archive: FileStore) -> None:
    store_course(archive, 101)
    publish()
    asked: list[str] = []
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 800})
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto((site / "index.html").as_uri())
        title = json.loads(next((site / "courses").rglob("titles.json")).read_text())[0][0]
        page.get_by_role("searchbox").fill(title[:6])
        page.locator("#found a").first.wait_for()
        assert Axe().run(page).violations_count == 0
        page.locator("#found a", has_text=title).first.click()
        page.wait_for_url("**/pages/*.html")
        assert page.get_by_role("heading", name=title).first.is_visible()
        browser.close()
    assert complaints == []
    assert all(address.startswith(site.as_uri()) for address in asked)
