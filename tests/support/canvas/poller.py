"""A process of its own that asks Canvas as fast as it may: ``python -m tests.support.canvas.poller URL TOKEN``.

It says ``ready``, begins when it is told to, ends when its standard input does, and says how many answers it got.
"""

from __future__ import annotations

import asyncio
import sys

from canvas_exports.core.canvas.async_client import AsyncCanvasClient

TASKS = 12  # more than may ever be under way


async def poll(url: str, token: str) -> int:
    """Answers until standard input ends."""
    answered = 0
    async with AsyncCanvasClient(url, token) as client:

        async def ask() -> None:
            nonlocal answered
            while True:
                await client.whoami()
                answered += 1

        tasks = [asyncio.create_task(ask()) for _ in range(TASKS)]
        ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
        await asyncio.wait([ended, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done():
                task.result()  # an error here is an error of the test
            task.cancel()
        await ended
    return answered


if __name__ == "__main__":
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    sys.stdout.write(f"{asyncio.run(poll(sys.argv[1], sys.argv[2]))}\n")
