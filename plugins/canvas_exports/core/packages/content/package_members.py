"""Read the members of an open package: one, or many with few requests and in bounded memory."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from canvas_exports.core.packages.random_access import BytesNotKeptError, RandomAccess
from canvas_exports.core.packages.zip.directory import Member, check_size, inflate
from canvas_exports.core.packages.zip.mac_sidecars import is_sidecar
from canvas_exports.core.storage.buffers import MiB
from canvas_exports.errors import CorruptPackageError

#: Unpacked bytes of the longest document that is read.
MAX_DOCUMENT = 32 * MiB

#: Bytes of a package that are read at once, and kept while the documents in them are read.
MAX_WINDOW = 8 * MiB

_MAX_TOGETHER = 2 * MAX_WINDOW

# Bytes between two members that are read with them: a second request would take longer.
_MAX_GAP = MiB


@dataclass
class Window:
    """Consecutive bytes of a package, with random access to them."""

    start: int
    data: bytes
    size: int = 0

    @property
    def stop(self) -> int:
        """Return where it ends in the package."""
        return self.start + len(self.data)

    def read(self, window: range) -> bytes:
        """Return the bytes of a window. Raises ``BytesNotKeptError`` if they are not all here."""
        first, last = window.start - self.start, window.stop - self.start
        if first < 0 or last > len(self.data):
            raise BytesNotKeptError(window)
        return self.data[first:last]


class PackageMembers:
    """The files in a package by name, without folders and the metadata files of macOS.

    Args:
        package: the package.
        members: from ``read_directory``. Of two with one name, the last counts, as in the proof.
    """

    def __init__(self, package: RandomAccess, members: Iterable[Member]) -> None:
        self.package = package
        self.by_name = {
            member.name: member for member in members if not member.is_folder and not is_sidecar(member.name)
        }
        self._newest: Window | None = None

    def content(
        self, name: str, *, source: RandomAccess | None = None, limit: int = MAX_DOCUMENT
    ) -> MemberPieces:
        """Return the unpacked content of a member, to be read once or twice.

        Args:
            name: of the member.
            source: bytes that were read before, see ``read_group``; by default they are read as a group of one.
            limit: in bytes; a longer member is refused.

        Raises:
            CorruptPackageError: there is no such member, or it is too long.
        """
        member = self.by_name.get(name)
        if member is None:
            raise CorruptPackageError("the package does not hold it")
        check_size(member, limit)
        return MemberPieces(member, source or self.read_group([name]), limit)

    def groups(self, names: Iterable[str]) -> list[list[str]]:
        """Return the members of those names in the order of the package, grouped by what one request reads."""
        wanted = sorted(
            {name: self.by_name[name] for name in names if name in self.by_name}.values(),
            key=lambda member: member.extent.start,
        )
        groups: list[list[str]] = []
        start = stop = 0
        for member in wanted:
            extent = member.extent
            if not groups or extent.start - stop > _MAX_GAP or extent.stop - start > MAX_WINDOW:
                groups.append([])
                start = extent.start
            groups[-1].append(member.name)
            stop = extent.stop
        return groups

    def read_group(self, names: Sequence[str]) -> RandomAccess:
        """Read a group with one request. The newest is kept, up to 8 MiB; a longer member is not read before."""
        extent = range(self.by_name[names[0]].extent.start, self.by_name[names[-1]].extent.stop)
        newest = self._newest
        if newest is not None and newest.start <= extent.start and extent.stop <= newest.stop:
            return newest
        if len(extent) > MAX_WINDOW:
            return self.package
        self._newest = Window(extent.start, self.package.read(extent), self.package.size)
        return self._newest

    def read_if_together(self, names: Iterable[str]) -> None:
        """Read members with one request and keep them, if one is enough: later reads of them need none."""
        groups = self.groups(names)
        if len(groups) == 1:
            self.read_group(groups[0])

    def read_together(self, names: Iterable[str]) -> RandomAccess:
        """Read members with few requests, at most 16 MiB; the rest is read when it is needed."""
        groups = self.groups(names)
        if len(groups) == 1:
            return self.read_group(groups[0])
        windows: list[Window] = []
        for group in groups:
            found = self.read_group(group)
            if isinstance(found, Window):
                windows.append(found)
            if sum(len(window.data) for window in windows) > _MAX_TOGETHER - MAX_WINDOW:
                break
        return _Windows(windows, self.package)


class _Windows:
    """Random access to a package of which some windows were read."""

    def __init__(self, windows: Sequence[Window], package: RandomAccess) -> None:
        self.size = package.size
        self._windows = windows
        self._starts = [window.start for window in windows]
        self._package = package

    def read(self, window: range) -> bytes:
        """Return the bytes of a window."""
        at = bisect_right(self._starts, window.start) - 1
        if at >= 0 and window.stop <= self._windows[at].stop:
            return self._windows[at].read(window)
        return self._package.read(window)


@dataclass(frozen=True)
class MemberPieces:
    """The content of one member; each iteration unpacks it again. A part that was not read before raises no error of its own."""

    member: Member
    source: RandomAccess
    limit: int

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from inflate(self.member, self.source, limit=self.limit)
        except BytesNotKeptError:
            raise CorruptPackageError(f"{self.member.label} was not kept") from None

    def head(self, size: int) -> bytes:
        """Return the first bytes, or all of a shorter member.

        Raises:
            CorruptPackageError: it cannot be unpacked.
        """
        head = b""
        for piece in self:
            head += piece
            if len(head) >= size:
                break
        return head[:size]

    def whole(self) -> bytes:
        """Return all bytes. Raises ``CorruptPackageError`` if it cannot be unpacked."""
        return b"".join(self)
