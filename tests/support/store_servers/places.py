"""Archives on the stores' servers: options and an empty place of each."""

from __future__ import annotations

import uuid
from typing import Any

from tests.support.store_servers import azure
from tests.support.store_servers.gcs import GcsServer, service_account
from tests.support.store_servers.s3 import ACCESS_KEY, SECRET_KEY, client
from tests.support.store_servers.stores import (
    AzurePlace,
    GcsPlace,
    MiB,
    S3Place,
)

from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.options import StoreOptions

BUCKET = "archive"


def s3_options(endpoint: str, *, retries: int = 1) -> StoreOptions:
    return StoreOptions(
        endpoint=endpoint, region="us-east-1", access_key=ACCESS_KEY, secret_key=SECRET_KEY, retries=retries
    )


def gcs_options(server: GcsServer, **more: Any) -> StoreOptions:
    return StoreOptions(
        **{"endpoint": server.endpoint, "service_account": service_account(), "retries": 1, **more}
    )


def gcs_place(server: GcsServer, **more: Any) -> GcsPlace:
    prefix = f"canvas/{uuid.uuid4().hex}/"
    store = open_store(f"gs://{server.bucket}/{prefix}", gcs_options(server, **more))
    return GcsPlace(store, 20 * MiB, True, server, prefix, replaces_conditionally=True, tags_are_md5=True)


def azure_options(endpoint: str, **more: Any) -> StoreOptions:
    given = {"account": azure.ACCOUNT, "account_key": azure.ACCOUNT_KEY}
    return StoreOptions(**{"endpoint": endpoint, "retries": 1, **given, **more})


def azure_place(endpoint: str, *, through: str | None = None, **more: Any) -> AzurePlace:
    prefix = f"canvas/{uuid.uuid4().hex}/"
    store = open_store(f"az://{BUCKET}/{prefix}", azure_options(through or endpoint, **more))
    return AzurePlace(
        store, 20 * MiB, True, azure.client(endpoint), BUCKET, prefix, replaces_conditionally=True
    )


def s3_place(
    endpoint: str, *, through: str | None = None, retries: int = 1, tells_age: bool = True
) -> S3Place:
    prefix = f"canvas/{uuid.uuid4().hex}/"
    store = open_store(f"s3://{BUCKET}/{prefix}", s3_options(through or endpoint, retries=retries))
    return S3Place(store, 20 * MiB, tells_age, client(endpoint), BUCKET, prefix, tags_are_md5=True)
