"""Run a trigger, and move it to another triggerer."""

from __future__ import annotations

import json
from typing import TypeVar

from airflow.triggers.base import BaseTrigger, TriggerEvent
from tests.support.airflow.moved_names import deserialize, serialize

_Trigger = TypeVar("_Trigger", bound=BaseTrigger)


async def events(trigger: BaseTrigger) -> list[TriggerEvent]:
    """Return the events of a trigger that runs to its end."""
    return [event async for event in trigger.run()]


def moved(trigger: _Trigger) -> _Trigger:
    """Return the trigger as another triggerer builds it from the database."""
    path, kwargs = trigger.serialize()
    kind = type(trigger)
    assert path == f"{kind.__module__}.{kind.__qualname__}"
    stored = deserialize(json.loads(json.dumps(serialize(kwargs))))
    assert stored == kwargs
    return kind(**stored)
