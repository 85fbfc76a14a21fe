"""Write the newest proven copies of courses as a site of plain HTML: only what has changed since the last time.

::

    index.html       the courses by term, and a search that needs no server
    style.css  search.js  search/  the index of the search, in pieces
    publish.json     what the site holds
    courses/101/<copy>/  a course; see ``course_folder``

A course that has changed is written beside its older pages. They are deleted when the start page leads to the new ones, so a
reader never meets half a course, and neither does a reader after a run that was killed: the next one goes on with the courses
that it had noted in publish.json, once a minute. One run at a time writes to a site.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from urllib.parse import unquote, urlsplit

from canvas_exports.core.archive.browsing.course_folder import (
    HOME,
    FolderOptions,
    WrittenCourse,
    write_course,
)
from canvas_exports.core.archive.browsing.course_pages import Crumb
from canvas_exports.core.archive.browsing.page_policy import STYLE
from canvas_exports.core.archive.browsing.site.published import (
    COURSES,
    PublishedCourse,
    PublishedSite,
    home_of,
    load_site,
)
from canvas_exports.core.archive.browsing.site.search_index import (
    BUCKETS,
    TITLES,
    bucket_of,
    titles_document,
    write_bucket,
)
from canvas_exports.core.archive.browsing.site.start_page import SCRIPT, start_page
from canvas_exports.core.archive.catalog.copies import Copy, newest
from canvas_exports.core.archive.catalog.read import Holding
from canvas_exports.core.archive.manifest import read_manifest
from canvas_exports.core.archive.package_content import open_copy
from canvas_exports.core.model.export_types import ExportType
from canvas_exports.core.storage.store import Store
from canvas_exports.core.text.wording import format_time
from canvas_exports.errors import InputError, ObjectNotFoundError, PackageError, UnreadableDocumentError

#: Changes whenever pages look different, so that all are written again.
_FORMAT = "1"

_FOLDER_DEPTH = 3  # of the pages of a course: courses/101/<copy>/
_AT_ONCE = 4  # courses that are written at the same time
_NOTED_EVERY = 60.0  # seconds: of 200,000 courses, the document has some 100 MB


@dataclass(frozen=True)
class Selection:
    """Which courses are published. ``None`` is any.

    Attributes:
        backup: name of the backup that stored the copy, or id of its DAG.
        term: name of the term, as the manifest has it.
        account_id: Canvas's number of the account.
    """

    backup: str | None = None
    term: str | None = None
    account_id: int | None = None

    def newest_of(self, holding: Holding) -> Copy | None:
        """Return the newest proven copy of a course that is published; ``None`` if there is none."""
        return newest(copy for copy in holding.copies if copy.is_proven and self._has(copy))

    def _has(self, copy: Copy) -> bool:
        return (
            copy.context.kind == "course"
            and copy.export.type == ExportType.COMMON_CARTRIDGE.value
            and (self.backup is None or copy.run.dag_id in (self.backup, f"canvas_backup_{self.backup}"))
            and self.term in (None, copy.context.term)
            and self.account_id in (None, copy.context.account_id)
        )


@dataclass
class PublishResult:
    """What a run has done.

    Attributes:
        written: courses that were written.
        unchanged: courses that were there already.
        kept: courses of the site that are not among the selected ones any more, and were kept.
        deleted: likewise, and were deleted.
        pages, files, size: of the courses that were written.
        problems: courses that could not be written, and files that could not be read, in a sentence each.
    """

    written: int = 0
    unchanged: int = 0
    kept: int = 0
    deleted: int = 0
    pages: int = 0
    files: int = 0
    size: int = 0
    problems: list[str] = field(default_factory=list)


def check_apart(archive: Store, site: Store, *, field: str) -> None:
    """Check that a site is not within the archive, nor the archive within the site.

    Raises:
        InputError: it is (permanent).
    """
    one, other = map(_place, (archive, site))
    if one.startswith(other) or other.startswith(one):
        raise InputError(
            field,
            "the archive and what is published must not lie within each other",
            accepted="an address of its own",
        )


def _place(store: Store) -> str:
    """Return where a store is, with a slash at its end; of a folder, where its links lead to."""
    parts = urlsplit(store.uri)
    if parts.scheme == "file":
        return Path(os.path.realpath(unquote(parts.path))).as_uri().rstrip("/") + "/"
    return store.uri.rstrip("/") + "/"


def publish_site(
    archive: Store,
    site: Store,
    holdings: Iterable[Holding],
    selection: Selection,
    *,
    options: FolderOptions,
    delete: bool = False,
    field: str = "publish",
    tell: Callable[[PublishResult], object] = lambda _: None,
) -> PublishResult:
    """Bring a site up to date.

    A course that cannot be read costs itself only: its older pages stay, and the result names it.

    Args:
        archive: the archive.
        site: the place of the site.
        holdings: the copies of each course of the archive.
        selection: which of them are published.
        options: how courses are written; the crumbs and the names are ours.
        delete: whether courses that are not selected any more are deleted from the site.
        field: to blame in an error.
        tell: called after each course.

    Raises:
        InputError: the address of the site is that of something else (permanent).
        ArchiveError: a store failed (retryable), or denied (permanent).
    """
    check_apart(archive, site, field=field)
    state = load_site(site, field=field)
    run = _Run(archive, site, state, options)
    selected = set()
    waiting: list[Copy] = []
    for holding in holdings:
        copy = selection.newest_of(holding)
        if copy is None:
            continue
        selected.add(copy.name)
        if run.is_there(copy):
            run.result.unchanged += 1
        else:
            waiting.append(copy)
    state.is_finished = state.is_finished and not waiting
    state.save(site)  # before anything else is written: whoever comes then knows whose it is
    for _ in run.write_all(waiting):
        tell(run.result)
    gone = sorted(set(state.courses) - selected)
    if delete:
        run.forget(gone)
    else:
        run.result.kept = len(gone)
    run.finish()
    return run.result


class _StoreFolder:
    """A folder of a store."""

    def __init__(self, store: Store, folder: str) -> None:
        self._store = store
        self._folder = folder

    def write(self, path: str, blocks: Iterable[bytes]) -> int:
        size = 0

        def counted() -> Iterator[bytes]:
            nonlocal size
            for block in blocks:
                size += len(block)
                yield block

        self._store.put(self._folder + path, counted())
        return size


class _Run:
    def __init__(self, archive: Store, site: Store, state: PublishedSite, options: FolderOptions) -> None:
        self.result = PublishResult()
        self._archive = archive
        self._site = site
        self._state = state
        self._options = options
        self._dirty: set[int] = set()
        self._touched: set[str] = set()  # contexts with older pages that are to be deleted
        self._noted_at = time.monotonic()
        self._follows_killed_run = not state.is_finished
        if self._follows_killed_run:  # what that run had written is not in the search
            self._dirty.update(range(BUCKETS))

    def is_there(self, copy: Copy) -> bool:
        known = self._state.courses.get(copy.name)
        return known is not None and known.fingerprint == self._fingerprint(copy)

    def write_all(self, copies: list[Copy]) -> Iterator[None]:
        """Write courses, a few at a time; yield after each."""
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="publish") as pool:
            waiting = iter(copies)
            running: dict[Future[tuple[PublishedCourse, WrittenCourse]], Copy] = {}
            try:
                while True:
                    for copy in islice(waiting, _AT_ONCE - len(running)):
                        running[pool.submit(self._write, copy)] = copy
                    if not running:
                        return
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        self._note(running.pop(future), future)
                        self._save_if_due()
                        yield
            finally:
                for future in running:
                    future.cancel()

    def _save_if_due(self) -> None:
        """Note in the site what is written so far, so that a run after a killed one need not write it again."""
        if time.monotonic() - self._noted_at >= _NOTED_EVERY:
            self._state.save(self._site)
            self._noted_at = time.monotonic()

    def forget(self, contexts: Iterable[str]) -> None:
        """Take courses out of the site."""
        for context in contexts:
            del self._state.courses[context]
            self._dirty.add(bucket_of(context))
            self._touched.add(context)
            self.result.deleted += 1

    def finish(self) -> None:
        """Write the start page and the search, then delete what nothing leads to any more."""
        courses = list(self._state.courses.values())
        for bucket in range(BUCKETS):
            if bucket in self._dirty:
                write_bucket(
                    self._site, bucket, [each for each in courses if bucket_of(each.context) == bucket]
                )
        self._site.replace("style.css", STYLE.encode())
        self._site.replace("search.js", SCRIPT.encode())
        if self._touched:
            self._state.is_finished = False
            self._state.save(self._site)
        self._site.replace(HOME, start_page(courses, buckets=BUCKETS))
        if self._follows_killed_run:
            self._delete_unlisted()
        for context in self._touched:
            current = self._state.courses.get(context)
            self._delete_below(home_of(context), but=current.folder if current else None)
        self._state.is_finished = True
        self._state.save(self._site)

    def _write(self, copy: Copy) -> tuple[PublishedCourse, WrittenCourse]:
        folder = f"{home_of(copy.name)}{copy.created_at:%Y%m%dT%H%M%SZ}-{copy.export.id}-{self._fingerprint(copy)[:8]}/"
        self._delete_below(folder, but=None)  # of a run that was killed
        options = FolderOptions(
            show_key=self._options.show_key,
            with_files=self._options.with_files,
            ascii_names=True,
            crumbs=(Crumb("All courses", "../../../index.html"),),
            zone=self._options.zone,
        )
        content = open_copy(self._archive, copy)
        written = write_course(
            content, read_manifest(self._archive, copy.key), _StoreFolder(self._site, folder), options
        )
        self._site.replace(folder + TITLES, titles_document(written))
        course = PublishedCourse(
            context=copy.name,
            folder=folder,
            fingerprint=self._fingerprint(copy),
            title=written.title,
            code=copy.context.course_code or "",
            term=copy.context.term or "",
            created_at=format_time(copy.created_at),
            manifest=copy.key,
        )
        return course, written

    def _note(self, copy: Copy, future: Future[tuple[PublishedCourse, WrittenCourse]]) -> None:
        try:
            course, written = future.result()
        except (PackageError, ObjectNotFoundError, UnreadableDocumentError) as error:
            self.result.problems.append(f"{copy.name}: {error.message}")
            return
        self._state.courses[course.context] = course
        self._dirty.add(bucket_of(course.context))
        self._touched.add(course.context)
        self.result.written += 1
        self.result.pages += written.pages
        self.result.files += written.files
        self.result.size += written.size
        self.result.problems += [f"{copy.name}: {problem}" for problem in written.problems]

    def _fingerprint(self, copy: Copy) -> str:
        facts = (
            _FORMAT,
            copy.package.content_digest,
            copy.package.content_digest_version,
            self._options.show_key,
            self._options.with_files,
            self._options.zone,
        )
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]

    def _delete_unlisted(self) -> None:
        """Delete the pages of courses that the document does not name: of courses half written, or taken out."""
        listed = {each.folder for each in self._state.courses.values()}
        for key in [info.key for info in self._site.list(COURSES)]:
            if "/".join(key.split("/")[:_FOLDER_DEPTH]) + "/" not in listed:
                self._site.delete(key)

    def _delete_below(self, folder: str, *, but: str | None) -> None:
        for key in [info.key for info in self._site.list(folder)]:
            if but is None or not key.startswith(but):
                self._site.delete(key)
