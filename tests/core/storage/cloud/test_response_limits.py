"""Responses without end: none of the three clouds fills the memory of a task, or keeps it waiting for ever."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import certifi
import pytest
from tests.support.certificate import write_certificate
from tests.support.store_servers.endless import (
    Answer,
    EndlessServer,
    bomb,
    dripping,
    endless,
    idle_packing,
    whole,
)
from tests.support.store_servers.gcs import service_account
from tests.support.store_servers.places import BUCKET, azure_options, s3_options
from tests.support.store_servers.stores import MiB
from tests.support.store_servers.wild_stores import ROOT

from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.options import ResponseLimits, StoreOptions
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import ArchiveUnavailableError

SMALL = ResponseLimits(size=2 * MiB, seconds=3600)
SHORT = ResponseLimits(seconds=0.1)
Answering = Callable[..., tuple[EndlessServer, Store]]


@pytest.fixture(params=["s3", "gs", "az"])
def answering(request: pytest.FixtureRequest) -> Iterator[Answering]:
    """Open a store of a cloud on a server with one answer."""
    with ExitStack() as opened:

        def start(
            answer: Answer, limits: ResponseLimits, certificate: Path | None = None, **more: Any
        ) -> tuple[EndlessServer, Store]:
            server = EndlessServer(answer, certificate)
            opened.callback(server.close)
            options = replace(
                {
                    "s3": s3_options(server.endpoint),
                    "gs": StoreOptions(endpoint=server.endpoint, service_account=service_account()),
                    "az": azure_options(server.endpoint),
                }[request.param],
                limits=limits,
                **{"retries": 0, **more},
            )
            return server, opened.enter_context(open_store(f"{request.param}://{BUCKET}/{ROOT}", options))

        yield start


LARGE = r"cannot list in \w+://archive/canvas: the store answered with more than 2,097,152 bytes"
SLOW = r"cannot list in \w+://archive/canvas: the store's answer took longer than 0\.1 seconds"


@pytest.mark.parametrize(
    ("answer", "limits", "message"),
    [
        pytest.param(endless, SMALL, LARGE, id="endless"),
        pytest.param(dripping, SHORT, SLOW, id="dripping"),
        pytest.param(lambda: dripping(503), SHORT, SLOW, id="a dripping error"),
        pytest.param(lambda: dripping(packed=True), SHORT, SLOW, id="dripping, and not packed"),
        pytest.param(idle_packing, SMALL, LARGE, id="packed, and empty"),
    ],
)
def test_a_list_without_end_is_an_error_that_a_later_attempt_may_not_meet(
    answering: Answering, answer: Callable[[], Answer], limits: ResponseLimits, message: str
) -> None:
    _, store = answering(answer(), limits)
    with pytest.raises(ArchiveUnavailableError, match=message):
        list(store.list())


def test_an_error_that_unpacks_to_more_than_memory_holds_is_not_unpacked(answering: Answering) -> None:
    _, store = answering(bomb(400), SMALL)
    with pytest.raises(ArchiveUnavailableError):
        list(store.list())  # now everything is imported
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveUnavailableError, match=LARGE):
            list(store.list())
        assert tracemalloc.get_traced_memory()[1] < 16 * MiB
    finally:
        tracemalloc.stop()


def test_it_is_tried_again_as_often_as_the_connection_says(answering: Answering) -> None:
    server, store = answering(endless(), SMALL, retries=2)
    with pytest.raises(ArchiveUnavailableError, match=LARGE):
        list(store.list())
    assert len(server.seen) == 3


@pytest.mark.parametrize("answering", ["s3", "gs"], indirect=True)
def test_so_is_a_list_of_unfinished_uploads(answering: Answering) -> None:
    _, store = answering(endless(), SMALL)
    with pytest.raises(ArchiveUnavailableError, match="more than 2,097,152 bytes"):
        store.sweep(timedelta(0))


@pytest.mark.parametrize("answering", ["gs"], indirect=True)
def test_so_is_a_look_up_of_a_lock(answering: Answering) -> None:
    _, store = answering(endless(), SMALL)
    with pytest.raises(ArchiveUnavailableError, match=r"look up locks.*more than 2,097,152 bytes"):
        store.delete("courses/1/a.json")


@pytest.mark.parametrize("answering", ["s3"], indirect=True)
def test_a_list_as_large_as_the_limit_is_read(answering: Answering) -> None:
    page = b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>".ljust(SMALL.size)
    _, store = answering(whole(page), SMALL)
    assert list(store.list()) == []
    _, store = answering(whole(page + b" "), SMALL)
    with pytest.raises(ArchiveUnavailableError, match=LARGE):
        list(store.list())


@pytest.mark.parametrize("bundle", [None, certifi.where()], ids=["none", "others"])
@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_the_connection_says_which_certificates_are_trusted_whatever_the_environment_says(
    answering: Answering, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bundle: str | None
) -> None:
    write_certificate(certificate := tmp_path / "server.pem")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    if bundle is not None:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
    for verify in (str(certificate), False):
        _, store = answering(endless(), SMALL, certificate, verify=verify)
        with pytest.raises(ArchiveUnavailableError, match=LARGE):
            list(store.list())
    _, store = answering(endless(), SMALL, certificate)
    with pytest.raises(ArchiveUnavailableError, match="did not answer"):
        list(store.list())
