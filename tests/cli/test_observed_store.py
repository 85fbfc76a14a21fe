"""The store whose reads are counted loses nothing of the store behind it."""

from __future__ import annotations

import inspect

from canvas_exports.cli.observed_store import ObservedStore
from canvas_exports.core.storage.store import Store


def test_every_call_reaches_the_store_itself() -> None:
    """A method that is inherited instead would write without the condition that the store can check by itself."""
    calls = {
        name
        for name, _ in inspect.getmembers(
            Store, lambda each: inspect.isfunction(each) or isinstance(each, property)
        )
        if not name.startswith("_")
    }
    assert "replace_version" in calls
    assert calls <= vars(ObservedStore).keys()
