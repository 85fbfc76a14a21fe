"""Retention over every backend: what is listed twice looks the same, what goes is gone, what is locked stays."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from tests.support.archives.holdings import lay, manifest, note
from tests.support.store_servers.places import s3_options
from tests.support.store_servers.s3 import client
from tests.support.store_servers.stores import Place

from canvas_exports.core.archive.catalog.read import every_context
from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.retention.apply import Applied, apply_plan
from canvas_exports.core.archive.retention.plan import Decision, make_plan
from canvas_exports.core.archive.retention.policy import Policy
from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.options import Protection

NOW = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)
POLICY = Policy(last=2)


def test_it_deletes_what_the_plan_says_and_keeps_what_is_named(place: Place) -> None:
    store = place.store
    shared, *_ = (lay(store, manifest(day=day, export_id=501 + day)) for day in range(4))
    lay(store, manifest(day=4, export_id=505), names=shared)
    lay(store, manifest("course:10"))
    note(store, manifest(day=1, export_id=502), day=3)
    applied = apply_plan(store, make_plan(store, POLICY, now=NOW))
    assert applied == Applied(copies=3, packages=2, bytes=18, records=1)
    with closing(every_context(store)) as holdings:
        left = {copy.export.id: copy.is_present for holding in holdings for copy in holding.copies}
    assert left == {501: True, 504: True, 505: True}
    assert {info.key for info in store.list("courses/101/")} == {
        shared.package.key,
        manifest_key(manifest(day=3, export_id=504).package.key),
        manifest(day=3, export_id=504).package.key,
        manifest_key(manifest(day=4, export_id=505).package.key),
    }
    assert apply_plan(store, make_plan(store, POLICY, now=NOW)) == Applied()


@pytest.mark.parametrize("locked", ["manifest", "package"])
def test_a_copy_under_s3_object_lock_is_a_line_of_the_plan(moto_endpoint: str, locked: str) -> None:
    bucket = f"retention-{locked}"
    client(moto_endpoint).create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    asked = Protection(lock_mode="compliance", lock_for=timedelta(days=30))
    options = replace(s3_options(moto_endpoint), protection=asked)
    with open_store(f"s3://{bucket}/canvas", options) as store:
        first, *_ = (lay(store, manifest(day=day, export_id=501 + day)) for day in range(4))
        key = first.package.key if locked == "package" else manifest_key(first.package.key)
        store.lock(key)
        plan = make_plan(store, POLICY, now=NOW)
        (context,) = plan.contexts
        (copy,) = context.of(Decision.LOCKED)
        until = store.lock_of(key)
        assert until is not None
        assert copy.reasons == (f"locked until {until:%Y-%m-%dT%H:%M:%SZ}",)
        assert apply_plan(store, plan) == Applied(copies=1, packages=1, bytes=9)
        assert store.stat(first.package.key) is not None
        assert store.stat(manifest_key(first.package.key)) is not None
