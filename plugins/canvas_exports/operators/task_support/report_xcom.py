"""Pass the page of a run to Airflow's UI: compressed, in an XCom of the task that wrote it.

The API server does not read it from the archive: it would need the archive's credentials and a network path, to an address
that the author of a DAG chooses. It may show an XCom to every user who may read that.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import zlib
from urllib.parse import quote

#: The XCom's key.
PAGE_XCOM = "run_report_page"

#: Characters of an XCom, at most; a page of 5,000 rows takes about 290,000.
MOST_CARRIED = 400_000
_MOST_UNPACKED = 32 * 1024 * 1024

#: Where the plugin serves it, below the address of Airflow's UI.
PREFIX = "/canvas_exports"


def pack(page: bytes) -> str | None:
    """Return the page as text for an XCom; ``None`` if it is too large for one."""
    packed = base64.b64encode(gzip.compress(page, mtime=0)).decode()
    return packed if len(packed) <= MOST_CARRIED else None


def unpack(carried: object) -> bytes | None:
    """Return the page that ``pack`` packed; ``None`` for anything else. Never takes more than 32 MiB."""
    if not isinstance(carried, str) or len(carried) > MOST_CARRIED:
        return None
    try:
        unpacking = zlib.decompressobj(wbits=31)
        page = unpacking.decompress(base64.b64decode(carried, validate=True), _MOST_UNPACKED)
    except (binascii.Error, zlib.error):
        return None
    return page if unpacking.eof else None


def page_url(base_url: str, *, dag_id: str, run_id: str, task_id: str, map_index: int = -1) -> str:
    """Return the address of the page in a task's XCom.

    Args:
        base_url: of Airflow's UI (``[api] base_url``); a path where it is not set.
        dag_id: of the task.
        run_id: likewise.
        task_id: likewise.
        map_index: likewise; -1 if it is not mapped.
    """
    dag, task, run = (quote(text, safe="") for text in (dag_id, task_id, run_id))
    mapped = "" if map_index < 0 else f"?map_index={map_index}"
    return f"{base_url.rstrip('/')}{PREFIX}/dags/{dag}/tasks/{task}/runs/{run}{mapped}"
