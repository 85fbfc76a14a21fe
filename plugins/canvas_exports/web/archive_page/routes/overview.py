"""The routes of coverage: the overview, the list of courses, and a course. Whoever may open the page may see them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response, status

from canvas_exports.core.reports.overview.course_list import CourseQuery
from canvas_exports.core.reports.overview.figures import CourseState, Overview
from canvas_exports.core.reports.page.charts import charts, size_chart
from canvas_exports.core.reports.page.view import PastRun
from canvas_exports.core.text.wording import format_size
from canvas_exports.web.archive_page.pages import render
from canvas_exports.web.archive_page.sentences import alarms, verdict
from canvas_exports.web.archive_page.settings.archives import OpenArchive, may_write, open_archive

router = APIRouter()

_MOST_PROBLEMS, _MOST_NIGHTS, _MOST_DELETIONS, _MOST_ALARMS = 60, 60, 20, 20

#: The columns that a person may sort by, with their labels.
COLUMNS = (
    ("number", "Number"),
    ("name", "Name"),
    ("course_code", "Code"),
    ("term", "Term"),
    ("newest", "Newest copy"),
    ("proven", "Newest proven copy"),
    ("bytes", "Bytes"),
    ("copies", "Copies"),
    ("verified", "Verified"),
)

KINDS = ("course", "group", "user")


def copy_name(key: str) -> str:
    """Return the name of a copy in addresses: of its manifest, without the folder of its course."""
    return key.rpartition("/")[2].removesuffix(".json")


def find_archive(name: str) -> OpenArchive:
    """Return a configured archive.

    Raises:
        HTTPException: 404, for any other name.
    """
    found = open_archive(name)
    if found is None:
        raise HTTPException(
            status.HTTP_404_NOT_FOUND, "Airflow's configuration names no archive like this for this page."
        )
    return found


@router.get("/{archive}")
async def show_overview(request: Request, archive: str) -> Response:
    """Show the figures of an archive."""
    place = find_archive(archive)
    view, reading = await place.ask(lambda snapshot: snapshot.overview())
    now = datetime.now(timezone.utc)
    nights = [
        PastRun(night.run_id, night.finished_at, night.bytes, night.exports, night.problems)
        for night in reversed(view.nights)
        if night.finished_at is not None
    ]
    return render(
        request,
        "overview.html",
        title="Overview",
        archive=archive,
        section="overview",
        reading=reading,
        view=view,
        verdict=verdict(view),
        alarms=list(alarms(view, now=now)),
        charts=charts(nights),
        growth=_growth(view),
        may_write=may_write(view.archive),
        most_problems=_MOST_PROBLEMS,
        most_alarms=_MOST_ALARMS,
        most_nights=_MOST_NIGHTS,
        most_deletions=_MOST_DELETIONS,
    )


def _growth(view: Overview) -> Any:
    totals = list(zip(view.storage.weeks, view.storage.total, strict=True))
    if not totals:
        return None
    first, last = totals[0][1], totals[-1][1]
    summary = f"Bytes of all packages, week by week: {format_size(first)} at first, {format_size(last)} now."
    return size_chart(totals, title="Bytes stored, in all", summary=summary)


Text = Annotated[str, Query(max_length=255)]


@dataclass(frozen=True)
class Filter:
    """The form above the list of courses."""

    find: str = ""
    term: str = ""
    account: str = ""
    state: str = ""
    kind: str = ""
    sort: str = "number"
    order: str = ""
    offset: int = 0

    def query(self) -> CourseQuery:
        """Return what the snapshot is asked; unknown choices ask for all."""
        return CourseQuery(
            text=self.find,
            term=self.term or None,
            account_id=int(self.account) if self.account else None,
            state=CourseState(self.state) if self.state in CourseState._value2member_map_ else None,
            kind=self.kind if self.kind in KINDS else None,
            sort=self.sort,
            descending=self.order == "down",
            offset=self.offset,
        )


def asked_filter(
    *,
    find: Text = "",
    term: Text = "",
    account: Annotated[str, Query(pattern="^[0-9]{0,18}$")] = "",
    state: Text = "",
    kind: Text = "",
    sort: Text = "number",
    order: Text = "",
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
) -> Filter:
    """Read the form. A function: FastAPI of Airflow 3.1 does not resolve the annotations of a class."""
    return Filter(find, term, account, state, kind, sort, order, offset)


@router.get("/{archive}/courses")
async def show_courses(
    request: Request, archive: str, asked: Annotated[Filter, Depends(asked_filter)]
) -> Response:
    """List courses, groups and users."""
    query = asked.query()
    (page, terms, accounts), view = await find_archive(archive).ask(
        lambda snapshot: (snapshot.courses(query), snapshot.terms(), snapshot.accounts())
    )
    return render(
        request,
        "courses.html",
        title="Courses",
        archive=archive,
        section="courses",
        reading=view,
        page=page,
        query=query,
        asked=asdict(asked),
        states=list(CourseState),
        kinds=KINDS,
        terms=terms,
        accounts=accounts,
        columns=COLUMNS,
    )
