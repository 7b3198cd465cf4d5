"""The dashboard and alerts use only metrics that /metrics exports."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
import yaml  # type: ignore[import-untyped]
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from bot.metrics import Metrics
from storage import GenreReadiness
from tests.bot.fake_classifier import ear_executor
from tests.conftest import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPLOY = REPOSITORY / "deploy"
FUNCTIONS = {"histogram_quantile", "increase", "rate", "sum", "max", "min", "by", "and", "or", "unless"}
# Added by Prometheus itself.
OF_PROMETHEUS = {"up": {"job"}}


@cache
def _shown() -> dict[str, set[str]]:
    """Return every sample that /metrics can show, with its labels."""

    class Started:
        """A started executor, as far as the metrics use it."""

        release, pids, restarts = "a release", (1,), 0

    metrics = Metrics()
    assert ear_executor().restarts == 0
    metrics.watch(Started())  # type: ignore[arg-type]
    metrics.knows_chat("local")
    metrics.queue_is(0, 0, 0)
    metrics.part_is("model", ready=True)
    metrics.readiness_is([GenreReadiness("jazz", 3, 0, 1, 0, 0, 0, 0, 0, 0, None)])
    text = generate_latest(metrics.registry).decode()
    shown: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            shown.setdefault(sample.name, set()).update(sample.labels, {"job"})
    return shown | OF_PROMETHEUS


def _asked() -> Iterator[tuple[str, str]]:
    """Return every expression and its location."""
    board: dict[str, Any] = json.loads((DEPLOY / "grafana/genre-bot.json").read_text(encoding="utf-8"))
    for panel in board["panels"]:
        yield from ((f"panel {panel['title']}", target["expr"]) for target in panel["targets"])
    for group in yaml.safe_load((DEPLOY / "alerts.yaml").read_text(encoding="utf-8"))["groups"]:
        yield from ((f"alert {rule['alert']}", rule["expr"]) for rule in group["rules"])


@pytest.mark.parametrize(("where", "expression"), list(_asked()))
def test_an_expression_asks_for_metrics_and_labels_that_there_are(where: str, expression: str) -> None:
    assert expression.count("(") == expression.count(")")
    grouped = {label.strip() for labels in re.findall(r"by \(([^)]*)\)", expression) for label in labels.split(",")}
    bare = re.sub(r"by \([^)]*\)|\[[^\]]*\]", "", expression)
    asked = {
        name: set(re.findall(r"(\w+)\s*[=!]", selector))
        for name, selector in re.findall(r"\b([a-z_]\w*)\b(?:\{([^}]*)\})?(?!\s*\()", re.sub(r'"[^"]*"', '""', bare))
        if name not in FUNCTIONS
    }
    selectors = {label for labels in asked.values() for label in labels}
    names = asked.keys() - selectors
    assert names, where
    for name in names:
        assert name in _shown(), f"{where} asks for {name}"
        assert asked[name] <= _shown()[name], f"{where} asks {name} for {asked[name]}"
    assert grouped <= set().union(*(_shown()[name] for name in names)), where


def test_nothing_that_is_counted_is_left_out_of_the_dashboard() -> None:
    asked = " ".join(expression for where, expression in _asked() if where.startswith("panel"))
    families = {re.sub(r"_(bucket|sum|count|created)$", "", name) for name in _shown() if name.startswith("genre_bot")}
    assert {family for family in families if family not in asked} == set()


def test_dashboards_are_asked_of_the_source_that_is_set_up() -> None:
    sources = yaml.safe_load((DEPLOY / "grafana/sources.yaml").read_text(encoding="utf-8"))["datasources"]
    board = json.loads((DEPLOY / "grafana/genre-bot.json").read_text(encoding="utf-8"))
    assert {panel["datasource"]["uid"] for panel in board["panels"]} == {source["uid"] for source in sources}
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    config = yaml.safe_load((DEPLOY / "prometheus.yaml").read_text(encoding="utf-8"))
    assert [job["job_name"] for job in config["scrape_configs"]] == ["genre-bot"]
