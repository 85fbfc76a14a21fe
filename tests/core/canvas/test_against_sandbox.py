"""Every documented item of the Content Exports API, used from end to end against the sandbox.

The table in ``docs/canvas-api.md`` names these tests.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from canvas_exports.core.canvas.api.course_filters import CourseFilters
from canvas_exports.core.canvas.api.export_request import ExportRequest
from canvas_exports.core.canvas.api.models import ContentExport, ExportState, ProgressState
from canvas_exports.core.canvas.async_client import AsyncCanvasClient
from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.canvas.http.rate_limiter import RateLimiter
from canvas_exports.core.model.contexts import Context
from canvas_exports.errors import (
    AnswerLostError,
    CanvasUnavailableError,
    CredentialError,
    DownloadError,
    NotFoundError,
    PermissionDeniedError,
    ThrottledError,
)
from canvas_sandbox import Account, Course, Fault, Group, RequestFault, Sandbox, Storage, Switches, Term
from canvas_sandbox.content.model import Kind

COURSE = Context.parse("101")
GROUP = Context.parse("group:7")
USER = Context.parse("user:self")
CONTEXTS = {"courses": COURSE, "groups": GROUP, "users": USER}
A_DAY = 86_400.0


@dataclass
class Campus:
    """A sandbox whose clock moves when the client sleeps, and clients for the people in it."""

    sandbox: Sandbox
    now: float = 0.0

    def sleep(self, seconds: float) -> None:
        self.sandbox.advance(seconds)
        self.now += seconds

    def client(self, role: str = "admin", **options: Any) -> CanvasClient:
        rate_limiter = RateLimiter(clock=lambda: self.now)
        token = self.sandbox.tokens[role]
        return CanvasClient(
            self.sandbox.url,
            token,
            rate_limiter=rate_limiter,
            clock=lambda: self.now,
            sleep=self.sleep,
            **options,
        )

    def export(self, client: CanvasClient, context: Context = COURSE, **parameters: Any) -> ContentExport:
        """A new export, and the hour it may take."""
        parameters.setdefault("export_type", "common_cartridge")
        export = client.create_export(context, ExportRequest.build(**parameters, kind=context.kind))
        self.sleep(3600)
        return client.show_export(context, export.id)

    def package(self, client: CanvasClient, export: ContentExport, context: Context = COURSE) -> list[str]:
        """The names in an export's package, fetched whole."""
        data = b"".join(bytes(block) for block in client.download(context, export))
        assert export.attachment is not None
        assert len(data) == export.attachment.size
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert archive.testzip() is None
            return archive.namelist()


Found = Callable[..., Campus]


@pytest.fixture
def found() -> Iterator[Found]:
    """Founds a campus with a course, a group, a time that stands still, and what else is asked for."""
    opened: list[Sandbox] = []

    def make(*courses: Course, switches: dict[str, Any] | None = None, **options: Any) -> Campus:
        options.setdefault("groups", [Group(7)])
        sandbox = Sandbox(
            courses or [Course(101, sis_course_id="BIO/101.1é")],
            switches=Switches(manual_clock=True, **(switches or {})),
            **options,
        )
        opened.append(sandbox.__enter__())
        return Campus(sandbox)

    yield make
    for sandbox in opened:
        sandbox.close()


@pytest.fixture
def campus(found: Found) -> Campus:
    return found()


@pytest.fixture
def client(campus: Campus) -> Iterator[CanvasClient]:
    with campus.client() as made:
        yield made


# -- endpoints: three calls for courses, groups and users -------------------------------------------------------------


@pytest.mark.parametrize("collection", ["courses", "groups", "users"])
def test_list_content_exports(campus: Campus, client: CanvasClient, collection: str) -> None:
    context = CONTEXTS[collection]
    made = [campus.export(client, context, export_type="zip").id for _ in range(5)]
    pending = client.create_export(context, ExportRequest.build("zip", kind=context.kind)).id
    listed = list(client.list_exports(context, per_page=2))
    assert [export.id for export in listed] == [pending, *reversed(made)]
    assert [export.is_ready for export in listed] == [False, True, True, True, True, True]
    pages = [record for record in campus.sandbox.requests if "per_page=2" in record.query]
    assert len(pages) == 3
    assert pages[0].path.startswith(f"/api/v1/{collection}/")


@pytest.mark.parametrize("collection", ["courses", "groups", "users"])
def test_show_content_export(campus: Campus, client: CanvasClient, collection: str) -> None:
    context = CONTEXTS[collection]
    export = campus.export(client, context, export_type="zip")
    assert client.show_export(context, export.id) == export
    last = campus.sandbox.requests[-1]
    assert (last.method, last.path.split("/")[3], last.path.rsplit("/", 1)[1]) == (
        "GET",
        collection,
        str(export.id),
    )


@pytest.mark.parametrize("collection", ["courses", "groups", "users"])
def test_export_content(campus: Campus, client: CanvasClient, collection: str) -> None:
    context = CONTEXTS[collection]
    created = client.create_export(context, ExportRequest.build("zip", kind=context.kind))
    assert created.workflow_state is ExportState.CREATED
    assert created.attachment is None
    assert created.progress_id is not None
    campus.sleep(3600)
    finished = client.show_export(context, created.id)
    assert finished.is_ready
    campus.package(client, finished, context)


def test_progress_leads_from_request_to_package(campus: Campus, client: CanvasClient) -> None:
    export = client.create_export(COURSE, ExportRequest.build("common_cartridge"))
    assert export.progress_id is not None
    seen = []
    while not client.show_export(COURSE, export.id).is_ready:
        seen.append(client.progress(export.progress_id))
        campus.sleep(0.004)
    assert {progress.workflow_state for progress in seen} >= {ProgressState.RUNNING, ProgressState.COMPLETED}
    completions = [progress.completion or 0.0 for progress in seen]
    assert max(completions) == 100
    assert completions != sorted(completions)  # 25 is followed by 15


# -- parameters of Export content -------------------------------------------------------------------------------------

INSIDE = {
    "common_cartridge": "course_settings/canvas_export.txt",
    "qti": "non_cc_assessments/",
    "zip": "Submissions of last year/",  # an empty folder
}


@pytest.mark.parametrize(
    ("export_type", "suffix"), [("common_cartridge", ".imscc"), ("qti", ".zip"), ("zip", ".zip")]
)
def test_export_type(campus: Campus, client: CanvasClient, export_type: str, suffix: str) -> None:
    export = campus.export(client, export_type=export_type)
    assert export.export_type == export_type
    assert export.attachment is not None
    assert export.attachment.filename.endswith(suffix)
    names = campus.package(client, export)
    assert INSIDE[export_type] in names
    assert ("imsmanifest.xml" in names) == (export_type != "zip")


@pytest.mark.parametrize("skip", [True, False])
def test_skip_notifications(campus: Campus, client: CanvasClient, skip: bool) -> None:
    campus.export(client, skip_notifications=skip)
    assert campus.sandbox.exports[-1].notified is not skip


def test_version(campus: Campus, client: CanvasClient) -> None:
    campus.export(client)
    campus.export(client, version="1.3")
    assert [export.version for export in campus.sandbox.exports] == ["1.1.0", "1.3.0"]


DOCUMENTED = {
    "folders": Kind.FOLDER,
    "files": Kind.FILE,
    "attachments": Kind.FILE,
    "quizzes": Kind.QUIZ,
    "assignments": Kind.ASSIGNMENT,
    "announcements": Kind.ANNOUNCEMENT,
    "calendar_events": Kind.EVENT,
    "discussion_topics": Kind.DISCUSSION,
    "modules": Kind.MODULE,
    "module_items": Kind.MODULE_ITEM,
    "pages": Kind.PAGE,
    "rubrics": Kind.RUBRIC,
}


@pytest.mark.parametrize("object_type", list(DOCUMENTED))
def test_select_object_type(campus: Campus, client: CanvasClient, object_type: str) -> None:
    item = next(iter(campus.sandbox.content(101).of(DOCUMENTED[object_type])))
    whole = campus.package(client, campus.export(client))
    export = campus.export(client, select={object_type: [item.id]})
    assert len(campus.package(client, export)) < len(whole)
    recorded = campus.sandbox.exports[-1].selection
    assert list(recorded) == [DOCUMENTED[object_type].value]
    assert recorded[DOCUMENTED[object_type].value] == [item.key]


@pytest.mark.parametrize("alias", ["context_modules", "content_tags", "wiki_pages"])
def test_select_canvas_own_names(campus: Campus, client: CanvasClient, alias: str) -> None:
    campus.export(client, select={alias: [5]})
    assert list(campus.sandbox.exports[-1].selection) == [alias]


def test_select_integers_strings_and_hashes_mean_the_same(campus: Campus, client: CanvasClient) -> None:
    quiz = next(iter(campus.sandbox.content(101).of(Kind.QUIZ)))
    for ids in ([quiz.id], [str(quiz.id)], {quiz.asset_string: "1"}):
        campus.export(client, export_type="qti", select={"quizzes": ids})
    first, second, third = (export.selection for export in campus.sandbox.exports)
    assert first == second == third
    assert first


def test_select_several_types_at_once(campus: Campus, client: CanvasClient) -> None:
    content = campus.sandbox.content(101)
    page, quiz = next(iter(content.of(Kind.PAGE))), next(iter(content.of(Kind.QUIZ)))
    campus.export(client, select={"pages": [page.id], "quizzes": [quiz.id]})
    assert set(campus.sandbox.exports[-1].selection) == {"wiki_pages", "quizzes"}


@pytest.mark.parametrize("object_type", ["folders", "files", "attachments"])
def test_select_for_zip(campus: Campus, client: CanvasClient, object_type: str) -> None:
    content = campus.sandbox.content(101)
    whole = campus.package(client, campus.export(client, export_type="zip"))
    item = next(item for item in content.of(DOCUMENTED[object_type]) if item.id != content.root)
    names = campus.package(client, campus.export(client, export_type="zip", select={object_type: [item.id]}))
    assert 0 < len(names) < len(whole)


def test_select_for_qti(campus: Campus, client: CanvasClient) -> None:
    quiz = next(iter(campus.sandbox.content(101).of(Kind.QUIZ)))
    names = campus.package(client, campus.export(client, export_type="qti", select={"quizzes": [quiz.id]}))
    assert any(quiz.key in name for name in names)
    names = campus.package(client, campus.export(client, export_type="qti", select={"quizzes": [999_999]}))
    assert not any(quiz.key in name for name in names)


# -- the ContentExport object -----------------------------------------------------------------------------------------


def test_field_id(campus: Campus, client: CanvasClient) -> None:
    assert campus.export(client).id == campus.sandbox.exports[-1].id


def test_field_created_at(campus: Campus, client: CanvasClient) -> None:
    created = client.create_export(COURSE, ExportRequest.build("zip")).created_at
    there = datetime.fromtimestamp(campus.sandbox.exports[-1].created_at, timezone.utc)
    assert created.utcoffset() == timedelta(0)
    assert abs(created - there) < timedelta(seconds=1)


def test_field_export_type(campus: Campus, client: CanvasClient) -> None:
    assert campus.export(client, export_type="qti").export_type == "qti"


def test_field_attachment(found: Found) -> None:
    campus = found(switches={"expire_days": 30})
    with campus.client() as client:
        export = client.create_export(COURSE, ExportRequest.build("common_cartridge"))
        assert export.attachment is None
        campus.sleep(3600)
        attachment = client.show_export(COURSE, export.id).attachment
        assert attachment is not None
        assert attachment.url.startswith(f"{campus.sandbox.url}/files/{attachment.id}/download")
        assert attachment.size > 0
        assert attachment.filename
        campus.sleep(31 * A_DAY)
        expired = client.show_export(COURSE, export.id)
        assert (expired.attachment, expired.workflow_state, expired.is_ready) == (
            None,
            ExportState.EXPORTED,
            False,
        )


def test_field_progress_url(campus: Campus, client: CanvasClient) -> None:
    export = campus.export(client)
    assert export.progress_url == f"{campus.sandbox.url}/api/v1/progress/{export.progress_id}"
    assert export.progress_id is not None
    assert client.progress(export.progress_id).workflow_state is ProgressState.COMPLETED


def test_field_user_id(campus: Campus, client: CanvasClient) -> None:
    assert campus.export(client).user_id == client.whoami().id


def test_undocumented_fields_are_tolerated(campus: Campus, client: CanvasClient) -> None:
    assert campus.export(client).course_id == 101
    assert campus.export(client, GROUP, export_type="zip").course_id is None


# -- states -----------------------------------------------------------------------------------------------------------


def test_state_created(found: Found) -> None:
    campus = found(Course(101, faults=[Fault.STUCK_CREATED]))
    with campus.client() as client:
        assert campus.export(client).workflow_state is ExportState.CREATED


def test_state_exporting(found: Found) -> None:
    campus = found(Course(101, faults=[Fault.STUCK_EXPORTING]))
    with campus.client() as client:
        export = campus.export(client)
        assert export.workflow_state is ExportState.EXPORTING
        assert not export.is_ready
        assert not export.is_dead


def test_state_exported(campus: Campus, client: CanvasClient) -> None:
    assert campus.export(client).workflow_state is ExportState.EXPORTED


def test_state_failed(found: Found) -> None:
    campus = found(Course(101, faults=[Fault.EXPORT_FAILS]))
    with campus.client() as client:
        export = campus.export(client)
        assert export.workflow_state is ExportState.FAILED
        assert export.is_dead
        assert export.progress_id is not None
        assert client.progress(export.progress_id).workflow_state is ProgressState.FAILED


def test_state_waiting_for_external_tool(found: Found) -> None:
    campus = found(Course(101, faults=[Fault.STUCK_WAITING]))
    with campus.client() as client:
        assert campus.export(client).workflow_state is ExportState.WAITING_FOR_EXTERNAL_TOOL


def test_exported_without_a_package_is_not_ready(found: Found) -> None:
    campus = found(Course(101, faults=[Fault.NO_ATTACHMENT]))
    with campus.client() as client:
        export = campus.export(client)
        assert (export.workflow_state, export.is_ready) == (ExportState.EXPORTED, False)
        with pytest.raises(DownloadError, match="export again"):
            next(client.download(COURSE, export))


# -- what the API needs around it -------------------------------------------------------------------------------------


def test_courses_by_sis_id_whatever_it_holds(campus: Campus, client: CanvasClient) -> None:
    named = Context.parse("sis_course_id:BIO/101.1é")
    assert client.course(named).id == 101
    export = campus.export(client, named)
    assert [listed.id for listed in client.list_exports(named)] == [export.id]


@pytest.mark.parametrize(
    ("named", "number"),
    [("sis_course_id:BIO/101.1é", 101), ("group:sis_group_id:G.7", 7), ("user:self", 1), ("101", 101)],
)
def test_the_number_behind_a_name(found: Found, named: str, number: int) -> None:
    campus = found(groups=[Group(7, sis_group_id="G.7")])
    with campus.client() as client:
        assert client.resolve(Context.parse(named)) == number


def test_course_identity(found: Found) -> None:
    course = Course(101, name="Biology", course_code="BIO", sis_course_id="B", term_id=2)
    campus = found(course, terms=[Term(2, "Winter", sis_term_id="W")])
    with campus.client() as client:
        shown = client.course(COURSE)
    assert (shown.name, shown.course_code, shown.sis_course_id) == ("Biology", "BIO", "B")
    assert (shown.term_name, shown.sis_term_id, shown.enrollment_term_id) == ("Winter", "W", 2)
    assert (shown.workflow_state, shown.account_id) == ("available", 1)
    assert shown.uuid


def test_deleted_and_forbidden_courses(found: Found) -> None:
    campus = found(Course(101, faults=[Fault.DELETED]), Course(102, faults=[Fault.FORBIDDEN]))
    with campus.client() as client:
        with pytest.raises(NotFoundError):
            client.course(COURSE)
        with pytest.raises(NotFoundError):
            client.create_export(COURSE, ExportRequest.build("zip"))
        with pytest.raises(PermissionDeniedError):
            client.course(Context.parse("102"))


COLLEGE: list[tuple[dict[str, Any], set[int]]] = [
    ({}, {1, 2, 3, 4, 5, 6}),
    ({"state": ["available"]}, {1, 2, 5, 6}),
    ({"state": "deleted"}, {7}),
    ({"state": "all"}, {1, 2, 3, 4, 5, 6, 7}),
    ({"published": True}, {1, 2, 5, 6}),
    ({"published": False}, {3, 4}),
    ({"with_enrollments": True}, {1, 2, 3, 4, 6}),
    ({"with_enrollments": False}, {5}),
    ({"hide_enrollmentless_courses": True}, {1, 2, 3, 4, 6}),
    ({"enrollment_type": "student"}, {1, 2, 3, 4}),
    ({"blueprint": True}, {2}),
    ({"blueprint": False}, {1, 3, 4, 5, 6}),
    ({"blueprint_associated": True}, {6}),
    ({"public": True}, {1}),
    ({"homeroom": True}, {5}),
    ({"by_teachers": ["sis_user_id:U-1", "999"]}, {6}),
    ({"by_subaccounts": ["sis_account_id:SUB"]}, {2}),
    ({"enrollment_term_id": "sis_term_id:W"}, {2}),
    ({"enrollment_term_id": 1}, {1, 3, 4, 5, 6}),
    ({"search_term": "bio"}, {1}),
    ({"search_term": "otto", "search_by": "teacher"}, set()),
]


@pytest.mark.parametrize(("filters", "expected"), COLLEGE, ids=[str(row[0]) for row in COLLEGE])
def test_account_courses_with_every_filter(found: Found, filters: dict[str, Any], expected: set[int]) -> None:
    campus = found(
        Course(1, name="Biology", public=True),
        Course(2, name="Chemistry", blueprint=True, account_id=2, term_id=2),
        Course(3, name="Drama", state="created"),
        Course(4, name="English", state="completed"),
        Course(5, name="French", teachers=(), students=(), homeroom=True),
        Course(6, name="German", teachers=(1,), students=(), blueprint_associated=True),
        Course(7, name="History", state="deleted"),
        accounts=[Account(1, "Root"), Account(2, "Sub", parent_id=1, sis_account_id="SUB")],
        terms=[Term(1, "Default Term"), Term(2, "Winter", sis_term_id="W")],
    )
    with campus.client() as client:
        listed = client.account_courses("self", CourseFilters.build(filters))
        assert {course.id for course in listed} == expected


def test_account_courses_are_paged_sorted_and_bookmarked(found: Found) -> None:
    courses = [Course(number, name=f"Course {1000 - number}") for number in range(1, 251)]
    campus = found(*courses, switches={"bookmarks": True})
    with campus.client() as client:
        assert [course.id for course in client.account_courses("self")] == list(range(1, 251))
        filters = CourseFilters.build({"sort": "course_name", "order": "asc", "starts_before": "2100-01-01"})
        assert [course.id for course in client.account_courses("1", filters)] == list(range(250, 0, -1))
    assert len([record for record in campus.sandbox.requests if record.path.endswith("/courses")]) == 6


def test_unknown_term_is_not_found(client: CanvasClient) -> None:
    with pytest.raises(NotFoundError):
        list(client.account_courses("self", CourseFilters.build({"enrollment_term_id": "sis_term_id:none"})))


def test_content_list(campus: Campus, client: CanvasClient) -> None:
    kinds = client.content_list(COURSE)
    assert {"wiki_pages", "quizzes"} <= {row.type for row in kinds}
    pages = client.content_list(COURSE, "wiki_pages")
    assert [page.title for page in pages] == [
        item.title for item in campus.sandbox.content(101).of(Kind.PAGE)
    ]


@pytest.mark.parametrize("denied_status", [401, 403])
def test_denials_of_both_generations(found: Found, denied_status: int) -> None:
    campus = found(switches={"denied_status": denied_status})
    with campus.client("student") as client:
        with pytest.raises(PermissionDeniedError):
            client.create_export(COURSE, ExportRequest.build("common_cartridge"))
        assert campus.export(client, export_type="zip").is_ready


@pytest.mark.parametrize("problem", ["revoked", "expired"])
def test_dead_tokens(campus: Campus, client: CanvasClient, problem: str) -> None:
    campus.sandbox.revoke(campus.sandbox.token, problem=problem)
    with pytest.raises(CredentialError):
        client.whoami()


@pytest.mark.parametrize("throttle_status", [403, 429])
def test_throttle_refusals_are_waited_out(found: Found, throttle_status: int) -> None:
    campus = found(switches={"throttle_status": throttle_status})
    with campus.client() as client:
        campus.sandbox.fill_bucket(800)
        assert client.create_export(COURSE, ExportRequest.build("zip")).id
        assert len(campus.sandbox.exports) == 1
        assert campus.now > 10


def test_the_budget_never_runs_into_the_throttle_by_itself(found: Found) -> None:
    campus = found(switches={"request_cost": 25.0})
    with campus.client() as client:
        for _ in range(120):
            client.whoami()
    assert {record.status for record in campus.sandbox.requests} == {200}


def test_a_lost_answer_is_found_in_the_list(found: Found) -> None:
    campus = found(Course(101, faults=[Fault.LOST_ANSWER.times(1)]))
    with campus.client() as client:
        before = client.server_now()
        with pytest.raises(AnswerLostError):
            client.create_export(COURSE, ExportRequest.build("zip"))
        (export,) = client.list_exports(COURSE)
        assert export.user_id == client.whoami().id
        assert export.created_at >= before - timedelta(seconds=5)


@pytest.mark.parametrize("effect", ["server_error", "maintenance", "garbled", "refused", "throttled"])
def test_passing_trouble_passes(campus: Campus, client: CanvasClient, effect: str) -> None:
    campus.sandbox.inject(RequestFault(effect, method="GET", times=2))
    assert client.whoami().id == 1


def test_lasting_trouble_is_an_error(campus: Campus, client: CanvasClient) -> None:
    campus.sandbox.inject(RequestFault("maintenance", times=None))
    with pytest.raises(CanvasUnavailableError):
        client.whoami()


# -- downloads --------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("fault", [Fault.LOGIN_PAGE, Fault.STORAGE_GONE, Fault.EXPIRED_LINK, Fault.TRUNCATED])
def test_downloads_that_cannot_succeed_say_why(found: Found, fault: Fault) -> None:
    campus = found(Course(101, faults=[fault]))
    with campus.client() as client:
        export = campus.export(client)
        with pytest.raises(DownloadError) as caught:
            campus.package(client, export)
    assert caught.value.context == "course:101"
    assert "?" not in str(caught.value)


def test_an_expired_link_is_replaced(found: Found) -> None:
    campus = found(Course(101, faults=[Fault.EXPIRED_LINK.times(1)]))
    with campus.client() as client:
        campus.package(client, campus.export(client))


def test_a_cut_download_goes_on_where_storage_can(found: Found) -> None:
    course = Course(101, size=3_000_000, faults=[Fault.CUT.times(2)])
    campus = found(course, switches={"storage": Storage.S3})
    with campus.client() as client:
        campus.package(client, campus.export(client))
    fetched = [record for record in campus.sandbox.requests if record.listener == "storage"]
    assert [record.status for record in fetched] == [200, 206, 206]


@pytest.mark.parametrize("storage", [Storage.LOCAL, Storage.INSTFS])
def test_a_cut_download_starts_over_where_storage_cannot(found: Found, storage: Storage) -> None:
    campus = found(
        Course(101, size=3_000_000, faults=[Fault.CUT.times(1)]),
        switches={"storage": storage, "ranges": False},
    )
    with campus.client() as client:
        export = campus.export(client)
        with pytest.raises(DownloadError) as caught:
            campus.package(client, export)
        assert caught.value.restart
        campus.package(client, export)


async def test_the_asynchronous_client_sees_the_same(campus: Campus, client: CanvasClient) -> None:
    export = campus.export(client)
    async with AsyncCanvasClient(
        campus.sandbox.url, campus.sandbox.token, rate_limiter=RateLimiter()
    ) as other:
        assert (await other.whoami()).id == 1
        assert await other.resolve(Context.parse("sis_course_id:BIO/101.1é")) == 101
        assert await other.show_export(COURSE, export.id) == export
        assert [row.id async for row in other.list_exports(COURSE)] == [export.id]
        assert await other.course(COURSE) == client.course(COURSE)
        assert export.progress_id is not None
        assert (await other.progress(export.progress_id)).workflow_state is ProgressState.COMPLETED
        assert await other.content_list(COURSE) == client.content_list(COURSE)
        assert [row.id async for row in other.account_courses("self")] == [101]
        assert (
            await other.create_export(COURSE, ExportRequest.build("zip"))
        ).workflow_state is ExportState.CREATED


def test_patience_with_a_throttle_that_never_ends_is_limited(campus: Campus, client: CanvasClient) -> None:
    campus.sandbox.inject(RequestFault("throttled", times=None))
    with pytest.raises(ThrottledError):
        client.whoami()
