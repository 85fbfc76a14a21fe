"""What a process has used up to now, for those that measure themselves."""

from __future__ import annotations

import resource
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_STATUS = Path("/proc/self/status")
_RESET_PEAK = "5"  # what Linux wants to read in clear_refs to forget the peak so far


@dataclass(frozen=True)
class Reading:
    """Seconds of the clock and of processors, and peak memory in MiB; on Linux the peak since ``forget_peak``."""

    clock: float
    cpu: float
    peak: float

    @classmethod
    def take(cls) -> Reading:
        """Read the clocks and the peak."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        return cls(time.perf_counter(), used.ru_utime + used.ru_stime, _peak())


def forget_peak() -> None:
    """Let the peak begin anew, where the system can."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text(_RESET_PEAK)


def used(before: Reading, size: int, packages: int = 1) -> dict[str, Any]:
    """What moving so many bytes has taken since an earlier reading."""
    after = Reading.take()
    return {
        "packages": packages,
        "bytes": size,
        "seconds": round(after.clock - before.clock, 3),
        "cpu": round(after.cpu - before.cpu, 3),
        "before_mib": round(before.peak, 1),
        "growth_mib": round(after.peak - before.peak, 1),
        "peak_mib": round(after.peak, 1),
    }


def _peak() -> float:
    if _STATUS.exists():
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    scale = 1024**2 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale
