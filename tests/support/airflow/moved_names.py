"""Names of Airflow that the tests need and that differ between its releases 3.1 and 3.4."""

from __future__ import annotations

import inspect
from typing import Any

from airflow.sdk import Variable

try:
    from airflow.sdk.serde import deserialize, serialize

    serialize_event = serialize
except ImportError:  # 3.1
    from airflow.serialization.serde import deserialize, serialize  # type: ignore[no-redef,import-not-found]

    def serialize_event(kwargs: Any) -> Any:  # type: ignore[misc]
        """Serialize the arguments of a method that resumes a task."""
        from airflow.serialization.serialized_objects import BaseSerialization  # noqa: PLC0415 - costs a second

        return BaseSerialization.serialize(kwargs)


def hooks() -> Any:
    """Return the hooks of all providers by their type of connection."""
    try:
        from airflow.sdk.providers_manager_runtime import ProvidersManagerTaskRuntime  # noqa: PLC0415 - not in 3.1
    except ImportError:
        from airflow.providers_manager import ProvidersManager  # noqa: PLC0415 - from 3.2 on it has no hooks

        return ProvidersManager().hooks
    return ProvidersManagerTaskRuntime().hooks


#: Whether a task that sets a variable is told when Airflow cannot.
SET_RAISES = "except" not in inspect.getsource(Variable.set)

__all__ = ["SET_RAISES", "deserialize", "hooks", "serialize", "serialize_event"]
