"""What Canvas says of an import, and the outcome it becomes."""

from __future__ import annotations

import json

import pytest
from tests.support.exports.restore_rig import (
    EMPTY,
    UPLOAD,
    RestoreTask,
    imports,
    posts,
)

from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.restore.result import RestoreOutcome
from canvas_exports.core.restore.state import RestoreState
from canvas_exports.core.storage.local import FileStore
from canvas_exports.errors import (
    InputError,
)
from canvas_sandbox import Fault, Sandbox
from canvas_sandbox.faults import FaultCounter


@pytest.mark.usefixtures("copy")
class TestWhatCanvasSays:
    def faulty(self, canvas: Sandbox, *faults: Fault) -> None:
        canvas.world.courses[EMPTY].active_faults = FaultCounter(faults)

    @pytest.mark.parametrize("fault", [Fault.IMPORT_WARNINGS, Fault.IMPORT_ERRORS])
    def test_completed_with_issues_is_not_success(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore, fault: Fault
    ) -> None:
        self.faulty(canvas, fault)
        result = RestoreTask(client, store).run_to_end()
        assert result.outcome is RestoreOutcome.RESTORED_WITH_ISSUES
        assert not result.is_clean
        assert sum(result.issues.values()) == len(result.texts) == len(canvas.migrations[0].issues) > 0
        assert result.reason is not None
        assert result.reason.startswith("Canvas reported ")
        assert result.is_failure("issues")
        assert result.is_failure("errors") is (fault is Fault.IMPORT_ERRORS)
        assert not result.is_failure("failure")

    def test_a_failed_import_says_why(self, canvas: Sandbox, client: CanvasClient, store: FileStore) -> None:
        self.faulty(canvas, Fault.IMPORT_FAILS)
        result = RestoreTask(client, store).run_to_end()
        assert result.outcome is RestoreOutcome.FAILED
        assert result.reason == "error: Unexpected error while importing the content"
        assert result.is_failure("failure")

    def test_a_package_beyond_the_quota_is_refused_with_200(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore
    ) -> None:
        self.faulty(canvas, Fault.OVER_QUOTA)
        result = RestoreTask(client, store).run_to_end()
        assert (result.outcome, result.reason) == (
            RestoreOutcome.FAILED,
            "Canvas refuses the file: file size exceeds quota",
        )
        assert (imports(canvas), len(canvas.migrations)) == (0, 1)

    def test_a_quota_that_is_noticed_late_ends_the_uploads(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore
    ) -> None:
        self.faulty(canvas, Fault.OVER_QUOTA_LATE)
        result = RestoreTask(client, store).run_to_end()
        assert result.outcome is RestoreOutcome.FAILED
        assert "exceeds quota" in (result.reason or "")
        assert imports(canvas) == 0
        assert posts(canvas, UPLOAD) == 1

    def test_an_import_that_never_ends_is_stalled_and_looked_at_again_after_a_clear(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore
    ) -> None:
        self.faulty(canvas, Fault.IMPORT_STUCK)
        task = RestoreTask(client, store, now=lambda: 9e9)
        result = task.run_to_end()
        assert result.outcome is RestoreOutcome.STALLED
        assert result.is_failure("failure")
        state = RestoreState.from_json(json.loads(task.written))
        assert state is not None
        state.resume(RestoreState(generation=1, deadline=9e10))
        task.written = json.dumps(state.to_json())
        task.restore = task.new_process()
        assert task.restore.advance() is not None
        assert len(canvas.migrations) == 1

    def test_a_course_in_which_another_import_runs_is_left_alone(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore
    ) -> None:
        self.faulty(canvas, Fault.IMPORT_STUCK)
        first = RestoreTask(client, store)
        assert first.restore.advance() is not None
        with pytest.raises(InputError, match="busy with another import"):
            RestoreTask(client, store).run_to_end()
        assert len(canvas.migrations) == 1

    def test_an_import_that_has_been_stuck_for_days_blocks_nothing(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore
    ) -> None:
        self.faulty(canvas, Fault.IMPORT_STUCK)
        assert RestoreTask(client, store).restore.advance() is not None
        self.faulty(canvas)
        canvas.advance(3 * 86_400)
        assert RestoreTask(client, store).run_to_end().is_clean
