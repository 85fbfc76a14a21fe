"""The rights in S3 that the pages name are enough, and none of them is too much."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import requests
from tests.support.repository.markdown import BLOCKS
from tests.support.store_servers.s3 import client, moto

from canvas_exports.core.archive.probe import check_writable
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.options import StoreOptions
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import ArchiveDeniedError, ArchiveUnavailableError

BUCKET, PREFIX = "campus-backups", "canvas"
BLOCK = bytes(8 * 1024 * 1024)
POLICY = next(json.loads(block.text) for block in BLOCKS if '"Statement"' in block.text)
#: Without these a backup still works, but an upload that broke may stay open.
FOR_TIDYING = ("s3:ListBucketMultipartUploads", "s3:AbortMultipartUpload")
ACTIONS = [action for statement in POLICY["Statement"] for action in statement["Action"]]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto() as url:
        client(url).create_bucket(Bucket=BUCKET)
        yield url


def account(endpoint: str, actions: list[str]) -> StoreOptions:
    """A user with these rights, and nothing else."""
    iam = boto3.client(
        "iam",
        endpoint_url=endpoint,
        aws_access_key_id="root",
        aws_secret_access_key="root",
        region_name="us-east-1",
    )
    name = uuid.uuid4().hex
    # moto takes DeleteObjects for an action on the bucket; AWS looks at each key, so the page's resources suffice there.
    resources = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/{PREFIX}/*"]
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resources}],
    }
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="archive", PolicyDocument=json.dumps(policy))
    key: dict[str, Any] = iam.create_access_key(UserName=name)["AccessKey"]
    return StoreOptions(
        endpoint=endpoint,
        region="us-east-1",
        access_key=key["AccessKeyId"],
        secret_key=key["SecretAccessKey"],
        retries=0,
    )


@pytest.fixture
def rights(endpoint: str) -> Iterator[None]:
    """From here on moto asks for rights; users have to be there already."""
    yield
    requests.post(f"{endpoint}/moto-api/reset-auth", data=b"inf", timeout=10)


def use(endpoint: str, actions: list[str]) -> None:
    options = account(endpoint, actions)
    requests.post(f"{endpoint}/moto-api/reset-auth", data=b"0", timeout=10)
    with open_store(f"s3://{BUCKET}/{PREFIX}/{uuid.uuid4().hex}", options) as store:
        everything(store)


def everything(store: Store) -> None:
    """All that a backup asks of a store."""
    check_writable(store)
    store.put("courses/1/large.imscc", iter([BLOCK, BLOCK]))
    assert store.put_if_absent("courses/1/large.json", b"{}")
    assert [info.key for info in store.list("courses/1/large.j")] == ["courses/1/large.json"]
    assert store.read("courses/1/large.json") == b"{}"
    with pytest.raises(ZeroDivisionError):
        store.put("courses/1/broken.imscc", broken())
    store.delete("courses/1/large.json")
    store.delete("courses/1/large.imscc")


def broken() -> Iterator[bytes]:
    yield BLOCK
    yield BLOCK
    raise ZeroDivisionError


@pytest.mark.usefixtures("rights")
def test_the_rights_are_enough_and_nothing_is_left_behind(endpoint: str) -> None:
    use(endpoint, ACTIONS)
    requests.post(f"{endpoint}/moto-api/reset-auth", data=b"inf", timeout=10)
    assert not client(endpoint).list_multipart_uploads(Bucket=BUCKET).get("Uploads")


@pytest.mark.usefixtures("rights")
@pytest.mark.parametrize("missing", [action for action in ACTIONS if action not in FOR_TIDYING])
def test_without_one_of_them_something_fails(endpoint: str, missing: str) -> None:
    with pytest.raises((ArchiveDeniedError, ArchiveUnavailableError)):
        use(endpoint, [action for action in ACTIONS if action != missing])


@pytest.mark.usefixtures("rights")
def test_an_archive_that_forbids_deleting_can_be_written(endpoint: str) -> None:
    options = account(endpoint, [action for action in ACTIONS if action != "s3:DeleteObject"])
    requests.post(f"{endpoint}/moto-api/reset-auth", data=b"0", timeout=10)
    with open_store(f"s3://{BUCKET}/{PREFIX}/{uuid.uuid4().hex}", options) as store:
        check_writable(store)
        store.put("courses/1/large.imscc", iter([BLOCK, BLOCK]))
        assert store.put_if_absent("courses/1/large.json", b"{}")
        with pytest.raises(ArchiveDeniedError):
            store.delete("courses/1/large.json")


@pytest.mark.usefixtures("rights")
def test_without_the_right_to_abort_something_is_left_behind(endpoint: str) -> None:
    use(endpoint, [action for action in ACTIONS if action != "s3:AbortMultipartUpload"])
    requests.post(f"{endpoint}/moto-api/reset-auth", data=b"inf", timeout=10)
    assert client(endpoint).list_multipart_uploads(Bucket=BUCKET).get("Uploads")
