"""Airflow's connections, with this package's errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from airflow.sdk import BaseHook, Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from canvas_exports.errors import InputError


@dataclass(frozen=True)
class Refused:
    """A field of a form that names what its person may not reach."""

    field: str
    problem: str
    accepted: str

    def refuse(self) -> NoReturn:
        """Say so.

        Raises:
            InputError: always.
        """
        raise InputError(self.field, self.problem, accepted=self.accepted)

    def __str__(self) -> str:
        return "(refused)"


def find_connection(conn_id: str) -> Connection:
    """The connection of this id.

    Raises:
        InputError: there is none (permanent).
    """
    try:
        return BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        raise no_such(conn_id) from None


def no_such(conn_id: object) -> InputError:
    """What to say where a connection is missing."""
    return InputError(
        f"connection {conn_id}", "Airflow has none of this id", accepted="one listed under Admin, Connections"
    )
