"""Name the inputs and outputs of a task for OpenLineage.

Its provider is optional: it is imported only in ``facets``, which only its own listener calls. A dataset is a place without
credentials: the host of Canvas and the path of a course, or the root of an archive.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from canvas_exports.core.model.contexts import Context, ContextKind

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage


class Place(NamedTuple):
    """The namespace and the name of a dataset, as OpenLineage's naming rules have them."""

    namespace: str
    name: str


@dataclass(frozen=True)
class Lineage:
    """What a task read and wrote.

    Attributes:
        inputs: the places that it read.
        outputs: the places that it wrote.
        size: bytes that it wrote; ``None`` if unknown.
        files: objects that it wrote; ``None`` if unknown.
    """

    inputs: tuple[Place, ...] = ()
    outputs: tuple[Place, ...] = ()
    size: int | None = None
    files: int | None = None


class LineageMixin:
    """Let OpenLineage read what an operator recorded in ``lineage``. A task that recorded nothing has no datasets."""

    lineage: Lineage | None = None

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any] | None:  # noqa: ARG002 - OpenLineage's signature
        """Return the datasets of the task; also called after a failure, with what there is until then."""
        return None if self.lineage is None else facets(self.lineage)


def archive_place(uri: str) -> Place:
    """Return an archive as a dataset: ``s3://bucket`` and the path in it. User names and queries are left out."""
    parts = urlsplit(uri)
    path = parts.path.strip("/") or "/"
    if parts.scheme in ("", "file"):
        return Place("file", f"/{path.lstrip('/')}")
    host = parts.netloc.rpartition("@")[2]
    return Place(f"{parts.scheme}://{host}", path)


def canvas_places(host: str, contexts: Iterable[Context]) -> tuple[Place, ...]:
    """Return courses, groups and users of a Canvas as datasets, each once: ``https://canvas.example.edu`` and ``courses/101``.

    Groups and users without a number are only ``groups`` and ``users``: a login or a SIS id may be the name of a person.
    """
    namespace = host.rstrip("/")
    names = dict.fromkeys(
        f"{each.kind.collection}/{each.id}"
        if each.kind is ContextKind.COURSE or each.canvas_id is not None
        else each.kind.collection
        for each in contexts
    )
    return tuple(Place(namespace, name) for name in names)


def facets(lineage: Lineage) -> OperatorLineage[Any, Any]:
    """Return OpenLineage's form of a lineage. Needs ``apache-airflow-providers-openlineage``."""
    from airflow.providers.openlineage.extractors import OperatorLineage  # noqa: PLC0415 - optional
    from openlineage.client.event_v2 import InputDataset, OutputDataset  # noqa: PLC0415 - likewise
    from openlineage.client.generated.output_statistics_output_dataset import (  # noqa: PLC0415 - likewise
        OutputStatisticsOutputDatasetFacet,
    )

    statistics: dict[str, Any] = {}
    if lineage.size is not None or lineage.files is not None:
        statistics["outputStatistics"] = OutputStatisticsOutputDatasetFacet(
            size=lineage.size, fileCount=lineage.files
        )
    return OperatorLineage(
        inputs=[InputDataset(place.namespace, place.name) for place in lineage.inputs],
        outputs=[OutputDataset(place.namespace, place.name, statistics) for place in lineage.outputs],
    )
