"""`elkwatch dashboards preview`: the dashboards as one HTML page, without Kibana."""

from __future__ import annotations

from pathlib import Path

import click

from elkwatch.cli.options import config_option, load
from elkwatch.cli.period import period_options, read_period
from elkwatch.cli.shell import examples


@click.command(
    "preview",
    epilog=examples(
        "elkwatch dashboards preview --out preview",
        "elkwatch dashboards preview --from now-7d --out preview",
    ),
)
@period_options
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="Where preview.html goes.",
)
@config_option
def preview(start: str, end: str, out: Path, config_path: Path | None) -> None:
    """Draw the dashboards from what is in Elasticsearch, as one HTML page.

    The panels are those that `build` writes for Kibana. The page needs nothing else:
    no Kibana, no scripts, no network. Drawing needs `pip install 'elkwatch[preview]'`.
    """
    from connector import Results
    from connector.client import connect, preflight
    from elkwatch.clock import SystemClock
    from elkwatch.config import translate
    from elkwatch.preview import write_preview
    from kibana.preview import Period

    config, now = load(config_path), SystemClock().now()
    period = Period(*read_period(start, end, now), config.alerting.zone)
    client = connect(translate.client_config(config.elasticsearch))
    engine = preflight(client)
    file = out / "preview.html"
    data = write_preview(
        file,
        config,
        Results(client, config.namespace).search,
        period,
        made=now,
        engine=f"Elasticsearch {', '.join(engine.versions)}",
    )
    click.echo(f"{len(data.boards)} dashboards, {data.findings} findings → {file}")
