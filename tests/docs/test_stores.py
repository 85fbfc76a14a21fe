"""What the pages say stores can do is what they declare, and what connections may ask for is what is read."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest
from tests.support.repository.markdown import page
from tests.support.store_servers.gcs import service_account

from canvas_exports.core.storage.open_store import open_store
from canvas_exports.core.storage.options import StoreOptions
from canvas_exports.core.storage.store import Capabilities
from canvas_exports.hooks.archive_protection import EXTRAS


def test_what_each_store_can_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    given = {
        "gs": StoreOptions(service_account=service_account()),
        "az": StoreOptions(account="campus", account_key="a2V5"),
    }
    header = page("archive").section("What each store can do").partition("| Capability |")[2]
    declared = {}
    for scheme in re.findall(r"`(\w+)`", header.partition("\n")[0]):
        uri = f"{scheme}://{'' if scheme == 'file' else 'place'}/path"
        with open_store(uri, given.get(scheme)) as store:
            declared[scheme] = vars(store.capabilities)
    rows = page("archive").table("What each store can do")
    assert [row[0].strip("`") for row in rows] == [field.name for field in fields(Capabilities)]
    for capability, *cells in rows:
        told = {scheme: cell == "yes" for scheme, cell in zip(declared, cells, strict=False)}
        assert told == {scheme: can[capability.strip("`")] for scheme, can in declared.items()}, capability


def test_the_extras_that_protect() -> None:
    rows = page("connections").table("Encryption, storage class, locks, tags")
    assert {row[0].strip("`"): tuple(re.findall(r"`(\w+)`", row[1])) for row in rows} == EXTRAS
