"""What a demo keeps in its folder, so that the next one can go on, whether this one was killed or is over."""

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
class Kept:
    """What has to be the same in the next life of a demo, and how far this one came.

    Attributes:
        ui_port: of Airflow.
        canvas_port: of the sandbox: it is part of every link and every package.
        storage_port: of its storage.
        secrets: Airflow's, by the names of their settings: without them its database cannot be read.
        has_database: Airflow's database is complete.
        run_id: the run, from before it is asked for.
        is_over: the night has been judged: nothing is run again, and what is there stays.
        was_expected: how it was judged.
    """

    ui_port: int
    canvas_port: int
    storage_port: int
    secrets: dict[str, str] = field(default_factory=_secrets)
    has_database: bool = False
    run_id: str | None = None
    is_over: bool = False
    was_expected: bool = True

    @classmethod
    def load(cls, folder: Path) -> Kept | None:
        """What a demo has kept in this folder; ``None`` if there is none, or none of this release."""
        try:
            return cls(**json.loads((folder / _FILE).read_text()))
        except (OSError, ValueError, TypeError):
            return None

    @staticmethod
    def is_in(folder: Path) -> bool:
        """Whether a folder is a demo's, of whatever release."""
        return (folder / _FILE).is_file()

    def save(self, folder: Path) -> None:
        """Keep it, whole or as it was before; readable by its owner alone."""
        draft = folder / f"{_FILE}.new"
        draft.touch(0o600)
        draft.write_text(json.dumps(asdict(self), indent=1))
        draft.replace(folder / _FILE)
