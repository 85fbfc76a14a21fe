"""GCS and Azure over a network that fails: whatever breaks, and whenever, no truncated object is ever visible."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from threading import enumerate as threads
from urllib.parse import unquote, urlsplit

import pytest
from tests.support.packages.build import COURSE, HOST, cartridge, draft
from tests.support.store_servers import azure
from tests.support.store_servers.gcs import GcsServer
from tests.support.store_servers.places import BUCKET, azure_options, azure_place, gcs_options, gcs_place
from tests.support.store_servers.s3 import HANG_UP, LOSE_ANSWER, FaultProxy
from tests.support.store_servers.stores import MiB, Place

from canvas_exports.core.archive.probe import check_writable, is_probe
from canvas_exports.core.archive.publishing.package_source import PackageSource
from canvas_exports.core.archive.publishing.publish import publish
from canvas_exports.core.packages.proof import Expectation
from canvas_exports.core.storage.buffers import BlockWriter, BufferPool
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.options import Protection, StoreOptions
from canvas_exports.core.storage.store import Block, Store
from canvas_exports.errors import ArchiveDeniedError, ArchiveError, ArchiveUnavailableError

KEY = "courses/101/x-501.imscc"
Faulty = tuple[Place, FaultProxy]
Rule = Callable[[str, str], bool]


def stream(size: int = 20 * MiB) -> Iterator[Block]:
    for _ in range(size // MiB):
        yield bytes(MiB)


def sends_a_part(verb: str, target: str) -> bool:
    return verb == "PUT" and ("partNumber=2" in target or "comp=block&" in target)


def commits(verb: str, target: str) -> bool:
    return (verb == "POST" and "uploadId=" in target) or "comp=blocklist" in target


def sends_at_once(verb: str, target: str) -> bool:
    return verb == "PUT" and not re.search("partNumber|comp=", target)


@pytest.fixture(params=["gs", "az"])
def faulty(request: pytest.FixtureRequest) -> Iterator[Faulty]:
    """A store behind a proxy that can fail; ``Place`` looks past the proxy."""
    if request.param == "gs":
        gcs: GcsServer = request.getfixturevalue("gcs")
        proxy = FaultProxy(gcs.endpoint)
        place: Place = gcs_place(gcs, endpoint=proxy.endpoint, retries=0)
    else:
        endpoint: str = request.getfixturevalue("azurite_endpoint")
        proxy = FaultProxy(endpoint)
        account = f"{proxy.endpoint}/{azure.ACCOUNT}"
        place = azure_place(endpoint, through=account, retries=0)
    try:
        with place.store:
            yield place, proxy
    finally:
        proxy.close()


@pytest.mark.parametrize("fault", [HANG_UP, 500, 503])
@pytest.mark.parametrize("step", [sends_a_part, commits])
def test_a_failed_request_leaves_nothing_visible(faulty: Faulty, step: Rule, fault: int) -> None:
    place, proxy = faulty
    proxy.rule = lambda verb, target: fault if step(verb, target) else None
    with pytest.raises(ArchiveUnavailableError):
        place.store.put(KEY, stream())
    assert place.objects() == set()
    assert not place.store.capabilities.sweeps or place.leftovers() == []


@pytest.mark.parametrize("fault", [HANG_UP, 500])
def test_a_small_object_that_could_not_be_sent_is_not_there(faulty: Faulty, fault: int) -> None:
    place, proxy = faulty
    proxy.rule = lambda verb, target: fault if sends_at_once(verb, target) else None
    with pytest.raises(ArchiveUnavailableError):
        place.store.put(KEY, [b"PK"])
    with pytest.raises(ArchiveUnavailableError):
        place.store.put_if_absent(KEY, b"{}")
    assert place.objects() == set()


@pytest.mark.parametrize("size", [10, 20 * MiB], ids=["one request", "several requests"])
def test_a_lost_answer_to_the_commit_costs_no_second_download(faulty: Faulty, size: int) -> None:
    place, proxy = faulty
    package = cartridge({"web_resources/video.mp4": bytes(range(256)) * (size // 256)})
    downloads = []

    def blocks(_space: BlockWriter) -> Iterator[Block]:
        downloads.append(1)
        yield from (package[start : start + MiB] for start in range(0, len(package), MiB))

    def store(*, is_retry: bool) -> None:
        expect = Expectation("common_cartridge", len(package), COURSE, HOST)
        source = PackageSource(blocks, expect, BufferPool(), is_retry=is_retry)
        publish(place.store, draft=draft(), source=source)

    proxy.rule = lambda verb, target: (
        LOSE_ANSWER
        if (commits(verb, target) or sends_at_once(verb, target)) and "imscc" in unquote(target)
        else None
    )
    with pytest.raises(ArchiveUnavailableError):
        store(is_retry=False)
    assert place.objects() == {draft().key}
    proxy.rule = lambda _verb, _target: None
    store(is_retry=True)
    assert len(downloads) == 1


def test_reading_fails_loudly(faulty: Faulty) -> None:
    place, proxy = faulty
    place.store.put(KEY, stream())
    proxy.rule = lambda verb, _target: 503 if verb in ("GET", "HEAD") else None
    for read in (
        lambda: place.store.read(KEY),
        lambda: place.store.read(KEY, 1, 2),
        lambda: list(place.store.blocks(KEY)),
        lambda: list(place.store.list()),
        lambda: place.store.stat(KEY),
        lambda: place.store.lock_of(KEY),
        lambda: place.store.delete(KEY),
    ):
        with pytest.raises(ArchiveUnavailableError):
            read()
    assert place.objects() == {KEY}


@pytest.mark.parametrize(
    ("status", "error"), [(400, ArchiveError), (403, ArchiveDeniedError), (500, ArchiveUnavailableError)]
)
def test_no_error_repeats_the_query_of_a_request(faulty: Faulty, status: int, error: type[Exception]) -> None:
    place, proxy = faulty
    proxy.rule = lambda verb, target: status if sends_a_part(verb, target) else None
    with pytest.raises(error) as raised:
        place.store.put(KEY, stream())
    assert not re.search(r"uploadId|partNumber|blockid|\?", str(raised.value))
    assert str(status) in str(raised.value)


def test_a_lock_that_fails_says_so_and_what_cannot_be_asked_about_is_not_deleted(gcs: GcsServer) -> None:
    proxy = FaultProxy(gcs.endpoint)
    try:
        asked = Protection(legal_hold=True)
        place = gcs_place(gcs, endpoint=proxy.endpoint, retries=0, protection=asked)
        with place.store as store:
            store.put(KEY, [b"PK"])
            proxy.rule = lambda _verb, target: 503 if "/storage/v1/" in target else None
            for use in (store.lock, store.lock_of, store.delete):
                with pytest.raises(ArchiveUnavailableError):
                    use(KEY)
            assert place.objects() == {KEY}
            proxy.rule = lambda _verb, target: 403 if "/storage/v1/" in target else None
            with pytest.raises(ArchiveDeniedError, match="cannot lock objects"):
                store.lock(KEY)
            store.delete(KEY)
            assert place.objects() == set()
    finally:
        proxy.close()


def test_batches_that_start_together_on_a_cloud_that_takes_one_change_of_an_object_a_second_share_none() -> (
    None
):
    server = GcsServer(BUCKET, one_change_a_second=True)
    together = Barrier(8)
    try:

        def start(_: int) -> None:
            with open_store(f"gs://{BUCKET}/canvas", gcs_options(server, retries=0)) as store:
                together.wait(60)
                check_writable(store)

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(start, range(8)))
        left = {name.removeprefix("canvas/") for name in server.blobs}
        assert all(map(is_probe, left))  # to delete is to change: what was refused is swept later
    finally:
        server.close()


def uses(store: Store, *more: Callable[[], object]) -> tuple[Callable[[], object], ...]:
    return (
        lambda: check_writable(store),
        lambda: store.put(KEY, stream()),
        lambda: list(store.list()),
        *more,
    )


class TestDenied:
    @pytest.fixture(params=["gs", "az"])
    def known(self, request: pytest.FixtureRequest) -> tuple[str, StoreOptions]:
        if request.param == "gs":
            return "gs", gcs_options(request.getfixturevalue("gcs"))
        return "az", azure_options(request.getfixturevalue("azurite_endpoint"))

    def test_a_missing_bucket_is_said_to_be_missing(self, known: tuple[str, StoreOptions]) -> None:
        scheme, options = known
        with open_store(f"{scheme}://no-such-bucket/canvas", options) as store:
            for use in uses(store):
                with pytest.raises(ArchiveDeniedError, match=f"no bucket {scheme}://no-such-bucket/canvas"):
                    use()

    def test_wrong_credentials_are_denied_everywhere_and_not_shown(
        self, known: tuple[str, StoreOptions]
    ) -> None:
        scheme, options = known
        wrong = {
            "gs": replace(options, service_account=None, settings={"bearer_token": "hush-hush"}),
            "az": replace(options, account_key="aHVzaC1odXNo"),
        }[scheme]
        with open_store(f"{scheme}://{BUCKET}/canvas", wrong) as store:
            for use in uses(store, lambda: store.read(KEY), lambda: store.stat(KEY)):
                with pytest.raises(ArchiveDeniedError) as raised:
                    use()
                assert "hush-hush" not in str(raised.value)
                assert "aHVzaC1odXNo" not in str(raised.value)

    def test_a_server_that_is_not_there_is_unavailable(self, known: tuple[str, StoreOptions]) -> None:
        scheme, options = known
        absent = replace(options, endpoint="http://127.0.0.1:1/account", retries=0)
        with open_store(f"{scheme}://{BUCKET}/canvas", absent) as store:
            for use in uses(store, lambda: store.lock_of(KEY), lambda: store.delete(KEY)):
                with pytest.raises(ArchiveUnavailableError):
                    use()


@pytest.mark.parametrize("size", [0, 1, 8 * MiB - 1, 8 * MiB, 8 * MiB + 1, 16 * MiB])
def test_google_s_limits_on_parts_are_kept_at_every_size(gcs: GcsServer, size: int) -> None:
    with gcs_place(gcs).store as store:
        store.put(KEY, (bytes(min(MiB, size - start)) for start in range(0, size, MiB)))
        found = store.stat(KEY)
        assert found is not None
        assert found.size == size
        assert store.sweep(timedelta(0)) == []


def test_google_s_library_sends_no_request_of_its_own(gcs: GcsServer) -> None:
    """It would read the bucket itself, in a thread that outlives the store: `storage.buckets.get` is not needed."""
    before = set(threads())
    with gcs_place(gcs).store as store:
        store.put(KEY, [b"PK"])
        assert [info.key for info in store.list()] == [KEY]
        store.delete(KEY)
        begun = [thread.name for thread in set(threads()) - before]
        assert not [name for name in begun if "_fetch_background" in name]
    assert f"/storage/v1/b/{gcs.bucket}" not in {urlsplit(path).path for _verb, path, _headers in gcs.seen}
