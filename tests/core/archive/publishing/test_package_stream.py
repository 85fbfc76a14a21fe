from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.support.packages.build import COURSE, HOST, cartridge, context_xml, zipped

from canvas_exports.core.archive.publishing.package_stream import PackageStream, hash_in_thread
from canvas_exports.core.packages.digests import BLAKE3, LABELS, SHA256, digests_of
from canvas_exports.core.packages.proof import Expectation, Verdict
from canvas_exports.core.storage.buffers import MIN_BLOCK_SIZE, BufferPool
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.store import Block
from canvas_exports.errors import CorruptPackageError, WrongPackageError

LARGE = cartridge({"web_resources/video.mp4": hashlib.shake_128(b"video").digest(12_000_000)})
BLOCK = MIN_BLOCK_SIZE


def pool(blocks: int = 4) -> BufferPool:
    return BufferPool(blocks * BLOCK, BLOCK)


def expect(size: int | None = None) -> Expectation:
    return Expectation("common_cartridge", size, COURSE, HOST)


def download(data: bytes, step: int = 1_000_003) -> Iterator[Block]:
    """Yield blocks as a client does: one buffer, filled again for every block."""
    buffer = bytearray(step)
    for start in range(0, len(data), step):
        part = data[start : start + step]
        buffer[: len(part)] = part
        yield memoryview(buffer)[: len(part)]
        buffer[:] = b"\xee" * step


def collected(stream: PackageStream) -> bytes:
    return b"".join(bytes(block) for block in stream)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("step", [997, 1_000_003, len(LARGE)])
def test_what_comes_out_is_what_went_in_counted_digested_and_proven(known: bool, step: int) -> None:
    stream = PackageStream(
        lambda _: download(LARGE, step), expect(len(LARGE) if known else None), pool(), algorithms=LABELS
    )
    assert collected(stream) == LARGE
    assert stream.size == len(LARGE)
    assert stream.digests == digests_of(LARGE, LABELS)
    assert stream.proof.verdict is Verdict.WHOLE


def test_no_block_is_kept_while_the_next_one_is_filled() -> None:
    """With one block in the pool, a stream that kept it would wait for it for ever."""
    buffers, in_use = pool(), set[int]()

    def observed(data: bytes) -> Iterator[Block]:
        for block in download(data):
            in_use.add(buffers.in_use)
            yield block

    stream = PackageStream(lambda _: observed(LARGE), expect(len(LARGE)), buffers)
    deque(stream, maxlen=0)
    assert max(in_use) == 1


def test_a_store_sees_full_blocks_and_a_shorter_last_one() -> None:
    sizes = [len(block) for block in PackageStream(lambda _: download(LARGE), expect(), pool())]
    assert sizes == [BLOCK, BLOCK, len(LARGE) - 2 * BLOCK]


def test_a_stream_that_fits_its_blocks_exactly_has_no_empty_last_one() -> None:
    padding = 2 * BLOCK - len(zipped({"x": b""}, method=0))
    data = zipped({"x": bytes(padding)}, method=0)
    assert [len(block) for block in PackageStream(lambda _: download(data), Expectation("zip"), pool())] == [
        BLOCK,
        BLOCK,
    ]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (LARGE[:-1], CorruptPackageError),
        (cartridge(context=context_xml(999)), WrongPackageError),
    ],
)
def test_what_is_not_the_package_is_raised_before_the_stream_ends(
    data: bytes, error: type[Exception]
) -> None:
    passed: list[int] = []
    stream = PackageStream(lambda _: download(data), expect(), pool())
    with pytest.raises(error):
        passed.extend(len(block) for block in stream)
    assert sum(passed) == len(data)


@pytest.mark.parametrize(
    ("data", "reason"), [(b"\n<!DOCTYPE html>" + b"x" * 10**7, "web page"), (b"\x7fELF" * 10**6, "not a zip")]
)
def test_what_is_no_zip_is_refused_at_its_first_block(data: bytes, reason: str) -> None:
    source = download(data)
    with pytest.raises(CorruptPackageError, match=reason):
        next(iter(PackageStream(lambda _: source, expect(), pool())))


def test_more_than_was_announced_is_refused_as_soon_as_it_shows() -> None:
    taken: list[int] = []

    def counted() -> Iterator[Block]:
        for block in download(LARGE):
            taken.append(len(block))
            yield block

    with pytest.raises(CorruptPackageError, match="more bytes"):
        deque(PackageStream(lambda _: counted(), expect(2_500_000), pool()), maxlen=0)
    assert sum(taken) == 3 * 1_000_003


def test_one_block_moves_any_number_of_packages() -> None:
    shared = pool(1)

    def move(number: int) -> str:
        stream = PackageStream(
            lambda _: download(LARGE), expect(len(LARGE)), shared, algorithms=[(BLAKE3, SHA256)[number % 2]]
        )
        deque(stream, maxlen=0)
        return "".join(stream.digests.values())

    with ThreadPoolExecutor(6) as threads:
        assert set(threads.map(move, range(6))) == {*digests_of(LARGE, LABELS).values()}


def test_one_block_is_enough_to_store_a_package_in_a_folder(tmp_path: Path) -> None:
    """A store that held on to a block while it asks for the next would wait for itself for ever."""
    stream = PackageStream(lambda _: download(LARGE), expect(len(LARGE)), pool(1), algorithms=LABELS)
    store = open_store(tmp_path.as_uri())
    key = "courses/101/package.imscc"
    storing = threading.Thread(target=store.put, args=(key, stream), daemon=True)
    storing.start()
    storing.join(60)
    assert not storing.is_alive()
    assert digests_of(store.read(key), LABELS) == stream.digests


def test_an_abandoned_stream_gives_its_memory_back_and_ends_its_thread() -> None:
    shared = pool(2)
    for _ in range(5):
        stream = PackageStream(lambda _: download(LARGE), expect(), shared, algorithms=LABELS)
        next(iter(stream))
        stream.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("digest")]
    assert all(shared.acquire() for _ in range(2))


def test_an_error_of_the_source_passes_and_gives_the_memory_back() -> None:
    shared = pool(2)

    def cut() -> Iterator[Block]:
        yield LARGE[:100]
        raise ConnectionResetError

    for _ in range(5):
        with pytest.raises(ConnectionResetError):
            deque(PackageStream(lambda _: cut(), expect(), shared), maxlen=0)
    assert all(shared.acquire() for _ in range(2))


def test_a_slow_digest_holds_the_stream_back_instead_of_piling_blocks_up() -> None:
    digested: list[int] = []

    def slow(block: memoryview) -> None:
        threading.Event().wait(0.002)
        digested.append(len(block))

    def source() -> Iterator[memoryview]:
        for number in range(20):
            assert number - len(digested) <= 2
            yield memoryview(b"x")

    assert len(list(hash_in_thread(source(), slow))) == len(digested) == 20
