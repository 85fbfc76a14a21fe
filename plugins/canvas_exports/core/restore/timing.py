"""How long a restore waits for Canvas."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class RestoreTiming:
    """Waiting times of a restore.

    Attributes:
        settle: seconds before the search for a migration whose response was lost: Canvas may still be creating it.
        settle_url: the same where Canvas downloads the package: its import must not be requested twice.
        upload_backoff: seconds before the first, second and third upload.
        simultaneous: of two restores into one course that begin within this time, the second is refused.
    """

    settle: float = 5.0
    settle_url: float = 60.0
    upload_backoff: tuple[float, ...] = (0.0, 5.0, 20.0)
    simultaneous: timedelta = timedelta(minutes=2)
