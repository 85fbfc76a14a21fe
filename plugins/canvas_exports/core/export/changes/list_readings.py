"""Read ``updated_at`` of a hundred courses with each request: while an account is listed, or from its pages in GraphQL.

A reading has the time before the first of its pages was asked for. So it never claims to be newer than it is, and a course
that moved between two pages while they were read keeps the older of its two values: an old reading can only cause an export.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from canvas_exports.core.canvas.api.graphql import read_legacy_id, read_page
from canvas_exports.core.canvas.api.models import Course
from canvas_exports.core.canvas.http.bounded_values import iso_text
from canvas_exports.core.export.changes.course_query import account_page
from canvas_exports.core.export.changes.probe import LIST, PAGES, Reading
from canvas_exports.core.export.changes.read_probes import GraphQLClient
from canvas_exports.core.model.contexts import Context, ContextKind
from canvas_exports.errors import CanvasError

_log = logging.getLogger(__name__)

_SIS = "sis_account_id:"
_OF_THE_ROOT = frozenset({"self", "default"})
_FEWEST_PAGES, _COURSES_A_PAGE = 2, 25  # an account is read if at least a quarter of its courses matter


class ListReadings:
    """Collects the readings of a run while its courses are listed.

    Args:
        client: of the Canvas.
        found: takes the readings by context, such as ``course:101``; those that it has stay.
    """

    def __init__(self, client: GraphQLClient, found: dict[str, Reading]) -> None:
        self._client = client
        self._found = found

    def collect(self, account: str, courses: Iterable[Course]) -> Iterator[Course]:
        """Yield the courses of an account as they are listed, and read ``updated_at`` of each.

        Where the list does not have it, the pages of the account in GraphQL are asked for it: ``POST /api/graphql``. Where they
        do not have it either, there is no reading: that is no error.

        Args:
            account: as ``CanvasClient.account_courses`` takes it.
            courses: of the account, with ``updated_at`` where Canvas returns it.

        Raises:
            CanvasError: as listing the courses; whatever Canvas answers to the pages is none.
        """
        began = time.monotonic()
        texts: dict[str, str | None] = {}
        root: int | None = None
        for course in courses:
            texts.setdefault(str(Context(ContextKind.COURSE, str(course.id))), course.updated_at)
            root = root or course.root_account_id
            yield course
        self._add({name: text for name, text in texts.items() if text is not None}, began, LIST)
        missing = {name for name, text in texts.items() if text is None} - self._found.keys()
        where = (str(root) if root else None) if account in _OF_THE_ROOT else account
        if missing and where is not None and (where.isdigit() or where.startswith(_SIS)):
            began = time.monotonic()
            self._add(self._read_pages(where, missing), began, PAGES)

    def _add(self, texts: Mapping[str, str], began: float, source: str) -> None:
        read_at = self._client.server_now() - timedelta(seconds=time.monotonic() - began)
        for name, text in texts.items():
            self._found.setdefault(name, Reading(text, read_at, source))

    def _read_pages(self, account: str, wanted: set[str]) -> dict[str, str]:
        """Return what the pages of an account say of some courses; reading ends when all are found, or too few are."""
        texts: dict[str, str] = {}
        after: str | None = None
        for _ in range(_FEWEST_PAGES + len(wanted) // _COURSES_A_PAGE):
            try:
                result = self._client.graphql(account_page(account, after))
            except CanvasError as error:
                _log.info(
                    "the pages of account %s do not tell when its courses were updated: %s", account, error
                )
                break
            found = result.whole("account")
            page = read_page(found.get("coursesConnection")) if isinstance(found, Mapping) else None
            if page is None:
                _log.info("Canvas does not show the pages of account %s", account)
                break
            for node in page.nodes:
                name, text = f"course:{read_legacy_id(node)}", iso_text(node.get("updatedAt"))
                if name in wanted and text is not None:
                    texts.setdefault(name, text)
            if page.after in (None, after) or len(texts) == len(wanted):
                break
            after = page.after
        return texts
