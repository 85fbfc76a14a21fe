"""One stream for several takers: each gets every block, the slowest sets the pace, and one that fails is left behind.

The blocks themselves are shared, not copied: a block is free again when the last taker has let go of it. A taker holds one
block and has at most one waiting, so memory is that of a single taker and does not grow with their number.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from canvas_exports.core.archive.publishing.package_source import Delivery, Put
from canvas_exports.core.archive.publishing.package_stream import Pipeline
from canvas_exports.core.packages.proof import Proof
from canvas_exports.core.storage.store import Block

_END = object()


class PassOver(Exception):  # noqa: N818 - not an error of its taker: what is wrong is known to whoever shares the stream
    """The stream ends here for every taker: it broke, it has to begin again, or nobody needs it any more."""


class Shared(Delivery):
    """A delivery to several takers, each in a thread of its own, of one download.

    A taker that asks waits until every other one has asked too, or has left. Then the package comes, once for all.

    Args:
        delivery: the single one.
        takers: how many there are. Each calls ``leave`` in the end, however it ends.
    """

    def __init__(self, delivery: Delivery, takers: int) -> None:
        super().__init__(
            delivery.source, delivery.expect, delivery.budget, stage=delivery.stage, level=delivery.level
        )
        self._delivery = delivery
        self._present = takers
        self._asking: list[_Taker] = []
        self._changed = threading.Condition()
        self._is_over = False

    def at_a_glance(self) -> Proof | None:
        """As ``Delivery.at_a_glance``: one look for all."""
        return self._delivery.at_a_glance()

    def to(self, put: Put) -> Pipeline:
        """As ``Delivery.to``, for one of several.

        Raises:
            PassOver: the stream broke; ``serve`` raises what broke it.
        """
        while True:
            taker = _Taker(self._changed)
            with self._changed:
                self._asking.append(taker)
                self._changed.notify_all()
                while taker.pipeline is None and not self._is_over:
                    self._changed.wait()
            if taker.pipeline is None:
                raise PassOver
            try:
                put(taker.blocks(), taker.pipeline)
            except PassOver:
                continue  # and if there is no other pass, ``_is_over`` says so
            finally:
                taker.let_go()
            return taker.pipeline

    def leave(self) -> None:
        """A taker will not ask again."""
        with self._changed:
            self._present -= 1
            self._changed.notify_all()

    def serve(self) -> None:
        """Bring the package to all who ask, until all have left.

        Raises:
            Exception: what the source or the proof raised. All takers have ended without anything of the package by then,
                as far as they had asked for it.
        """
        try:
            while self._wait_for_takers():
                with suppress(_NobodyLeft):
                    self._delivery.to(self._spread)
        finally:
            with self._changed:
                self._is_over = True
                self._changed.notify_all()

    def _wait_for_takers(self) -> bool:
        """Until everyone who has not left is asking. Says whether there is anyone."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._asking) >= self._present)
            return bool(self._asking)

    def _spread(self, stream: Iterator[Block], pipeline: Pipeline) -> None:
        """One pass: the ``put`` of all takers at once."""
        self._wait_for_takers()  # of an earlier pass, those who have not failed ask again
        with self._changed:
            takers, self._asking = self._asking, []
            for taker in takers:
                taker.pipeline = pipeline
            self._changed.notify_all()
        _see_to_it_that_somebody_is_left(takers)
        try:
            while (block := next(stream, _END)) is not _END:
                for taker in takers:
                    taker.offer(block)
                del block  # or its memory would not be free while the next one is waited for
                _see_to_it_that_somebody_is_left(takers)
            for taker in takers:
                taker.offer(_END)
        except BaseException:
            for taker in takers:
                taker.abandon()
            raise
        finally:
            for taker in takers:
                taker.wait()


def _see_to_it_that_somebody_is_left(takers: list[_Taker]) -> None:
    if all(taker.is_gone for taker in takers):
        raise _NobodyLeft


class _NobodyLeft(Exception):  # noqa: N818 - as above
    """Every taker has failed, so that there is no use in reading on."""


class _Taker:
    """One taker in one pass. Its blocks are offered by one thread and taken by another."""

    def __init__(self, changed: threading.Condition) -> None:
        self.pipeline: Pipeline | None = None
        self.is_gone = False
        self._offered: Any = None
        self._is_abandoned = False
        self._changed = changed

    def blocks(self) -> Iterator[Block]:
        """What is offered, until it ends or is abandoned."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._offered is not None or self._is_abandoned)
                if self._is_abandoned:
                    raise PassOver
                held, self._offered = [self._offered], None
                self._changed.notify_all()
            if held[0] is _END:
                return
            yield held.pop()  # and nothing here keeps it

    def offer(self, block: object) -> None:
        """Hand over one block, or the end; waits until the one before has been taken. Nothing, once the taker is gone."""
        with self._changed:
            self._changed.wait_for(lambda: self._offered is None or self.is_gone)
            if not self.is_gone:
                self._offered = block
                self._changed.notify_all()

    def abandon(self) -> None:
        """End it by ``PassOver``, unless it has all of it already."""
        with self._changed:
            self._offered, self._is_abandoned = None, True
            self._changed.notify_all()

    def let_go(self) -> None:
        """It has ended, well or not."""
        with self._changed:
            self.is_gone, self._offered = True, None
            self._changed.notify_all()

    def wait(self) -> None:
        """Until it has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self.is_gone)
