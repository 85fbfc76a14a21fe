"""One scenario's world: a Canvas and an archive of its own, each behind a gate, and runs of the DAG between them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from typing import Any, TypeVar

import psutil
from tests.support.store_servers.places import BUCKET, s3_place
from tests.support.store_servers.s3 import ACCESS_KEY, SECRET_KEY
from tests.support.store_servers.stores import Place
from tests.survival.support import invariants
from tests.survival.support.canvas_proxy import PATIENCE, Gate

from canvas_cluster.cluster import Cluster
from canvas_sandbox import Course, Sandbox, Switches

Found = TypeVar("Found")
_UNDER_WAY = ("running", "deferred", "success")

DAG_ID = "impatient"
LONG = 3600.0  # seconds that an export of `slow_switches` takes, on a clock that the test moves
LONGEST = 600.0  # seconds that a run may take on a busy machine before the test gives up


class Scene:
    """A sandbox and an S3 archive that no other scenario touches, known to Airflow by two connections of their own.

    Args:
        cluster: the Airflow that runs it.
        endpoint: of the S3 server.
        name: distinguishes it; letters, digits and ``_``.
        courses: of the sandbox.
        switches: of the sandbox; by default an export takes a moment, and several run at once.
    """

    def __init__(
        self,
        cluster: Cluster,
        endpoint: str,
        name: str,
        courses: Iterable[Course],
        switches: Switches | None = None,
    ) -> None:
        self.cluster = cluster
        self.name = name
        self.courses = list(courses)
        self.run_id = ""
        with ExitStack() as cleanup:
            self.sandbox = cleanup.enter_context(
                Sandbox(self.courses, switches=switches or Switches(duration=0.3, job_workers=10))
            )
            self.canvas = Gate(self.sandbox.url)
            cleanup.callback(self.canvas.close)
            self.storage = Gate(endpoint)
            cleanup.callback(self.storage.close)
            archive = s3_place(endpoint)
            cleanup.enter_context(archive.store)
            self.uri = f"s3://{BUCKET}/{archive.prefix}"
            self.place: Place = archive
            self.cluster.add_canvas(self.canvas.url, self.sandbox.token, f"canvas_{self.name}")
            self.enter_archive()
            self._cleanup = cleanup.pop_all()

    def enter_archive(self, *, again: bool = False) -> None:
        """Enter the archive's keys, or do so again, as a person does who has new ones."""
        name = f"archive_{self.name}"
        self.cluster.api(
            "PATCH" if again else "POST",
            f"/connections/{name}" if again else "/connections",
            {
                "connection_id": name,
                "conn_type": "aws",
                "login": ACCESS_KEY,
                "password": SECRET_KEY,
                "extra": f'{{"endpoint_url": "{self.storage.url}", "region_name": "us-east-1"}}',
            },
        )

    def close(self) -> None:
        """End the sandbox and the gates; what they hold is cut off."""
        self._cleanup.close()

    def start(self, **conf: Any) -> str:
        """Run the DAG over all courses; returns the run id."""
        self.run_id = self.cluster.trigger(
            DAG_ID,
            {
                "courses": [str(course.id) for course in self.courses],
                "archive": self.uri,
                "archive_conn_id": f"archive_{self.name}",
                "canvas_conn_id": f"canvas_{self.name}",
                **conf,
            },
        )
        return self.run_id

    def exports(self) -> list[dict[str, Any]]:
        """The task instances of the batches, as Airflow knows them."""
        rows = self.cluster.task_instances(DAG_ID, self.run_id)
        return [row for row in rows if row["task_id"] == "export"]

    def wait_for(self, *states: str, task_id: str = "export") -> dict[str, Any]:
        """Wait until one task instance of a task is in one of these states; that instance."""

        def found() -> dict[str, Any] | None:
            rows = self.cluster.task_instances(DAG_ID, self.run_id)
            return next((row for row in rows if row["task_id"] == task_id and row["state"] in states), None)

        return eventually(found, f"{task_id} of {self.name} in {states}")

    def freeze_task(self) -> str:
        """Stop the process of the running batch in its tracks, so that no time-out ends its moment; its worker."""
        row = self.wait_for("running")
        psutil.Process(row["pid"]).suspend()
        return str(row["hostname"])

    def triggerer(self, *others_than: str) -> str:
        """The triggerer that watches for a batch, once that is none of these."""

        def found() -> str | None:
            name = self.cluster.triggerer_of(self.wait_for("deferred"))
            return None if name in others_than else name

        return eventually(found, f"another triggerer than {others_than}")

    def woken(self) -> bool:
        """Whether a batch has left its triggerer."""
        return all(row["state"] != "deferred" for row in self.exports())

    def wait_for_attempt(self, number: int) -> None:
        """Wait until a batch is under way in this attempt."""
        eventually(
            lambda: any(row["try_number"] >= number and row["state"] in _UNDER_WAY for row in self.exports()),
            f"attempt {number} of {self.name}",
        )

    def clear(self) -> None:
        """Clear the batches, as a person does."""
        self.cluster.clear(DAG_ID, self.run_id, "export")

    def clear_run(self) -> None:
        """Clear the whole run, and wait until Airflow has taken it up."""
        self.cluster.clear(DAG_ID, self.run_id)
        eventually(
            lambda: self.cluster.run_state(DAG_ID, self.run_id) in ("queued", "running"), "the cleared run"
        )

    def mark(self, state: str) -> None:
        """Mark the batch ``failed`` or ``success``, as a person does."""
        self.cluster.mark(DAG_ID, self.run_id, "export", state, map_index=0)

    def end(self, state: str = "success") -> None:
        """Wait until the run has ended in a state."""
        assert self.cluster.wait_for_end(DAG_ID, self.run_id, LONGEST) == state, self.exports()

    def check(
        self,
        expected: Mapping[str, str] | None = None,
        *,
        more_exports: Mapping[str, int] | None = None,
    ) -> None:
        """All that has to hold; by default every course is stored."""
        stored = {course.label: "stored" for course in self.courses}
        invariants.everything_holds(
            self.sandbox.exports,
            self.place,
            stored if expected is None else expected,
            more_exports=more_exports,
        )


#: Opens a scene; the fixture of ``conftest`` is one.
OpenScene = Callable[..., Scene]


def slow_switches() -> Switches:
    """Exports that are not done before the test moves the clock."""
    return Switches(duration=LONG, job_workers=20)


def eventually(look: Callable[[], Found | None], what: str, patience: float = PATIENCE) -> Found:
    """Look until there is something to see; what is seen."""
    deadline = time.monotonic() + patience
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.2)
    return found
