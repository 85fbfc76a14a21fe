"""The routes of a copy's content, for users with a role that the administrator names. Every look is in Airflow's audit log.

The pages are those of ``archive.browsing``: no script, nothing from elsewhere, in a sandbox of the browser.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response, status

from canvas_exports.core.archive.browsing.course_pages import CoursePages, Crumb
from canvas_exports.core.archive.browsing.page_policy import HEADERS, file_headers
from canvas_exports.core.archive.catalog.copies import Copy
from canvas_exports.core.packages.content.model import Item, ItemKind
from canvas_exports.core.storage.store import Store
from canvas_exports.web.archive_page.access.audit import DOWNLOADED, OPENED, write_audit
from canvas_exports.web.archive_page.access.rights import CurrentUser, check_content
from canvas_exports.web.archive_page.byte_ranges import send_bytes, with_file_name
from canvas_exports.web.archive_page.packages import OpenPackage, opened
from canvas_exports.web.archive_page.pages import Addresses, airflow_address, page_root
from canvas_exports.web.archive_page.routes.overview import copy_name, find_archive
from canvas_exports.web.archive_page.settings.archives import OpenArchive, configuration

#: How a copy is read: without, or with, the answer keys of quizzes.
READ, READ_WITH_KEY = "read", "read-with-key"

_BLOCK = 4 << 20  # bytes of a package that are read at once
_KINDS = frozenset(kind.value for kind in ItemKind)


def content_right(user: CurrentUser) -> None:
    """Refuse users without a role that the administrator names."""
    check_content(user, configuration())


router = APIRouter(prefix="/{archive}/courses/{context}/copies/{copy}", dependencies=[Depends(content_right)])
pages_of_copy = APIRouter(prefix="/{view}")


@dataclass(frozen=True)
class ChosenCopy:
    """The copy in an address.

    Attributes:
        archive: that holds it.
        copy: as the archive was read last.
        root: address of the copy.
        context: such as ``course:101``.
        details: for the audit log.
    """

    archive: OpenArchive
    copy: Copy
    root: str
    context: str

    @property
    def details(self) -> dict[str, str]:
        """Return what the audit log names."""
        return {"archive": self.archive.archive.name, "course": self.context, "copy": self.copy.key}


async def chosen_copy(request: Request, archive: str, context: str, copy: str) -> ChosenCopy:
    """Return the copy of an address.

    Raises:
        HTTPException: 404, there is none.
    """
    place = find_archive(archive)
    holding, _ = await place.ask(lambda snapshot: snapshot.holding(context))
    found = [each for each in (holding.copies if holding else ()) if copy_name(each.key) == copy]
    if not found:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "The archive holds no such copy.")
    to = Addresses(page_root(request))
    return ChosenCopy(place, found[0], to(archive, "courses", context, "copies", copy), context)


Chosen = Annotated[ChosenCopy, Depends(chosen_copy)]


@dataclass(frozen=True)
class Reader:
    """Somebody who reads a copy.

    Attributes:
        user: who.
        chosen: the copy.
        is_key_shown: whether the answer keys of quizzes are.
        root: address of the copy, as it is read.
    """

    user: BaseUser
    chosen: ChosenCopy
    is_key_shown: bool
    root: str

    async def note(self, **details: str) -> None:
        """Write to the audit log what is looked at."""
        keys = "with answer keys" if self.is_key_shown else ""
        await write_audit(self.user, OPENED, **self.chosen.details, **details, keys=keys)


async def reader(user: CurrentUser, chosen: Chosen, view: str) -> Reader:
    """Return who reads which copy, and how.

    Raises:
        HTTPException: 404, there is no such way of reading.
    """
    if view not in (READ, READ_WITH_KEY):
        raise HTTPException(status.HTTP_404_NOT_FOUND, "There is no such page.")
    return Reader(user, chosen, view == READ_WITH_KEY, f"{chosen.root}/{view}")


Reading = Annotated[Reader, Depends(reader)]
Identifier = Annotated[str, Query(alias="id", max_length=4_000)]


class _ServedAddresses:
    """Where the pages of a copy are on this server: absolute addresses.

    Args:
        root: of the copy, with how it is read.
    """

    up = ""
    style: str | None = None

    def __init__(self, root: str) -> None:
        self._to = Addresses(root)

    def home(self) -> str:
        return self._to("")

    def listing(self, kind: ItemKind, part: int) -> str:
        return self._to("lists", kind.value, part=part)

    def item(self, item: Item) -> str:
        return self._to("items", item.kind.value, id=item.identifier)

    def body(self, item: Item) -> str:
        return self._to("texts", item.kind.value, id=item.identifier)

    def file(self, item: Item) -> str | None:
        return self._to("files", id=item.identifier) if item.member else None


def _find(package: OpenPackage, kind: str, identifier: str) -> Item:
    item = package.content.find(ItemKind(kind), identifier) if kind in _KINDS else None
    if item is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "The package has no such item.")
    return item


async def _page(
    request: Request, who: Reader, write: Callable[[CoursePages, OpenPackage], bytes]
) -> Response:
    chosen = who.chosen
    course = Addresses(page_root(request))(chosen.archive.archive.name, "courses", chosen.context)
    crumbs = (Crumb("Airflow", airflow_address("plugin", "canvas_archive")), Crumb("Copies", course))

    def work(store: Store) -> bytes:
        package = opened(store, chosen.copy)
        addresses = _ServedAddresses(who.root)
        pages = CoursePages(
            package.content, package.manifest, addresses, show_key=who.is_key_shown, crumbs=crumbs
        )
        return write(pages, package)

    page = await chosen.archive.run(work)
    return Response(page, media_type="text/html; charset=utf-8", headers=dict(HEADERS))


@pages_of_copy.get("/")
async def show_home(request: Request, who: Reading) -> Response:
    """Show what a copy holds."""
    await who.note()
    return await _page(request, who, lambda pages, _: pages.home())


@pages_of_copy.get("/lists/{kind}")
async def show_list(
    request: Request, who: Reading, kind: str, part: Annotated[int, Query(ge=0, le=100_000)] = 0
) -> Response:
    """List the items of a kind."""
    await who.note(list=kind)

    def write(pages: CoursePages, _: OpenPackage) -> bytes:
        if kind not in _KINDS or part >= pages.listing_parts(ItemKind(kind)):
            raise HTTPException(status.HTTP_404_NOT_FOUND, "The package has no such list.")
        return pages.listing(ItemKind(kind), part)

    return await _page(request, who, write)


@pages_of_copy.get("/items/{kind}")
async def show_item(request: Request, who: Reading, kind: str, identifier: Identifier) -> Response:
    """Show an item."""
    await who.note(item=f"{kind}:{identifier}")
    return await _page(request, who, lambda pages, package: pages.item(_find(package, kind, identifier)))


@pages_of_copy.get("/texts/{kind}")
async def show_text(request: Request, who: Reading, kind: str, identifier: Identifier) -> Response:
    """Show the text of an item alone, in its frame."""
    await who.note(item=f"{kind}:{identifier}")
    return await _page(request, who, lambda pages, package: pages.body(_find(package, kind, identifier)))


@pages_of_copy.get("/files")
async def send_file(request: Request, who: Reading, identifier: Identifier) -> Response:
    """Send a file of a package, or the range of it that is asked for; of no type that a browser would run."""
    await who.note(item=f"file:{identifier}")
    archive, copy = who.chosen.archive, who.chosen.copy
    item = await archive.run(lambda store: _find(opened(store, copy), ItemKind.FILE.value, identifier))
    member = item.member
    if member is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "The package lacks this file.")
    headers = file_headers(member)
    headers["Content-Disposition"] = with_file_name(headers["Content-Disposition"], item.title)
    return await send_bytes(
        request,
        item.size,
        lambda window: archive.send(lambda store: opened(store, copy).content.file_blocks(member, window)),
        headers,
    )


@router.get("/package")
async def send_package(request: Request, user: CurrentUser, chosen: Chosen) -> Response:
    """Send the package, or the range of it that is asked for."""
    await write_audit(user, DOWNLOADED, **chosen.details)
    package = chosen.copy.package
    headers = file_headers("package.imscc")
    headers["Content-Disposition"] = with_file_name("attachment", package.key.rpartition("/")[2])

    def blocks(store: Store, window: range | None) -> Iterator[bytes]:
        wanted = range(package.size) if window is None else window
        for start in range(wanted.start, wanted.stop, _BLOCK):
            yield store.read(package.key, start, min(_BLOCK, wanted.stop - start))

    return await send_bytes(
        request,
        package.size,
        lambda window: chosen.archive.send(lambda store: blocks(store, window)),
        headers,
    )


router.include_router(pages_of_copy)
