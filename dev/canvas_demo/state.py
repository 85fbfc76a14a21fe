"""The state of a demo in its folder, from which the next start continues."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

_FILE = "demo.json"


def _secrets() -> dict[str, str]:
    return {
        "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(64),
    }


@dataclass
class DemoState:
    """State of a demo that continues: its fixed settings and its progress.

    Attributes:
        ui_port: port of Airflow.
        canvas_port: port of the sandbox, which is part of every link and every package.
        storage_port: port of its storage.
        secrets: Airflow's secrets by setting; its database cannot be read without them.
        has_database: whether Airflow's database is complete.
        run_id: the run, set before it is triggered.
        is_over: whether the outcomes have been checked; nothing is run again then.
        second_run_id: the run of the second night, set once the courses were edited and before it is triggered.
        is_second_over: whether that run has ended.
        was_expected: whether all outcomes were as expected.
    """

    ui_port: int
    canvas_port: int
    storage_port: int
    secrets: dict[str, str] = field(default_factory=_secrets)
    has_database: bool = False
    run_id: str | None = None
    is_over: bool = False
    second_run_id: str | None = None
    is_second_over: bool = False
    was_expected: bool = True

    @classmethod
    def load(cls, folder: Path) -> DemoState | None:
        """Return the state in a folder; ``None`` if there is none, or it is from another release."""
        try:
            return cls(**json.loads((folder / _FILE).read_text()))
        except (OSError, ValueError, TypeError):
            return None

    @staticmethod
    def is_in(folder: Path) -> bool:
        """Return whether a folder has the state of a demo, of any release."""
        return (folder / _FILE).is_file()

    def save(self, folder: Path) -> None:
        """Write the state atomically, readable by its owner only."""
        draft = folder / f"{_FILE}.new"
        draft.touch(0o600)
        draft.write_text(json.dumps(asdict(self), indent=1))
        draft.replace(folder / _FILE)
