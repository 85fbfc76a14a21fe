"""Whatever goes wrong, and however often the process dies: the package is imported once."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.exports import batch_rig
from tests.support.exports.restore_rig import EMPTY, SOURCE, RestoreTask, back_up, imports

from canvas_exports.core.restore.result import RestoreOutcome, RestoreResult
from canvas_exports.core.restore.timing import RestoreTiming
from canvas_exports.core.storage.local import FileStore
from canvas_exports.errors import CanvasExportsError
from canvas_sandbox import Course, RequestFault, Sandbox, Storage, Switches

SWITCHES = {"duration": 0.02, "import_duration": 0.02, "throttle": False}
MOMENTS = (
    ("POST", r"/content_migrations$"),
    ("PUT", r"/content_migrations/"),
    ("GET", r"/content_migrations$"),
    ("GET", r"/content_migrations/\d+$"),
    ("GET", r"/migration_issues$"),
    ("GET", r"/content_list$"),
    ("GET", r"/create_success"),
    ("POST", r"^/(?!api)"),
)
EFFECTS = ("lost_answer", "refused", "garbled", "hidden_answer", "server_error", "maintenance")
_ATTEMPTS = 12
AT_ONCE = RestoreTiming(settle=0.0, upload_backoff=(0.0, 0.0, 0.0))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FileStore:
    """An archive with a proven copy."""
    folder: Path = tmp_path_factory.mktemp("archive")
    made = FileStore(folder.as_uri(), folder)
    switches = Switches(**SWITCHES)  # type: ignore[arg-type] # plain values
    with (
        Sandbox([Course(id=SOURCE, size=20_000)], switches=switches) as canvas,
        batch_rig.client(canvas) as client,
    ):
        back_up(client, made, SOURCE)
    return made


def attempt(task: RestoreTask) -> RestoreResult | None:
    """As far as one attempt of Airflow's comes; the next one begins with what was saved."""
    try:
        return task.run_to_end()
    except CanvasExportsError as error:
        if not error.retryable:
            raise
        task.restore = task.new_process()
        return None


@settings(max_examples=25)
@given(
    accidents=st.lists(
        st.tuples(st.sampled_from(MOMENTS), st.sampled_from(EFFECTS), st.integers(0, 1)), max_size=4
    ),
    deaths=st.sets(st.integers(1, 8), max_size=3),
    storage=st.sampled_from(list(Storage)),
)
def test_one_import_whatever_happens(
    store: FileStore,
    accidents: list[tuple[tuple[str, str], str, int]],
    deaths: set[int],
    storage: Storage,
) -> None:
    switches = Switches(**SWITCHES, storage=storage)  # type: ignore[arg-type] # plain values
    with (
        Sandbox([Course(id=EMPTY, state="claimed", size=0)], switches=switches) as canvas,
        batch_rig.client(canvas) as client,
    ):
        for (method, path), effect, skip in accidents:
            canvas.inject(RequestFault(effect=effect, method=method, path=path, skip=skip))
        task = RestoreTask(client, store, timing=AT_ONCE)
        task.die_at = deaths
        for _ in range(_ATTEMPTS):
            if (result := attempt(task)) is not None:
                break
            assert imports(canvas) <= 1
        else:
            pytest.fail("it never ended")
        assert result.outcome is RestoreOutcome.RESTORED
        assert imports(canvas) == 1
        assert [record.sha256 for record in canvas.migrations if record.imports] == [
            hashlib.sha256(store.read(task.restore.copy.package.key)).hexdigest()
        ]
