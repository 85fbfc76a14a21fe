"""Airflow's connections, with this package's errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from airflow.sdk import BaseHook, Connection

from canvas_exports.airflow_compat import AirflowNotFoundException
from canvas_exports.errors import InputError


@dataclass(frozen=True)
class RefusedChoice:
    """A value of a form field that this form may not use. Stands in place of the name, so that nothing can be opened with it."""

    field: str
    problem: str
    accepted: str

    def raise_error(self) -> NoReturn:
        """Raise the error.

        Raises:
            InputError: always (permanent).
        """
        raise InputError(self.field, self.problem, accepted=self.accepted)

    def __str__(self) -> str:
        return "(refused)"


def find_connection(conn_id: str) -> Connection:
    """Return the connection with this id.

    Raises:
        InputError: there is none (permanent).
    """
    try:
        return BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        raise missing_connection(conn_id) from None


def missing_connection(conn_id: object) -> InputError:
    """Return the error for a missing connection."""
    return InputError(
        f"connection {conn_id}",
        "Airflow has no connection with this id",
        accepted="one listed under Admin, Connections",
    )
