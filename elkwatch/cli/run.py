"""`elkwatch run`: the service."""

from __future__ import annotations

import signal
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from elkwatch.cli.options import (
    config_option,
    device_option,
    load,
)
from elkwatch.cli.shell import examples

if TYPE_CHECKING:
    from elkwatch.clock import Clock
    from elkwatch.config import Config
    from elkwatch.rounds import Tick
from elkwatch.service import Service


@click.command(
    "run",
    epilog=examples(
        "elkwatch run --config elkwatch.yml    until SIGTERM or Ctrl-C",
        "elkwatch run --once                   catch up with the logs, then end",
    ),
)
@click.option(
    "--once",
    is_flag=True,
    help="Work until it has caught up with now − query_delay, then end.",
)
@device_option
@config_option
def run(once: bool, device: str, config_path: Path | None) -> int:
    """The service: pull, classify, write, alert.

    Refuses to start where Elasticsearch, a source, a model or a channel cannot work,
    and says how to mend it. Killed at any instant it goes on where it was. While
    another process works on the same namespace it waits, with --once for two minutes.
    """
    from elkwatch.clock import SystemClock
    from elkwatch.compose import compose
    from elkwatch.service import Service

    config, clock = load(config_path), SystemClock()
    if not once:
        _serve(config, clock, device)
        return 0
    service = Service(compose(config, clock, device=device), clock)
    _stop_on_signal(service)
    return _tell(service.once())


def _serve(config: Config, clock: Clock, device: str) -> None:
    """The service, and its probes while it loads its models and ever after."""
    from elkwatch.compose import compose
    from elkwatch.monitoring import MonitoringServer, Pulse, ServiceMetrics, Watcher
    from elkwatch.service import Service, serve

    settings = config.monitoring
    if settings.listen is None:
        serve(Service(compose(config, clock, device=device), clock), config)
        return
    patience = max(settings.stale_after, 3 * config.schedule.interval)
    pulse, metrics = Pulse(patience, clock.now()), ServiceMetrics()
    at = (settings.listen.host, settings.listen.port)
    server = MonitoringServer(at, pulse, metrics, clock)
    server.start()
    try:
        parts = compose(config, clock, device=device)
        serve(Service(parts, clock, Watcher(pulse, metrics)), config)
    finally:
        server.stop()


def _stop_on_signal(service: Service) -> None:
    def on_signal(_: int, __: FrameType | None) -> None:
        service.stop()

    signal.signal(signal.SIGTERM, on_signal)


def _tell(tick: Tick) -> int:
    from elkwatch.rounds import retrain

    for outcome in tick.sources:
        progress, counts = outcome.progress, outcome.counts
        if outcome.failure is not None:
            click.echo(f"elkwatch: {outcome.failure}", err=True)
            continue
        click.echo(
            f"{outcome.source}: {counts.documents} documents, "
            f"{progress.sessions} sessions, {progress.confirmed} anomalous; findings: "
            f"{progress.created} new, {progress.amended} amended, "
            f"{progress.withdrawn} withdrawn" + _suppressed(progress.suppressed)
        )
        if outcome.outdated:
            click.echo(
                f"  model out of date, {progress.held_back} findings held back: "
                f"{retrain(outcome)}"
            )
        if not counts.documents:
            click.echo(f"  {_nothing_since(progress.since)}")
    if tick.undelivered is not None:
        click.echo(f"elkwatch: {tick.undelivered}", err=True)
    delivery = tick.delivery
    click.echo(
        f"notifications: {delivery.sent} sent, {delivery.retried} to be tried again, "
        f"{delivery.dead} given up"
    )
    return 1 if tick.failures else 0


def _suppressed(count: int) -> str:
    return f", {count} suppressed by feedback" if count else ""


def _nothing_since(since: datetime | None) -> str:
    if since is None:
        return "the source holds no documents yet"
    return (
        f"nothing new since {since:%Y-%m-%dT%H:%M:%SZ}; where a source without a "
        "cursor begins is its `start`"
    )
