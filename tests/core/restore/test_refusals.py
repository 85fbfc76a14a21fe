"""Courses into which nothing is restored."""

from __future__ import annotations

import pytest
from tests.support.exports.restore_rig import (
    EMPTY,
    FULL,
    SOURCE,
    RestoreTask,
)

from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.storage.local import FileStore
from canvas_exports.errors import (
    InputError,
)
from canvas_sandbox import Sandbox


@pytest.mark.usefixtures("copy")
class TestRefusals:
    def test_the_course_it_came_from_is_never_overwritten_unless_its_number_is_repeated(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore
    ) -> None:
        for confirmed in (None, "102", "yes", "sis_course_id:BIO/101"):
            with pytest.raises(InputError, match="this copy was made from course 101 itself"):
                RestoreTask(
                    client, store, into=SOURCE, allow_content=True, confirm_same_course=confirmed
                ).run_to_end()
        assert canvas.migrations == []
        assert (
            RestoreTask(client, store, into=SOURCE, allow_content=True, confirm_same_course=SOURCE)
            .run_to_end()
            .is_clean
        )

    def test_its_sis_id_does_not_get_around_that(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore
    ) -> None:
        with pytest.raises(InputError, match="this copy was made from course"):
            RestoreTask(client, store, into="sis_course_id:BIO/101", allow_content=True).run_to_end()
        assert canvas.migrations == []

    def test_even_then_its_content_has_to_be_allowed(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore
    ) -> None:
        with pytest.raises(InputError, match="not empty"):
            RestoreTask(client, store, into=SOURCE, confirm_same_course=SOURCE).run_to_end()
        assert canvas.migrations == []

    def test_a_confirmation_for_another_course_is_a_mistake(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore
    ) -> None:
        with pytest.raises(InputError, match="Confirm the original course: "):
            RestoreTask(client, store, confirm_same_course=EMPTY).run_to_end()
        assert canvas.migrations == []

    def test_a_course_that_holds_something_is_refused_with_what_it_holds(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore
    ) -> None:
        with pytest.raises(InputError, match=r"course 102 is not empty: it holds .*wiki_pages \(\d+\)"):
            RestoreTask(client, store, into=FULL).run_to_end()
        assert canvas.migrations == []
        assert RestoreTask(client, store, into=FULL, allow_content=True).run_to_end().is_clean

    def test_a_course_that_is_not_there_or_not_reachable_is_refused(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore
    ) -> None:
        with pytest.raises(InputError, match="course:999 does not exist"):
            RestoreTask(client, store, into=999).run_to_end()
        with (
            CanvasClient(canvas.url, canvas.tokens["student"]) as student,
            pytest.raises(InputError, match="Target course"),
        ):
            RestoreTask(student, store).run_to_end()
        assert canvas.migrations == []

    def test_a_published_course_is_no_place_to_try_things_out(
        self, canvas: Sandbox, client: CanvasClient, store: FileStore
    ) -> None:
        canvas.world.courses[EMPTY].state = "available"
        with pytest.raises(InputError, match="course 300 is available"):
            RestoreTask(client, store, only_unpublished=True).run_to_end()
        assert canvas.migrations == []
