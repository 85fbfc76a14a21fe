"""The name of the distribution as a module. Airflow looks below it for the folder ``example_dags`` of a provider.

Nothing else should import it: the provider is ``canvas_exports``.
"""

from __future__ import annotations

import canvas_exports

__path__ = list(canvas_exports.__path__)
