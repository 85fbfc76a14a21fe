"""A store on an S3 server with habits, and what is put into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.support.packages.build import COURSE, HOST, draft
from tests.support.store_servers.places import BUCKET, s3_options
from tests.support.store_servers.stores import MiB
from tests.support.store_servers.wild_s3 import WildS3

from canvas_exports.core.archive.publishing.package_source import PackageSource
from canvas_exports.core.archive.publishing.publish import publish
from canvas_exports.core.packages.proof import Expectation
from canvas_exports.core.storage.buffers import BlockWriter, BufferPool
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.options import StoreOptions
from canvas_exports.core.storage.store import Block, Store

ROOT = "canvas/"
KEY = "courses/101/20261123T020000Z-common_cartridge-501.imscc"
Wild = Callable[..., tuple[WildS3, Store]]


def reopened(server: WildS3, *, retries: int = 0, **more: Any) -> Store:
    options = StoreOptions(**{**vars(s3_options(server.endpoint, retries=retries)), **more})
    return open_store(f"s3://{BUCKET}/{ROOT}", options)


def one_winner(store: Store) -> bool:
    return store.capabilities.one_winner


def verbs(server: WildS3, key: str) -> list[str]:
    return [verb for verb, name, _ in server.seen if name == f"{ROOT}{key}"]


def large() -> Iterator[Block]:
    for _ in range(18):
        yield bytes(MiB)


def publish_package(store: Store, package: bytes) -> None:
    def blocks(_space: BlockWriter) -> Iterator[Block]:
        yield from (package[start : start + MiB] for start in range(0, len(package), MiB))

    expect = Expectation("common_cartridge", len(package), COURSE, HOST)
    publish(store, draft=draft(), source=PackageSource(blocks, expect, BufferPool()))
