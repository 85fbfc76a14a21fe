"""Uploads in three steps, as each kind of storage wants them, and everything that can be wrong with one."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import requests
from tests.support.canvas.link_server import served

from canvas_sandbox import Course, Fault, RequestFault, Sandbox, Switches
from canvas_sandbox.switches import Storage

if TYPE_CHECKING:
    from tests.support.canvas.sandbox_client import Call, Caller, Start

KINDS = list(Storage)
SENT = {Storage.LOCAL: r"^/files_api$", Storage.S3: r"^/canvas-sandbox$", Storage.INSTFS: r"^/files$"}
POLICY_KINDS = [Storage.LOCAL, Storage.S3]


@pytest.fixture(params=KINDS, ids=[kind.value for kind in KINDS])
def storage(request: pytest.FixtureRequest) -> Storage:
    return Storage(request.param)


@pytest.fixture
def canvas(start: Start, storage: Storage) -> Sandbox:
    switches = Switches(manual_clock=True, storage=storage)
    return start(Course(id=101), Course(id=102, size=0), switches=switches)


def arrived(canvas: Sandbox, storage: Storage) -> int:
    """How many uploads have been answered, or have broken off."""
    return sum(bool(re.search(SENT[storage], row.path)) for row in canvas.requests if row.method == "POST")


def imported(canvas: Sandbox) -> list[int]:
    return [record.imports for record in canvas.migrations]


def test_the_three_steps_lead_to_an_import(canvas: Sandbox, admin: Caller, storage: Storage) -> None:
    package = admin.exported()
    migration = admin.migrate(size=len(package))
    sent = admin.send(migration, package)
    assert sent.status_code == {"local": 302, "s3": 303, "instfs": 201}[storage.value]
    done = admin.complete(sent)
    assert (done.status_code, done.json()["upload_status"]) == (200, "success")
    canvas.advance(60)
    assert admin.show_migration(migration)["workflow_state"] == "completed"
    (record,) = canvas.migrations
    assert (record.size, record.source, record.imports) == (len(package), "upload", 1)


def test_the_second_step_carries_no_credential_and_links_are_not_logged(
    canvas: Sandbox, admin: Caller
) -> None:
    package = admin.exported()
    admin.restore(package)
    sent = [row for row in canvas.requests if row.method == "POST" and row.path in ("/files_api", "/files")]
    assert not [row for row in sent if row.had_authorization]
    assert not [row for row in canvas.requests if "uuid=" in row.query or "token=" in row.query]


def test_completing_twice_imports_once(start: Start, call: Call) -> None:
    for kind in POLICY_KINDS:
        switches = Switches(manual_clock=True, storage=kind)
        canvas = start(Course(id=101), Course(id=102, size=0), switches=switches)
        admin = call(canvas)
        sent = admin.send(admin.migrate(), admin.exported())
        assert admin.complete(sent).status_code == 200
        again = admin.complete(sent)
        assert (again.status_code, again.content) == (400, b"")
        canvas.advance(60)
        assert imported(canvas) == [1]


def test_the_third_step_is_a_post_as_well(start: Start, call: Call) -> None:
    canvas = start(Course(id=101), Course(id=102, size=0))
    admin = call(canvas)
    sent = admin.send(admin.migrate(), admin.exported())
    assert admin.post(sent.headers["Location"]).status_code == 200


def test_completing_before_the_file_is_there_or_with_another_link_does_nothing(
    start: Start, call: Call
) -> None:
    canvas = start(Course(id=101), Course(id=102, size=0))
    admin = call(canvas)
    migration = admin.migrate()
    url = migration["pre_attachment"]["upload_params"]["success_action_redirect"]
    assert admin.get(url).status_code == 400
    admin.send(migration, b"anything")
    assert admin.get(url.partition("?")[0], params={"uuid": "guessed"}).status_code == 400
    assert admin.get(f"{canvas.url}/api/v1/files/99999/create_success").status_code == 400
    assert admin.show_migration(migration)["workflow_state"] == "pre_processing"


def test_completing_needs_a_credential_unless_the_link_alone_is_enough(start: Start, call: Call) -> None:
    for needed in (True, False):
        canvas = start(
            Course(id=102, size=0), switches=Switches(manual_clock=True, create_success_auth=needed)
        )
        sent = call(canvas).send(call(canvas).migrate(), b"anything")
        response = requests.get(sent.headers["Location"], timeout=20)
        assert response.status_code == (401 if needed else 200)


def test_a_policy_is_good_for_half_an_hour(canvas: Sandbox, admin: Caller, storage: Storage) -> None:
    migration = admin.migrate()
    canvas.advance(1799)
    assert admin.send(migration, b"x").status_code in (201, 302, 303)
    late = admin.migrate()
    canvas.advance(1801)
    assert admin.send(late, b"x").status_code == {"local": 400, "s3": 403, "instfs": 401}[storage.value]
    assert admin.show_migration(late)["workflow_state"] == "pre_processing"


@pytest.mark.parametrize("storage", POLICY_KINDS, indirect=True, ids=["local", "s3"])
@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"key": "account_1/attachments/1/another"}, "AccessDenied"),
        ({"acl": "public-read"}, "AccessDenied"),
        ({"extra": "1"}, "AccessDenied"),
        ({"Policy": "e30="}, "SignatureDoesNotMatch"),
        ({"success_action_redirect": "http://127.0.0.1/"}, "AccessDenied"),
    ],
)
def test_fields_that_were_changed_are_refused(
    admin: Caller, storage: Storage, changed: dict[str, str], code: str
) -> None:
    response = admin.send(admin.migrate(), b"x", **changed)
    if storage is Storage.LOCAL:
        assert (response.status_code, response.content) == (400, b"")
    else:
        assert response.status_code == 403
        assert f"<Code>{code}</Code>" in response.text


def test_fields_behind_the_file_are_refused(admin: Caller, storage: Storage) -> None:
    step = admin.migrate()["pre_attachment"]
    parts: list[Any] = [("file", ("course.imscc", b"x"))]
    parts += [(name, (None, value)) for name, value in step["upload_params"].items()]
    response = requests.post(step["upload_url"], files=parts, timeout=20, allow_redirects=False)
    assert response.status_code == 400
    assert (response.content == b"") is (storage is Storage.LOCAL)


def test_an_empty_file_and_no_file_are_refused(admin: Caller) -> None:
    migration = admin.migrate()
    assert admin.send(migration, b"").status_code == 400
    step = migration["pre_attachment"]
    nothing = [(name, (None, value)) for name, value in step["upload_params"].items()]
    response = requests.post(step["upload_url"], files=nothing, timeout=20, allow_redirects=False)
    assert response.status_code == 400
    assert requests.post(step["upload_url"], data=b"no form", timeout=20).status_code == 400


@pytest.mark.parametrize("storage", [Storage.S3, Storage.INSTFS], indirect=True, ids=["s3", "instfs"])
def test_storage_refuses_canvas_s_token(canvas: Sandbox, admin: Caller) -> None:
    step = admin.migrate()["pre_attachment"]
    response = requests.post(
        step["upload_url"],
        data=step["upload_params"],
        files={"file": ("course.imscc", b"x")},
        headers={"Authorization": f"Bearer {canvas.token}"},
        timeout=20,
    )
    assert response.status_code in (400, 401)
    assert canvas.migrations[0].size is None


def test_a_file_over_the_quota_is_refused_at_completion(start: Start, call: Call, storage: Storage) -> None:
    faults = [Fault.OVER_QUOTA.times(1), Fault.OVER_QUOTA_LATE.times(1)]
    switches = Switches(manual_clock=True, storage=storage)
    canvas = start(Course(id=101), Course(id=102, size=0, faults=faults), switches=switches)
    admin = call(canvas)
    package = admin.exported()
    assert admin.migrate()["workflow_state"] == "failed"
    sent = admin.send(admin.migrate(), package)
    response = sent if storage is Storage.INSTFS else admin.complete(sent)
    assert response.status_code == 400
    assert response.json() == {"message": "file size exceeds quota limits"}
    assert admin.restore(package)["workflow_state"] == "completed"
    assert imported(canvas) == [0, 0, 1]


def test_a_file_larger_than_it_said_is_refused_when_it_is_there(start: Start, call: Call) -> None:
    canvas = start(Course(id=102, size=0, storage_quota_mb=1))
    admin = call(canvas)
    sent = admin.send(admin.migrate(size=10), bytes(1_048_577))
    assert admin.complete(sent).json() == {"message": "file size exceeds quota limits"}


@pytest.mark.parametrize("effect", ["server_error", "maintenance", "cut", "refused"])
def test_storage_that_fails_in_the_middle_has_nothing(
    canvas: Sandbox, admin: Caller, storage: Storage, effect: str
) -> None:
    package = admin.exported()
    migration = admin.migrate()
    canvas.inject(RequestFault(effect, "POST", SENT[storage], after=1000))
    if effect in ("cut", "refused"):
        with pytest.raises(requests.ConnectionError):
            admin.send(migration, package)
    else:
        assert admin.send(migration, package).status_code in (500, 503)
    assert canvas.migrations[0].size is None
    assert admin.complete(admin.send(migration, package)).status_code == 200
    canvas.advance(60)
    assert imported(canvas) == [1]


def test_a_client_that_breaks_off_leaves_nothing(canvas: Sandbox, admin: Caller, storage: Storage) -> None:
    package = admin.exported()
    step = admin.migrate()["pre_attachment"]

    def broken() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="c"\r\n\r\n' + package[:30_000]
        raise ConnectionAbortedError

    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    with pytest.raises(requests.ConnectionError):
        requests.post(step["upload_url"], data=broken(), headers=kind, timeout=20)
    deadline = time.monotonic() + 30
    while not arrived(canvas, storage) and time.monotonic() < deadline:
        time.sleep(0.005)
    assert list(canvas.world.migrations.upload_store.path("").iterdir()) == []
    assert canvas.migrations[0].size is None
    assert admin.restore(package)["workflow_state"] == "completed"


def test_a_file_that_storage_refuses_is_not_stored(canvas: Sandbox, admin: Caller) -> None:
    migration = admin.migrate()
    canvas.advance(1801)
    assert admin.send(migration, b"too late").status_code in (400, 401, 403)
    assert list(canvas.world.migrations.upload_store.path("").iterdir()) == []


def test_a_lost_answer_to_the_upload_leaves_the_file_there(start: Start, call: Call) -> None:
    canvas = start(Course(id=101), Course(id=102, size=0))
    admin = call(canvas)
    migration = admin.migrate()
    canvas.inject(RequestFault("lost_answer", "POST", SENT[Storage.S3]))
    with pytest.raises(requests.ConnectionError):
        admin.send(migration, admin.exported())
    url = migration["pre_attachment"]["upload_params"]["success_action_redirect"]
    assert admin.get(url).status_code == 200
    canvas.advance(60)
    assert imported(canvas) == [1]


def test_lost_answers_to_creation_and_completion_are_found_in_the_list(start: Start, call: Call) -> None:
    canvas = start(Course(id=101), Course(id=102, size=0))
    admin = call(canvas)
    canvas.inject(RequestFault("lost_answer", "POST", r"/content_migrations$"))
    with pytest.raises(requests.ConnectionError):
        admin.migrate()
    (lost,) = admin.get("/api/v1/courses/102/content_migrations").json()
    assert lost["workflow_state"] == "pre_processing"
    sent = admin.send(admin.migrate(), admin.exported())
    canvas.inject(RequestFault("lost_answer", "GET", r"/create_success$"))
    with pytest.raises(requests.ConnectionError):
        admin.complete(sent)
    assert admin.complete(sent).status_code == 400
    canvas.advance(60)
    assert imported(canvas) == [0, 1]


def test_another_upload_for_a_migration_clears_its_issues(start: Start, call: Call) -> None:
    canvas = start(Course(id=101), Course(id=102, size=0))
    admin = call(canvas)
    migration = admin.restore(b"no package at all")
    assert migration["migration_issues_count"] == 1
    url = f"/api/v1/courses/102/content_migrations/{migration['id']}"
    form = {"pre_attachment[name]": "again.imscc", "pre_attachment[size]": 1000}
    again = admin.request("PUT", url, data=form).json()
    assert (again["workflow_state"], again["migration_issues_count"]) == ("pre_processing", 0)
    assert admin.complete(admin.send(again, admin.exported())).status_code == 200
    canvas.advance(60)
    assert admin.show_migration(migration)["workflow_state"] == "completed"


MEASURE = """
import resource, sys, requests
from canvas_sandbox import Course, Sandbox
from canvas_sandbox.packages.filler import Filler
from canvas_sandbox.packages.virtual_file import VirtualFile

with Sandbox([Course(id=102, size=0)]) as canvas:
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {canvas.token}"
    form = {"migration_type": "canvas_cartridge_importer", "pre_attachment[name]": "c", "pre_attachment[size]": 9}
    url = f"{canvas.url}/api/v1/courses/102/content_migrations"
    step = session.post(url, form).json()["pre_attachment"]
    part = '--x\\r\\nContent-Disposition: form-data; name="{}"{}\\r\\n\\r\\n'
    head = "".join(part.format(name, "") + value + "\\r\\n" for name, value in step["upload_params"].items())
    def body():
        yield (head + part.format("file", '; filename="c"')).encode()
        yield from VirtualFile([Filler("a package", int(sys.argv[1]))]).blocks()
        yield b"\\r\\n--x--\\r\\n"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    sent = requests.post(step["upload_url"], data=body(), headers=kind, allow_redirects=False)
    session.get(sent.headers["Location"]).raise_for_status()
    print(canvas.migrations[0].size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_receiving_100_mb_takes_no_memory() -> None:
    size = 100_000_000
    run = subprocess.run(
        [sys.executable, "-c", MEASURE, str(size)], capture_output=True, text=True, check=True, timeout=60
    )
    received, grown = map(int, run.stdout.split())
    assert received == size
    assert grown < 24 * 1024


def test_a_course_of_5_gib_is_taken_over_without_a_byte_of_it(start: Start, call: Call) -> None:
    canvas = start(Course(id=101, size=5 * 1024**3), Course(id=102, size=0))
    admin = call(canvas)
    export = admin.finish(admin.create())
    migration = admin.migrate(size=None, **{"settings[content_export_id]": export["id"]})
    canvas.advance(60)
    assert admin.show_migration(migration)["workflow_state"] == "completed"
    back = admin.finish(admin.create(context="courses/102"), "courses/102")
    assert abs(back["attachment"]["size"] - export["attachment"]["size"]) < 1000


def test_a_file_is_fetched_from_a_link_without_a_credential(start: Start, call: Call) -> None:
    canvas = start(Course(id=101), Course(id=102, size=0))
    admin = call(canvas)
    package = admin.exported()
    with served(package) as link:
        migration = admin.migrate(size=None, **{"settings[file_url]": link.url})
        assert migration["workflow_state"] == "running"
        assert "secret" not in str(admin.show_migration(migration))
        assert admin.fetched(migration)["workflow_state"] == "completed"
    assert len(link.seen) == 1
    assert "Authorization" not in link.seen[0]
    assert canvas.migrations[0].size == len(package)


def test_a_link_that_leads_nowhere_fails_the_migration(start: Start, call: Call) -> None:
    canvas = start(Course(id=102, size=0))
    admin = call(canvas)
    with served(b"gone", 403) as link:
        shown = admin.fetched(admin.migrate(size=None, **{"settings[file_url]": link.url}))
    assert shown["workflow_state"] == "failed"
    (issue,) = admin.issues(shown)
    assert "secret" not in issue["description"]
