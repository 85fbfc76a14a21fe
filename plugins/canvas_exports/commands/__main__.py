"""``python -m canvas_exports.commands``: the same as ``canvas-archive``."""

from __future__ import annotations

import sys

from canvas_exports.commands.main import main

if __name__ == "__main__":
    sys.exit(main())
