"""What docs/deploy.md and docs/metrics.md say, against the code and the files."""

from __future__ import annotations

import json
import re

import pytest
from airflow.configuration import conf
from tests.support.repository.compose import ROOT, SERVICES
from tests.support.repository.markdown import PAGES, Page, page

from canvas_exports.core.export.engine.items import Item, State
from canvas_exports.observability import task_observer
from canvas_exports.observability.metric_names import IN_FLIGHT, METRICS, READY, SPANS
from canvas_sandbox.scenarios import SCENARIOS


def cells(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"`([^`]+)`", text))


def test_every_service_is_described() -> None:
    assert set(page("deploy").column("Docker Compose on one machine")) == set(SERVICES)


def test_the_pool_is_described_as_it_is() -> None:
    (pool,) = json.loads((ROOT / "include" / "pools.json").read_text()).values()
    assert f"with {pool['slots']} slots" in page("deploy").section("Pools")
    assert f"{pool['slots']} slots with `max_in_flight: 25`" in page("deploy").text


class TestMetrics:
    def test_every_metric_stands_there_with_its_kind_and_tags(self) -> None:
        rows = page("metrics").table("Metrics")
        listed = [(cells(name)[0], kind, cells(tags)) for name, kind, tags, _ in rows]
        assert listed == [(metric.name, metric.kind, metric.tags) for metric in METRICS]

    def test_only_the_gauges_are_followed_by_a_host(self) -> None:
        rows = page("metrics").table("Metrics")
        followed = {cells(name)[0] for name, _, _, meaning in rows if "followed by" in meaning}
        assert followed == {IN_FLIGHT.name, READY.name}

    def test_every_state_that_an_export_can_leave_is_timed(self) -> None:
        timed = {metric.name.rpartition(".")[2] for metric in METRICS if metric.kind == "timer"}
        assert timed == {state.value for state in State} - {"done"}
        assert Item("course:1", "zip").state in set(State)

    def test_every_span_stands_there(self) -> None:
        assert page("metrics").column("Traces") == list(SPANS)

    def test_every_switch_is_one_that_is_looked_at(self) -> None:
        switches = {f"AIRFLOW__{section}__{key}".upper() for section, key in task_observer._SWITCHES}
        named = set(re.findall(r"`(AIRFLOW__\w+?)=True`", page("metrics").text))
        assert switches | {"AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED"} == named


def test_the_courses_to_begin_with_are_in_the_sandbox_that_compose_starts() -> None:
    scenario = SERVICES["canvas-sandbox"]["command"][-1]
    named = re.search(r"a few ids \(([\d, ]+), \.\.\.\)", page("deploy").text)
    assert named
    assert {int(one) for one in named[1].split(", ")} <= {
        course.id for course in SCENARIOS[scenario]().courses
    }


@pytest.mark.parametrize("found", PAGES, ids=str)
def test_every_setting_of_airflow_has_a_name_that_airflow_knows(found: Page) -> None:
    for section, option in re.findall(r"\bAIRFLOW__([A-Z]+(?:_[A-Z]+)*)__([A-Z_]+)\b", found.text):
        assert option.lower() in conf.configuration_description[section.lower()]["options"], (
            f"{section} {option}"
        )


def test_a_file_that_systemd_reads_has_assignments_only() -> None:
    (settings,) = (block for block in page("deploy-one-machine").blocks if "AIRFLOW_HOME=" in block.text)
    for line in settings.text.splitlines():
        assert re.fullmatch(r"[A-Z_]+=\S*", line), "systemd ignores a line with export"
