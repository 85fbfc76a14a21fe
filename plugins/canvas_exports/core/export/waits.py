"""Say how long a batch waits between its steps."""

from __future__ import annotations

from dataclasses import dataclass

from canvas_exports.core.model.durations import MIN_WAIT


@dataclass(frozen=True)
class Waits:
    """Seconds that a batch waits. They suit every Canvas, so no administrator sets them.

    Attributes:
        before_transfers: before the first, second and third transfer of one export.
        between_rounds: between two rounds of requests to contexts that Canvas has refused.
        between_log_lines: between two lines of the log while nothing happens.
        batch_delay: see ``WakeRule``; a worker for one package is a worker wasted.
        max_batch_delay: see ``WakeRule``.
        min_wait: see ``WakeRule``.
    """

    before_transfers: tuple[float, ...] = (0.0, 5.0, 20.0)
    between_rounds: float = 5.0
    between_log_lines: float = 300.0
    batch_delay: float = 30.0
    max_batch_delay: float = 1800.0
    min_wait: float = MIN_WAIT

    def before_transfer(self, failed: int) -> float:
        """Return the seconds before a transfer of an export after so many have failed."""
        return self.before_transfers[min(failed, len(self.before_transfers) - 1)]
