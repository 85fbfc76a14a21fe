"""Digests of packages in tests: a site without BLAKE3, and manifests that state other digests."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from unittest.mock import patch

from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.packages import digests
from canvas_exports.core.storage.store import Store

#: Digests that only a later release can make.
OF_LATER = {"k12": "0" * 64}


@contextmanager
def without_blake3() -> Iterator[None]:
    """Let the package ``blake3`` be absent."""
    digests._is_installed.cache_clear()
    with patch.dict(sys.modules, {"blake3": None}):
        yield
    digests._is_installed.cache_clear()


def restate(store: Store, copy: Manifest, stated: Mapping[str, str]) -> Manifest:
    """Write the manifest of a copy anew, with other digests."""
    other = replace(copy, package=replace(copy.package, digests=stated))
    store.replace(manifest_key(copy.package.key), other.to_json())
    return other
