"""A copy opens in the browser, for the roles that the administrator names; the audit log says who looked at what."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing

import pytest
from playwright.sync_api import Browser
from tests.support.airflow.archive_page import ARCHIVE, ArchiveAirflow

pytestmark = pytest.mark.stack

COURSE = "course:101"


def copy_name(airflow: ArchiveAirflow, number: int = -1) -> str:
    key = airflow.history.biology[number].package.key
    return key.rpartition("/")[2].removesuffix(".imscc")


def copy_page(airflow: ArchiveAirflow, *path: str, number: int = -1) -> str:
    return airflow.page(ARCHIVE, "courses", COURSE, "copies", copy_name(airflow, number), *path)


def test_users_with_the_role_read_a_page_as_it_was(airflow: ArchiveAirflow) -> None:
    for number, text in ((0, "Welcome</p>"), (-1, "Biology")):
        answer = airflow.get(copy_page(airflow, "read", "texts", "page?id=p1", number=number), "otto")
        assert answer.status_code == 200
        assert text in answer.text


def test_an_administrator_without_the_role_reads_nothing(airflow: ArchiveAirflow) -> None:
    answer = airflow.get(copy_page(airflow, "read", ""), "ada")
    assert answer.status_code == 403
    assert "content_roles" in answer.text
    for user in ("vera", "uma", "ada"):
        course = airflow.get(airflow.page(ARCHIVE, "courses", COURSE), user)
        assert "Download" not in course.text


def test_every_look_is_in_the_audit_log(airflow: ArchiveAirflow) -> None:
    copy = airflow.history.biology[1].package.key.removesuffix(".imscc") + ".json"
    airflow.get(copy_page(airflow, "read", "", number=1), "otto")
    airflow.get(copy_page(airflow, "read", "items", "page?id=p1", number=1), "otto")
    airflow.get(copy_page(airflow, "read-with-key", "items", "quiz?id=z1", number=1), "otto")
    airflow.get(copy_page(airflow, "read", "files?id=f1", number=1), "otto", html=False)
    airflow.get(copy_page(airflow, "package", number=1), "otto", html=False)
    about = {"user": "otto", "archive": ARCHIVE, "course": COURSE, "copy": copy}
    opened = [each for each in airflow.audit("canvas_archive_open") if each["copy"] == copy]
    assert opened == [
        about,
        {**about, "item": "page:p1"},
        {**about, "item": "quiz:z1", "keys": "with answer keys"},
        {**about, "item": "file:f1"},
    ]
    assert airflow.audit("canvas_archive_download")[-1] == about


def test_a_refused_look_is_no_look(airflow: ArchiveAirflow) -> None:
    before = airflow.audit("canvas_archive_open")
    airflow.get(copy_page(airflow, "read", ""), "vera")
    assert airflow.audit("canvas_archive_open") == before


def test_nothing_is_shown_that_the_audit_log_cannot_note(airflow: ArchiveAirflow) -> None:
    pages = (  # that no other test opens: a look that was noted is not noted again for some minutes
        copy_page(airflow, "read", "items", "page?id=p2"),
        copy_page(airflow, "package", number=2),
        airflow.page(
            *(ARCHIVE, "courses", COURSE),
            f"compare?from={copy_name(airflow, 2)}&to={copy_name(airflow, 1)}&key=true",
        ),
        airflow.page(ARCHIVE, "search?text=unheard"),
    )
    with closing(sqlite3.connect(airflow.home / "airflow.db", timeout=30, isolation_level=None)) as database:
        database.execute(
            "CREATE TRIGGER no_log BEFORE INSERT ON log WHEN NEW.event LIKE 'canvas_archive%' "
            "BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
        try:
            for page in pages:
                for _ in range(2):
                    answer = airflow.get(page, "otto")
                    assert (answer.status_code, "audit log cannot be written" in answer.text) == (
                        503,
                        True,
                    ), page
        finally:
            database.execute("DROP TRIGGER no_log")
    assert all(airflow.get(page, "otto").status_code in (200, 404) for page in pages)


def test_a_download_is_the_package_and_can_be_continued(airflow: ArchiveAirflow) -> None:
    package = airflow.history.biology[-1].package
    whole = airflow.get(copy_page(airflow, "package"), "otto", html=False)
    assert hashlib.sha256(whole.content).hexdigest() == package.sha256
    assert whole.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
    part = airflow.get(
        copy_page(airflow, "package"),
        "otto",
        html=False,
        Range="bytes=100-199",
        **{"Accept-Encoding": "gzip"},
    )
    assert part.status_code == 206
    assert part.content == whole.content[100:200]
    assert part.headers["content-range"] == f"bytes 100-199/{package.size}"


def test_a_file_is_sent_by_range_and_never_run(airflow: ArchiveAirflow) -> None:
    picture = copy_page(airflow, "read", "files?id=f1")
    whole = airflow.get(picture, "otto", html=False)
    assert whole.headers["content-type"] == "image/png"
    assert whole.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    part = airflow.get(picture, "otto", html=False, Range="bytes=1-3")
    assert (part.status_code, part.content) == (206, b"PNG")
    assert airflow.get(picture, "otto", html=False, Range="bytes=9999-").status_code == 416


@pytest.mark.parametrize(
    "path",
    [
        ("other", ""),
        ("read", "items", "page?id=nothing"),
        ("read", "items", "nothing?id=p1"),
        ("read", "lists", "page?part=7"),
        ("read", "lists", "nothing"),
        ("read", "files?id=z1"),
        ("read", "files?id=course_settings/context.xml"),
        ("read", "files?id=../../../../etc/passwd"),
    ],
)
def test_what_the_package_does_not_hold_is_not_found(airflow: ArchiveAirflow, path: tuple[str, ...]) -> None:
    answer = airflow.get(copy_page(airflow, *path), "otto")
    assert answer.status_code == 404
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("copy", ["other", "..", "20261128T020000Z-common_cartridge-1", "%00"])
def test_no_name_of_a_copy_opens_anything_else(airflow: ArchiveAirflow, copy: str) -> None:
    address = airflow.page(ARCHIVE, "courses", COURSE, "copies", copy, "read", "")
    assert airflow.get(address, "otto").status_code == 404


def test_a_damaged_package_is_a_sentence(airflow: ArchiveAirflow) -> None:
    (manifest,) = (airflow.folder / "courses" / "107").glob("*-107.json")
    address = airflow.page(ARCHIVE, "courses", "course:107", "copies", manifest.stem, "read", "")
    answer = airflow.get(address, "otto")
    assert answer.status_code in (502, 503)
    assert 'role="alert"' in answer.text
    assert "Traceback" not in answer.text


def test_a_copy_is_read_from_airflow_in_a_real_browser(airflow: ArchiveAirflow, browser: Browser) -> None:
    window = airflow.window(browser, "otto")
    page = window.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{airflow.url}/plugin/canvas_archive")
    inside = page.frame_locator("iframe")
    inside.get_by_role("link", name=ARCHIVE).first.click()
    inside.get_by_role("link", name="Courses", exact=True).click()
    inside.get_by_role("link", name="Course 101").click()
    inside.get_by_role("link", name="Read the copy of").first.click()
    page.get_by_role("heading", name="Modules").wait_for()
    assert "/plugin/" not in page.url, "out of Airflow's frame, which lets no link out of itself"
    page.get_by_role("link", name="Welcome").first.click()
    page.frame_locator("iframe").get_by_role("link", name="Biology").wait_for()
    page.get_by_role("link", name="Airflow", exact=True).click()
    page.wait_for_url("**/plugin/canvas_archive**")
    assert {address.split("/")[2] for address in asked} == {airflow.url.split("/")[2]}
    window.close()


def test_a_download_starts_from_inside_airflow(airflow: ArchiveAirflow, browser: Browser) -> None:
    window = airflow.window(browser, "otto")
    page = window.new_page()
    page.goto(f"{airflow.url}/plugin/canvas_archive")
    inside = page.frame_locator("iframe")
    inside.get_by_role("link", name=ARCHIVE).first.click()
    inside.get_by_role("link", name="Courses", exact=True).click()
    inside.get_by_role("link", name="Course 101").click()
    with page.expect_download() as download:
        inside.get_by_role("link", name="Download the package of").first.click()
    package = airflow.history.biology[-1].package
    assert hashlib.sha256(download.value.path().read_bytes()).hexdigest() == package.sha256
    window.close()
