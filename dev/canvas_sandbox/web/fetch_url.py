"""Files that Canvas downloads itself, from a link that a request gave it."""

from __future__ import annotations

import asyncio

import aiohttp

from canvas_sandbox.changes import apply
from canvas_sandbox.imports.upload_store import StoredUpload
from canvas_sandbox.world import World

_PIECE = 256 * 1024
_LIMIT = aiohttp.ClientTimeout(total=None, sock_connect=10.0, sock_read=30.0)


class Fetcher:
    """Downloads the files that migrations wait for, each once, without credentials."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._running: dict[int, asyncio.Task[None]] = {}

    def start(self) -> None:
        """Start every download that is wanted and not running. Call it from the loop, with the kernel's lock held."""
        for number, url in self._world.migrations.fetching.items():
            if number not in self._running:
                self._running[number] = asyncio.create_task(self._fetch(number, url))

    async def close(self) -> None:
        """Stop. A sandbox with the same state folder downloads unfinished files again."""
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _fetch(self, number: int, url: str) -> None:
        try:
            stored = await self._download(url)
        except (aiohttp.ClientError, OSError, ValueError, TimeoutError):
            self._change("miss_file", number, "The file could not be downloaded from its link")
        else:
            self._change("fetch_file", number, stored.name, stored.size, stored.sha256)
        finally:
            self._running.pop(number, None)

    async def _download(self, url: str) -> StoredUpload:
        async with aiohttp.ClientSession(timeout=_LIMIT) as session, session.get(url) as response:
            response.raise_for_status()
            with self._world.migrations.upload_store.receive() as receiver:
                async for piece in response.content.iter_chunked(_PIECE):
                    receiver.write(piece)
                return receiver.finish()

    def _change(self, what: str, *arguments: object) -> None:
        with self._world.kernel.lock:
            self._world.kernel.run_due_jobs()
            apply(self._world, what, *arguments)
