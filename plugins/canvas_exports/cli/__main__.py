"""``python -m canvas_exports.cli``: the same as ``canvas-archive``."""

from __future__ import annotations

import sys

from canvas_exports.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
