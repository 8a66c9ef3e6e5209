"""`elkwatch report`: a period as one HTML page."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from elkwatch.cli.options import config_option, load
from elkwatch.cli.shell import examples
from elkwatch.errors import ConfigError


@click.command(
    "report",
    epilog=examples(
        "elkwatch report --out today.html",
        "elkwatch report --from now-7d --out week.html",
        "elkwatch report --from 2026-11-01T00:00:00Z --to 2026-11-08T00:00:00Z \\",
        "    --out first-week.html",
    ),
)
@click.option(
    "--from",
    "start",
    default="now-24h",
    show_default=True,
    metavar="TIME",
    help="Start of the period: now-… or an ISO time.",
)
@click.option("--to", "end", default="now", show_default=True, metavar="TIME")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE.html",
    help="One page that needs nothing else: no Kibana, no network.",
)
@config_option
def report(start: str, end: str, out: Path, config_path: Path | None) -> None:
    """A period as one self-contained HTML page, no Kibana needed."""
    from connector import Results
    from connector.client import connect, preflight
    from elkwatch.clock import SystemClock
    from elkwatch.config import translate
    from elkwatch.report import build_report, report_data_from_documents
    from elkwatch.result_files import open_text_result

    config, now = load(config_path), SystemClock().now()
    period = _time(start, "--from", now), _time(end, "--to", now)
    if period[0] >= period[1]:
        raise ConfigError(f"--from {start} is not before --to {end}")
    with open_text_result(out) as stream:
        client = connect(translate.client_config(config.elasticsearch))
        engine = preflight(client)
        results = Results(client, config.namespace)
        data = report_data_from_documents(
            results.findings(*period),
            results.runs(*period),
            generated_at=now,
            period=period,
            engine=f"Elasticsearch {', '.join(engine.versions)}",
            zone=config.alerting.zone,
        )
        stream.write(build_report(data))
    click.echo(f"{data.findings} findings → {out}")


def _time(text: str, option: str, now: datetime) -> datetime:
    from elkwatch.config import parse_start

    if text.strip() == "now":
        return now
    try:
        resolved = parse_start(text).resolve(now)
    except ValueError as error:
        raise ConfigError(f"{option} {text}: {error}") from error
    if resolved is None:
        return datetime.fromtimestamp(0, tz=now.tzinfo)
    return resolved
