"""Names of Airflow that the tests need and that moved between its releases 3.1 and 3.4."""

from __future__ import annotations

try:
    from airflow.sdk.serde import deserialize, serialize
except ImportError:  # 3.1
    from airflow.serialization.serde import deserialize, serialize  # type: ignore[no-redef,import-not-found]

__all__ = ["deserialize", "serialize"]
