"""A running sandbox: both listeners in a thread of their own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, final

from aiohttp import web

from canvas_sandbox.campus import Account, Course, DeveloperKey, Group, Term, User
from canvas_sandbox.changes import apply
from canvas_sandbox.clock import iso
from canvas_sandbox.content.edit_kinds import EditKind
from canvas_sandbox.content.model import Content
from canvas_sandbox.content.selection import parse_selection
from canvas_sandbox.event_log import EventLog
from canvas_sandbox.faults import RequestFault
from canvas_sandbox.imports.records import MigrationRecord
from canvas_sandbox.imports.upload_store import UploadStore
from canvas_sandbox.kernel import discard_event
from canvas_sandbox.oauth import Grant
from canvas_sandbox.records import ExportRecord, ExportRequest, RequestRecord
from canvas_sandbox.replay import replay
from canvas_sandbox.switches import Switches
from canvas_sandbox.web.server import Server
from canvas_sandbox.world import World

_START_LIMIT, _STOP_LIMIT = 30.0, 10.0


@final
class Sandbox:
    """A small Canvas on two loopback ports, for the duration of the ``with`` block.

    Canvas answers on ``host``. Files and storage answer under a second name of the same machine, which detects a client
    that forwards its token to another host. Ports are free ones unless given.

    Args:
        courses: Courses to begin with.
        groups: Groups.
        users: Users beside the four that are always there: admin, teacher, student and outsider.
        accounts: Accounts; the first without a parent is the root account. One by default.
        terms: Enrolment terms. One by default.
        developer_keys: Programs that users may authorize. None by default.
        switches: Behaviour of this Canvas.
        time_scale: Factor on the length of every job: 0.1 makes exports ten times faster. The clock itself is not scaled.
        seed: Everything random depends on it.
        host: Name or address of the Canvas host.
        port: Port of the Canvas host.
        storage_port: Port of the storage host.
        storage_host: The second name; by default ``localhost`` beside an address, and the other way round.
        state: State folder. A sandbox that is started later with the same folder, campus and ports continues where this
            one stopped, even after a kill; time goes on meanwhile. Injected faults and the use of rate limits are not
            in the state. Without a folder, nothing is stored.
    """

    def __init__(
        self,
        courses: Iterable[Course] = (),
        *,
        groups: Iterable[Group] = (),
        users: Iterable[User] = (),
        accounts: Iterable[Account] = (),
        terms: Iterable[Term] = (),
        developer_keys: Iterable[DeveloperKey] = (),
        switches: Switches | None = None,
        time_scale: float = 1.0,
        seed: int = 1,
        host: str = "127.0.0.1",
        port: int = 0,
        storage_port: int = 0,
        storage_host: str | None = None,
        state: Path | None = None,
    ) -> None:
        self.world = World(
            courses=courses,
            groups=groups,
            users=users,
            accounts=accounts,
            terms=terms,
            developer_keys=developer_keys,
            switches=switches or Switches(),
            time_scale=time_scale,
            seed=seed,
        )
        self._server = Server(self.world)
        self._host = host
        self._storage_host = storage_host or ("127.0.0.1" if host == "localhost" else "localhost")
        self._ports = (port, storage_port)
        self._state = state
        self._event_log: EventLog | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Bind the ports and start to answer. Returns when both listeners are ready.

        Raises:
            OSError: a port is in use.
            StateError: the state folder belongs to another sandbox, is damaged, or cannot be written.
        """
        sockets = _bind_all(self._host, self._ports)
        canvas_port, storage_port = (bound.getsockname()[1] for bound in sockets)
        self.world.kernel.canvas_url = f"http://{self._host}:{canvas_port}"
        self.world.kernel.files_url = f"http://{self._storage_host}:{canvas_port}"
        self.world.kernel.storage_url = f"http://{self._storage_host}:{storage_port}"
        if self._state is not None:
            self.world.migrations.upload_store = UploadStore(self._state / "files")
            with ExitStack() as undo:
                for bound in sockets:
                    undo.push(bound)
                self._event_log = self._replay(self._state)
                undo.pop_all()
        ready: Future[None] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(sockets, ready)), name="canvas-sandbox", daemon=True
        )
        self._thread.start()
        ready.result(_START_LIMIT)

    def close(self) -> None:
        """Stop both listeners and break open connections."""
        if self._loop is not None and self._stop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(_STOP_LIMIT)
        if self._event_log is not None:
            with self.world.kernel.lock:
                self.world.kernel.log_event = discard_event
                self._event_log.close()
        self.world.migrations.upload_store.close()
        self._event_log = None
        self._loop = self._stop = self._thread = None

    @property
    def url(self) -> str:
        """Base URL of the Canvas host."""
        return self.world.kernel.canvas_url

    @property
    def storage_url(self) -> str:
        """Base URL of the storage host."""
        return self.world.kernel.storage_url

    @property
    def tokens(self) -> dict[str, str]:
        """Return the tokens by role: ``admin``, ``teacher``, ``student``, ``outsider``; ``user:ID`` for other users."""
        return dict(self.world.token_of)

    @property
    def token(self) -> str:
        """Return the token of the root account's admin."""
        return self.world.token_of["admin"]

    @property
    def requests(self) -> list[RequestRecord]:
        """Return the requests so far, oldest first, without those to ``/sandbox/``. A stream is listed when it has ended."""
        return self._server.requests()

    @property
    def exports(self) -> list[ExportRecord]:
        """Every export ever created, oldest first."""
        return self._server.exports()

    @property
    def migrations(self) -> list[MigrationRecord]:
        """Every content migration ever created, oldest first."""
        return self._server.migrations()

    def inject(self, fault: RequestFault) -> None:
        """Make requests fail. If several faults match a request, the first one injected applies."""
        self._server.inject(fault)

    def advance(self, seconds: float) -> None:
        """Move the clock forward and run what becomes due, in order of time."""
        with self.world.kernel.lock:
            self.world.kernel.advance(seconds)

    def content(self, course_id: int) -> Content:
        """Return what a course holds, such as ids for ``select``."""
        with self.world.kernel.lock:
            return self.world.contents.of(self.world.courses[course_id])

    def edit_course(self, course_id: int) -> None:
        """Change a course's content, so that its next package differs from the last."""
        self._change("edit_course", course_id)

    def add_item(self, course_id: int, kind: str, fields: Mapping[str, Any]) -> int:
        """Add an item to a course and return its id; see `edits.add`."""
        return int(self._change("add_item", course_id, kind, fields))

    def edit_item(self, course_id: int, item_id: int, fields: Mapping[str, Any]) -> None:
        """Change one item of a course; see `edits.change`.

        Raises:
            ValueError: there is no such item, or it was imported.
        """
        self._change("edit_item", course_id, item_id, fields)

    def remove_item(self, course_id: int, item_id: int) -> None:
        """Remove one item from a course; see `edits.remove`.

        Raises:
            ValueError: there is no such item, it is not empty, or it was imported.
        """
        self._change("remove_item", course_id, item_id)

    def move_item(self, course_id: int, item_id: int, place: int, parent: int | None = None) -> None:
        """Move a module, a line of a module, an assignment or a discussion; see `edits.move`.

        Raises:
            ValueError: there is no such item, or it was imported.
        """
        self._change("move_item", course_id, item_id, place, parent)

    def set_course(self, course_id: int, settings: Mapping[str, str]) -> None:
        """Change settings of a course; see `edits.set_course`."""
        self._change("set_course", course_id, settings)

    def make_edit(self, course_id: int, kind: EditKind | str, seed: int = 0) -> None:
        """Make an edit of a kind, to an item that follows from the seed; see `canvas_sandbox.content.edit_kinds`.

        Raises:
            ValueError: the course holds nothing of which there could be such an edit. Nothing is changed.
        """
        self._change("make_edit", course_id, EditKind(kind).value, seed)

    def import_enrolments(self) -> None:
        """Import enrolments from the SIS: ``updated_at`` of every active course moves, and no content changes."""
        self._change("import_enrolments")

    def updated_at(self, course_id: int) -> str:
        """Return ``updated_at`` of a course, as the API shows it."""
        with self.world.kernel.lock:
            self.world.kernel.run_due_jobs()
            return iso(self.world.contents.timestamps.course(self.world.courses[course_id]))

    def delete_course(self, course_id: int) -> None:
        """Delete a course. It loses its SIS id."""
        self._change("delete_course", course_id)

    def reset_course(self, course_id: int) -> int:
        """Reset a course's content. Returns the id of the empty course that gets its SIS id."""
        return int(self._change("reset_course", course_id))

    def delete_export(self, export_id: int) -> None:
        """Delete a finished export, as in Canvas's pages: it is still shown, without its package.

        Raises:
            ValueError: the export is still running.
        """
        self._change("delete_export", export_id)

    def share_content(self, course_id: int, token: str | None = None) -> int:
        """Share a page of a course, as the user of a token (the admin by default): an export without progress."""
        user = self.world.tokens[token or self.token].user
        return int(self._change("share_content", course_id, user.id))

    def copy_course(self, course_id: int) -> int:
        """Create the internal export of a course copy, which the API hides. Returns its id."""
        with self.world.kernel.lock:
            admin = self.world.tokens[self.token].user
            request = ExportRequest(
                self.world.courses[course_id], "course_copy", admin, parse_selection(None, "course_copy")
            )
            return self.world.exports.create(request).id

    def revoke(self, token: str, *, problem: str = "revoked") -> None:
        """Make all tokens of a token's user ``revoked`` or ``expired``."""
        self._change("set_token", self.world.tokens[token].user.id, problem)

    def issue_token(self, token: str) -> str:
        """Return a new token for a token's user. The old one still works."""
        return str(self._change("issue_token", self.world.tokens[token].user.id))

    def authorize(self, key: DeveloperKey, token: str | None = None) -> str:
        """Authorize a developer key, as the user of a token (the admin by default), and return the code."""
        user = self.world.tokens[token or self.token].user
        return str(self._change("authorize", key.id, user.id))

    def grant(self, key: DeveloperKey, token: str | None = None) -> str:
        """Authorize a developer key and exchange the code. Returns the refresh token, the same one each time."""
        user = self.world.tokens[token or self.token].user
        with self.world.kernel.lock:
            grants = self.world.grants.by_refresh_token.values()
            for grant in grants:
                if grant.key == key and grant.user is user:
                    return grant.refresh_token
            code = self.authorize(key, token)
            made: Grant = self._change("exchange_code", code)
            return made.refresh_token

    @property
    def refreshes(self) -> int:
        """Return how often refresh tokens have been used."""
        with self.world.kernel.lock:
            return sum(grant.refreshes for grant in self.world.grants.by_refresh_token.values())

    def fill_bucket(self, count: float, token: str | None = None) -> None:
        """Set how much of the rate limit a token (the admin's by default) has used."""
        with self.world.kernel.lock:
            self._server.middleware.fill_bucket(token or self.token, count, self.world.kernel.clock.now())

    def _replay(self, state: Path) -> EventLog:
        event_log = EventLog(state)
        try:
            replay(event_log, self.world, self._server.add_record)
        except BaseException:
            event_log.close()
            raise
        return event_log

    def _change(self, what: str, *arguments: Any) -> Any:
        with self.world.kernel.lock:
            self.world.kernel.run_due_jobs()
            return apply(self.world, what, *arguments)

    async def _serve(self, sockets: list[socket.socket], ready: Future[None]) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        runners = []
        try:
            for handler, bound in zip((self._server.canvas, self._server.storage), sockets, strict=True):
                runner = web.ServerRunner(web.Server(handler, access_log=None), shutdown_timeout=0.1)
                await runner.setup()
                await web.SockSite(runner, bound, backlog=1024).start()
                runners.append(runner)
        except Exception as error:  # noqa: BLE001  handed to the thread that waits
            ready.set_exception(error)
            return
        with self.world.kernel.lock:
            self._server.fetcher.start()
        ready.set_result(None)
        await self._stop.wait()
        await self._server.fetcher.close()
        for runner in runners:
            await runner.cleanup()


def _bind_all(host: str, ports: Iterable[int]) -> list[socket.socket]:
    """Bind a socket for each port, or raise and bind none."""
    with ExitStack() as undo:
        sockets = []
        for port in ports:
            bound = undo.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((host, port))
            sockets.append(bound)
        undo.pop_all()
        return sockets
