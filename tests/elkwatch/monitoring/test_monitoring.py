"""Probes and metrics over real HTTP, and `elkwatch health` that asks them."""

from __future__ import annotations

import json
import re
import socket
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from alerting import DeliveryReport
from elkwatch.cli.health import health
from elkwatch.errors import ConfigError, ElkwatchError
from elkwatch.monitoring import MonitoringServer, Pulse, ServiceMetrics, Watcher
from elkwatch.outputs import Progress
from elkwatch.rounds import SourceOutcome, Tick
from elkwatch.source_run import ReadCounts

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


@dataclass
class StandingClock:
    """A clock that tests move."""

    at: datetime = NOW

    def now(self) -> datetime:
        """Where it stands."""
        return self.at


@dataclass
class Watched:
    """A server with what feeds it."""

    clock: StandingClock = field(default_factory=StandingClock)
    pulse: Pulse = field(default_factory=lambda: Pulse(timedelta(minutes=5), NOW))
    metrics: ServiceMetrics = field(default_factory=ServiceMetrics)
    url: str = ""

    @property
    def watcher(self) -> Watcher:
        """What the service tells."""
        return Watcher(self.pulse, self.metrics)

    def ask(self, path: str) -> tuple[int, dict[str, object]]:
        """Status and answer of a probe."""
        status, body = self.page(path)
        return status, json.loads(body)

    def page(self, path: str, method: str = "GET") -> tuple[int, str]:
        """Status and text of a page."""
        request = urllib.request.Request(self.url + path, method=method)
        try:
            with urllib.request.urlopen(request, timeout=5) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()


@pytest.fixture
def watched() -> Iterator[Watched]:
    made = Watched()
    at = ("127.0.0.1", 0)
    server = MonitoringServer(at, made.pulse, made.metrics, made.clock)
    server.start()
    made.url = server.url
    yield made
    server.stop()


def tick(failure: str | None = None, name: str = "shop") -> Tick:
    progress = Progress(sessions=7, created=2, classes=Counter({"c01": 2}), lag_s=31.0)
    progress.watch.add("read", 1.5)
    counts = ReadCounts(documents=50, unknown=5, late=1)
    outcome = SourceOutcome(name, progress, counts, 3, failure, "v1", 60.0)
    return Tick((outcome,), DeliveryReport())


def test_a_service_that_starts_is_alive_and_not_ready(watched: Watched) -> None:
    assert watched.ask("/healthz")[0] == 200
    status, answer = watched.ask("/readyz")
    assert (status, answer["state"]) == (503, "starting")


def test_a_round_makes_it_ready_and_a_failure_unready(watched: Watched) -> None:
    watched.watcher.round_ended(tick(), NOW)
    assert watched.ask("/readyz")[0] == 200
    watched.watcher.round_ended(tick("source shop: no index matches logs-*"), NOW)
    status, answer = watched.ask("/readyz")
    assert status == 503
    assert answer["reasons"] == ["source shop: no index matches logs-*"]
    assert watched.ask("/healthz")[0] == 200  # a restart would not help


def test_standing_by_is_ready(watched: Watched) -> None:
    watched.watcher.stood_by(NOW)
    status, answer = watched.ask("/readyz")
    assert (status, answer["state"]) == (200, "standby")
    assert "elkwatch_leading 0.0" in watched.page("/metrics")[1]


def test_a_service_that_hangs_is_told_of(watched: Watched) -> None:
    watched.watcher.round_ended(tick(), NOW)
    watched.clock.at = NOW + timedelta(minutes=6)
    for page in ("/healthz", "/readyz"):
        status, answer = watched.ask(page)
        assert (status, answer["state"]) == (503, "hanging")
    watched.watcher.step(watched.clock.at)  # a long round goes on
    assert watched.ask("/healthz")[0] == 200


def test_metrics_can_be_read_and_keep_the_conventions(watched: Watched) -> None:
    watched.watcher.round_ended(tick(), NOW)
    watched.watcher.round_ended(tick("down"), NOW)
    status, text = watched.page("/metrics")
    assert status == 200
    samples = {
        (s.name, tuple(sorted(s.labels.items()))): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
    }
    shop = ("source", "shop")
    assert samples["elkwatch_documents_total", (shop,)] == 100
    assert samples["elkwatch_lag_seconds", (shop,)] == 31
    assert samples["elkwatch_unknown_ratio", (shop,)] == pytest.approx(0.1)
    by_class = (("class_id", "c01"), shop)
    assert samples["elkwatch_class_findings_total", by_class] == 4
    assert samples["elkwatch_source_failures_total", (shop,)] == 1
    assert samples["elkwatch_memory_bytes", ()] > 1e6
    assert samples["elkwatch_last_round_timestamp_seconds", ()] == NOW.timestamp()
    for name, _ in samples:
        assert re.fullmatch(r"elkwatch_[a-z_]+", name), name


def test_every_metric_is_in_the_runbook_and_no_other(watched: Watched) -> None:
    page = Path(__file__).parents[3] / "docs" / "operations.md"
    told = set(re.findall(r"`(elkwatch_[a-z_]+)`", page.read_text("utf-8")))
    text = watched.page("/metrics")[1]
    kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE))
    assert told == {name for name in kinds if not name.endswith("_created")}


def test_classes_are_bounded(watched: Watched) -> None:
    for i in range(300):
        progress = Progress(classes=Counter({f"c{i}": 1}))
        outcome = SourceOutcome("shop", progress, ReadCounts(), 0)
        watched.metrics.round_ended(Tick((outcome,), DeliveryReport()), NOW)
    text = watched.page("/metrics")[1]
    assert text.count("elkwatch_class_findings_total{") == 201
    assert 'class_id="other"' in text


def test_only_three_pages_and_only_get(watched: Watched) -> None:
    assert watched.page("/")[0] == 404
    assert watched.page("/metrics/../etc/passwd")[0] == 404
    assert watched.page("/healthz", "POST")[0] == 405
    assert watched.page("/healthz", "HEAD") == (200, "")


def test_a_client_that_says_nothing_does_not_stop_the_others(watched: Watched) -> None:
    host, port = watched.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))):
        assert watched.ask("/healthz")[0] == 200


def test_a_taken_port_is_one_line(watched: Watched) -> None:
    port = int(watched.url.rpartition(":")[2])
    second = MonitoringServer(
        ("127.0.0.1", port), watched.pulse, watched.metrics, watched.clock
    )
    with pytest.raises(ConfigError, match=r"is taken; choose another port"):
        second.start()
    assert sum(t.name == "monitoring" for t in threading.enumerate()) == 1


def _asked(watched_url: str, folder: Path, *argv: str) -> tuple[object, str]:
    listen = watched_url.removeprefix("http://")
    file = folder / "elkwatch.yml"
    file.write_text(
        "elasticsearch: {hosts: ['http://localhost:9200']}\n"
        "sources: [{name: shop, index: logs-shop}]\n"
        f"monitoring: {{listen: '{listen}'}}\n",
        "utf-8",
    )
    done = CliRunner().invoke(
        health, [*argv, "--config", str(file)], standalone_mode=False
    )
    if done.exception is not None:
        raise done.exception
    return done.return_value, done.output


def test_the_command_asks_the_service(watched: Watched, tmp_path: Path) -> None:
    assert _asked(watched.url, tmp_path) == (0, "alive\n")
    assert _asked(watched.url, tmp_path, "--ready")[0] == 1


def test_the_command_where_nothing_answers(tmp_path: Path) -> None:
    with pytest.raises(ElkwatchError, match=r"no elkwatch answers at 127.0.0.1:9"):
        _asked("http://127.0.0.1:9", tmp_path)
