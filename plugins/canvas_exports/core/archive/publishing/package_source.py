"""The source of one package: it can be streamed again, and its end can be read without the rest."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from typing import Protocol

from canvas_exports.core.archive.publishing.package_stream import Download, PackageStream, Stage
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.packages.proof import Expectation, Proof
from canvas_exports.core.packages.prove_directory import prove_directory
from canvas_exports.core.packages.random_access import BytesNotKeptError, RandomAccess
from canvas_exports.core.storage.buffers import BufferPool, MiB, is_small
from canvas_exports.core.storage.store import Block
from canvas_exports.errors import CanvasExportsError

log = logging.getLogger(__name__)

OpenPackage = Callable[[], RandomAccess | None]
"""Open random access to the package where it is; ``None`` where its storage cannot do that."""

# From this size on, reading the end first costs less than downloading an unchanged package.
_PEEK_FROM = 16 * MiB


class ProvenStream(Protocol):
    """The blocks of a package that ends well only if the package is proven. See ``PackageStream``."""

    @property
    def size(self) -> int:
        """Return the number of bytes, once the stream has ended."""

    @property
    def digests(self) -> Mapping[str, str]:
        """Return the digests of the bytes by algorithm, once the stream has ended: at least those that were asked for."""

    @property
    def proof(self) -> Proof:
        """Return the proof, once the stream has ended."""

    def __iter__(self) -> Iterator[Block]: ...


class PackageSource:
    """Open streams of one package, and its end for a comparison.

    Args:
        download: starts a download. Called once as a rule, and again (twice at most) for the rare package whose proof needs
            bytes that were not kept.
        expect: the expected package.
        pool: the buffers that all packages of a task share.
        stage: surrounds the proof, and the writing of the manifest.
        level: of the proof; ``full`` reads the stored package once more.
        open_package: opens random access, for ``peek``.
        peek_from: bytes of the smallest package that ``peek`` reads.
        is_retry: an earlier transfer of it has failed, and may have stored it all the same.

    Attributes:
        looks_first: whether to look up, before it is downloaded, if it is stored already. Not for the first transfer of a small
            package (``buffers.SMALL``): the look-ups would cost more than a download that turns out to be needless.
    """

    def __init__(
        self,
        download: Download,
        expect: Expectation,
        pool: BufferPool,
        *,
        stage: Stage = nullcontext,
        level: ProofLevel = ProofLevel.DIRECTORY,
        open_package: OpenPackage | None = None,
        peek_from: int = _PEEK_FROM,
        is_retry: bool = False,
    ) -> None:
        self.download = download
        self.expect = expect
        self.pool = pool
        self.stage = stage
        self.level = level
        self.looks_first = is_retry or not is_small(expect.size)
        self._open_package = open_package if (expect.size or 0) >= peek_from else None
        self._peeking = threading.Lock()
        self._peeked: Proof | None = None

    def peek(self) -> Proof | None:
        """Prove the package from its directory alone, without downloading the rest. Reads once, however often it is called.

        ``None`` if the package is smaller than ``peek_from``, its storage cannot do it, or anything is wrong with it: then
        it has to be downloaded.
        """
        with self._peeking:
            if self._open_package is not None:
                open_package, self._open_package = self._open_package, None
                try:
                    package = open_package()
                    self._peeked = None if package is None else prove_directory(package, self.expect)
                except (CanvasExportsError, BytesNotKeptError) as error:
                    log.info("the end of the package could not be read beforehand: %s", error)
            return self._peeked

    def open_stream(
        self, windows: Sequence[range] = (), *, algorithms: Sequence[str]
    ) -> AbstractContextManager[ProvenStream]:
        """Open a stream of the package, whose download ends with the context.

        Args:
            windows: byte ranges to keep for the proof; those that a ``BytesNotKeptError`` of an earlier stream names.
            algorithms: of the digests to make of the package.
        """
        return closing(
            PackageStream(
                self.download,
                self.expect,
                self.pool,
                windows=windows,
                algorithms=algorithms,
                stage=self.stage,
            )
        )
