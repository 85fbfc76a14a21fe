"""S3 over a network that fails: whatever breaks, and whenever, no truncated object is ever visible."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone

import pytest
from tests.support.packages.build import COURSE, HOST, cartridge, draft
from tests.support.store_servers.places import BUCKET, s3_options, s3_place
from tests.support.store_servers.s3 import ACCESS_KEY, HANG_UP, LOSE_ANSWER, SECRET_KEY, FaultProxy, client
from tests.support.store_servers.stores import MiB, S3Place

from canvas_exports.core.archive.probe import check_writable
from canvas_exports.core.archive.publishing.package_source import PackageSource
from canvas_exports.core.archive.publishing.publish import publish
from canvas_exports.core.packages.proof import Expectation
from canvas_exports.core.storage.buffers import BlockWriter, BufferPool
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.options import AccessKeys, StoreOptions
from canvas_exports.core.storage.store import Block
from canvas_exports.errors import ArchiveDeniedError, ArchiveError, ArchiveUnavailableError

KEY = "courses/101/x-501.imscc"
Faulty = tuple[S3Place, FaultProxy]


def stream(size: int = 20 * MiB) -> Iterator[Block]:
    for _ in range(size // MiB):
        yield bytes(MiB)


def breaking() -> Iterator[Block]:
    yield from stream(18 * MiB)
    raise ConnectionResetError("the source, and the network with it")


def begins(verb: str, target: str) -> bool:
    return verb == "POST" and "uploads" in target


def sends_second_part(verb: str, target: str) -> bool:
    return verb == "PUT" and "partNumber=2" in target


def completes(verb: str, target: str) -> bool:
    return verb == "POST" and "uploadId" in target


def aborts(verb: str, target: str) -> bool:
    return verb == "DELETE" and "uploadId" in target


def sends_at_once(verb: str, target: str) -> bool:
    return verb == "PUT" and "partNumber" not in target


@pytest.mark.parametrize("fault", [HANG_UP, 500, 503])
@pytest.mark.parametrize("step", [begins, sends_second_part, completes])
def test_a_failed_request_leaves_nothing(
    faulty_s3: Faulty, step: Callable[[str, str], bool], fault: int
) -> None:
    place, proxy = faulty_s3
    proxy.rule = lambda verb, target: fault if step(verb, target) else None
    with pytest.raises(ArchiveUnavailableError):
        place.store.put(KEY, stream())
    assert place.objects() == set()
    assert place.leftovers() == []


@pytest.mark.parametrize("fault", [HANG_UP, 500])
def test_a_small_object_that_could_not_be_sent_is_not_there(faulty_s3: Faulty, fault: int) -> None:
    place, proxy = faulty_s3
    proxy.rule = lambda verb, target: fault if sends_at_once(verb, target) else None
    with pytest.raises(ArchiveUnavailableError):
        place.store.put(KEY, [b"PK"])
    with pytest.raises(ArchiveUnavailableError):
        place.store.put_if_absent(KEY, b"{}")
    assert place.objects() == set()


@pytest.mark.parametrize("fault", [HANG_UP, 500])
def test_when_the_abort_fails_too_nothing_is_visible_and_sweep_removes_the_rest(
    faulty_s3: Faulty, fault: int
) -> None:
    place, proxy = faulty_s3
    proxy.rule = lambda verb, target: fault if aborts(verb, target) else None
    with pytest.raises(ConnectionResetError):
        place.store.put(KEY, breaking())
    assert place.objects() == set()
    assert len(place.leftovers()) == 1
    proxy.rule = lambda _verb, _target: None
    assert place.store.sweep(timedelta(0)) == [KEY]
    assert place.leftovers() == []
    assert place.objects() == set()


def test_an_upload_that_died_before_its_end_stays_invisible_when_everything_fails(faulty_s3: Faulty) -> None:
    place, proxy = faulty_s3
    proxy.rule = lambda verb, target: HANG_UP if completes(verb, target) or aborts(verb, target) else None
    with pytest.raises(ArchiveUnavailableError):
        place.store.put(KEY, stream())
    assert place.objects() == set()


def test_a_lost_answer_to_the_commit_costs_no_second_download(faulty_s3: Faulty) -> None:
    place, proxy = faulty_s3
    package = cartridge({"web_resources/video.mp4": bytes(range(256)) * 80_000})
    downloads = []

    def blocks(_space: BlockWriter) -> Iterator[Block]:
        downloads.append(1)
        yield package

    def store(*, is_retry: bool) -> None:
        publish(
            place.store,
            draft=draft(),
            source=PackageSource(
                blocks,
                Expectation("common_cartridge", len(package), COURSE, HOST),
                BufferPool(),
                is_retry=is_retry,
            ),
        )

    proxy.rule = lambda verb, target: (
        LOSE_ANSWER if sends_at_once(verb, target) and "imscc" in target else None
    )
    with pytest.raises(ArchiveUnavailableError):
        store(is_retry=False)
    assert place.objects() == {draft().key}
    proxy.rule = lambda _verb, _target: None
    store(is_retry=True)
    assert len(downloads) == 1


@pytest.mark.parametrize("fault", [HANG_UP, 500])
def test_a_lost_answer_to_the_completion_of_an_upload_may_pass_and_costs_no_second_download(
    faulty_s3: Faulty, rclone_endpoint: str, fault: int
) -> None:
    """The client's own repetition finds no such upload: not a missing bucket, but one that is complete."""
    _, proxy = faulty_s3
    place = s3_place(rclone_endpoint, through=proxy.endpoint, retries=2)
    package = cartridge({"web_resources/video.mp4": os.urandom(20 * MiB)})
    downloads = []

    def blocks(_space: BlockWriter) -> Iterator[Block]:
        downloads.append(1)
        yield from (package[start : start + MiB] for start in range(0, len(package), MiB))

    def store() -> None:
        publish(
            place.store,
            draft=draft(),
            source=PackageSource(
                blocks, Expectation("common_cartridge", len(package), COURSE, HOST), BufferPool()
            ),
        )

    lost = iter([fault])
    proxy.answered = lambda verb, target: next(lost, None) if completes(verb, target) else None
    with place.store:
        with pytest.raises(ArchiveUnavailableError):
            store()
        assert place.objects() == {draft().key}
        store()
    assert len(downloads) == 1
    assert place.leftovers() == []


def test_a_passing_failure_is_ridden_out(faulty_s3: Faulty, rclone_endpoint: str) -> None:
    _, proxy = faulty_s3
    failures = iter([503, HANG_UP, 500])
    place = s3_place(rclone_endpoint, through=proxy.endpoint, retries=3)
    proxy.rule = lambda verb, target: next(failures, None) if sends_second_part(verb, target) else None
    with place.store:
        place.store.put(KEY, stream())
        info = place.store.stat(KEY)
    assert info is not None
    assert info.size == 20 * MiB


def test_reading_fails_loudly(faulty_s3: Faulty) -> None:
    place, proxy = faulty_s3
    place.store.put(KEY, stream())
    proxy.rule = lambda verb, _target: 503 if verb == "GET" else None
    for read in (
        lambda: place.store.read(KEY),
        lambda: place.store.read(KEY, 1, 2),
        lambda: list(place.store.blocks(KEY)),
        lambda: list(place.store.list()),
        lambda: place.store.sweep(timedelta(0)),
    ):
        with pytest.raises(ArchiveUnavailableError):
            read()


def test_one_block_is_one_request_and_more_are_parts_of_a_block(faulty_s3: Faulty) -> None:
    place, proxy = faulty_s3
    place.store.put("small.zip", [b"x" * MiB])
    assert [verb for verb, _ in proxy.seen] == ["HEAD", "PUT"]
    proxy.seen.clear()
    place.store.put("large.zip", stream())
    parts = [target for verb, target in proxy.seen if verb == "PUT"]
    assert len(parts) == 3


@pytest.mark.parametrize("operation", ["put", "put_if_absent", "replace", "read", "stat", "list", "sweep"])
def test_a_wrong_key_is_denied_everywhere_and_not_repeated(rclone_endpoint: str, operation: str) -> None:
    wrong = StoreOptions(
        endpoint=rclone_endpoint,
        region="us-east-1",
        access_key=ACCESS_KEY,
        secret_key="wrong-secret-key",
        retries=0,
    )
    with open_store(f"s3://{BUCKET}/canvas", wrong) as store:
        operations: dict[str, Callable[[], object]] = {
            "put": lambda: store.put(KEY, stream()),
            "put_if_absent": lambda: store.put_if_absent(KEY, b"{}"),
            "replace": lambda: store.replace(KEY, b"{}"),
            "read": lambda: store.read(KEY),
            "stat": lambda: store.stat(KEY),
            "list": lambda: list(store.list()),
            "sweep": lambda: store.sweep(timedelta(0)),
        }
        with pytest.raises(ArchiveDeniedError) as raised:
            operations[operation]()
    assert not raised.value.retryable
    assert "wrong-secret-key" not in str(raised.value)


def test_a_missing_bucket_is_said_to_be_missing(moto_endpoint: str) -> None:
    with open_store("s3://no-such-bucket/canvas", s3_options(moto_endpoint)) as store:
        for use in (
            lambda: check_writable(store),
            lambda: store.put(KEY, stream()),
            lambda: list(store.list()),
        ):
            with pytest.raises(ArchiveDeniedError, match="there is no bucket s3://no-such-bucket/canvas"):
                use()


def test_a_server_that_is_not_there_is_unavailable_and_says_why() -> None:
    with open_store("s3://bucket/canvas", s3_options("http://127.0.0.1:1", retries=0)) as store:
        with pytest.raises(ArchiveUnavailableError, match="Connection refused") as raised:
            check_writable(store)
        with pytest.raises(ArchiveUnavailableError):
            store.sweep(timedelta(0))
    assert raised.value.retryable


@pytest.mark.parametrize(
    ("status", "error"), [(400, ArchiveError), (403, ArchiveDeniedError), (500, ArchiveUnavailableError)]
)
def test_no_error_repeats_the_query_of_a_request(
    faulty_s3: Faulty, status: int, error: type[Exception]
) -> None:
    place, proxy = faulty_s3
    proxy.rule = lambda verb, target: status if sends_second_part(verb, target) else None
    with pytest.raises(error) as raised:
        place.store.put(KEY, stream())
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__
    assert not re.search(r"uploadId|partNumber|\?", str(raised.value))
    assert str(status) in str(raised.value)


def test_keys_are_asked_for_again_before_they_expire(rclone_endpoint: str) -> None:
    asked: list[datetime] = []

    def provider() -> AccessKeys:
        asked.append(datetime.now(timezone.utc))
        return AccessKeys(ACCESS_KEY, SECRET_KEY, expires_at=asked[-1] + timedelta(seconds=1))

    options = StoreOptions(endpoint=rclone_endpoint, region="us-east-1", keys=provider)
    with open_store(f"s3://{BUCKET}/canvas", options) as store:
        for number in range(3):
            store.put(f"long/upload-{number}.zip", stream())
            threading.Event().wait(0.11)  # within a tenth of a second they are not asked for twice
        assert store.sweep(timedelta(days=1)) == []
    assert len(asked) > 2


def test_credentials_and_endpoint_come_from_the_environment(
    rclone_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_ENDPOINT_URL", rclone_endpoint)
    with open_store(f"s3://{BUCKET}/environment") as store:
        check_writable(store)
        assert store.sweep(timedelta(0)) == []


def test_unfinished_uploads_are_found_page_by_page_and_only_below_the_root(moto_endpoint: str) -> None:
    with s3_place(moto_endpoint).store as neighbour:
        neighbour.put("x.zip", [b""])
    place = s3_place(moto_endpoint)
    raw = client(moto_endpoint)
    raw.create_multipart_upload(Bucket=BUCKET, Key=place.prefix.rstrip("/") + "-other/y.zip")
    for number in range(5):
        place.die_while_writing(f"courses/{number}/a b&c.zip")
    with place.store:
        assert sorted(place.store.sweep(timedelta(0))) == [
            f"courses/{number}/a b&c.zip" for number in range(5)
        ]
    assert place.leftovers() == []
    left = [row["Key"] for row in raw.list_multipart_uploads(Bucket=BUCKET)["Uploads"]]
    assert place.prefix.rstrip("/") + "-other/y.zip" in left
