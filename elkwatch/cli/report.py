"""`elkwatch report`: a period as one HTML page."""

from __future__ import annotations

from pathlib import Path

import click

from elkwatch.cli.options import config_option, load
from elkwatch.cli.period import period_options, read_period
from elkwatch.cli.shell import examples


@click.command(
    "report",
    epilog=examples(
        "elkwatch report --out today.html",
        "elkwatch report --from now-7d --out week.html",
        "elkwatch report --from 2026-11-01T00:00:00Z --to 2026-11-08T00:00:00Z \\",
        "    --out first-week.html",
    ),
)
@period_options
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
    from elkwatch.model_quality import model_quality
    from elkwatch.privacy import Masker
    from elkwatch.report import build_report, report_data_from_documents
    from elkwatch.result_files import open_text_result
    from elkwatch.translate import masked_document

    config, now = load(config_path), SystemClock().now()
    mask = Masker(config.privacy.mask)
    shown = config.privacy.session_keys == "shown"
    period = read_period(start, end, now)
    with open_text_result(out) as stream:
        client = connect(translate.client_config(config.elasticsearch))
        engine = preflight(client)
        results = Results(client, config.namespace)
        data = report_data_from_documents(
            (
                masked_document(found, mask, show_keys=shown)
                for found in results.findings(*period)
            ),
            results.runs(*period),
            generated_at=now,
            period=period,
            engine=f"Elasticsearch {', '.join(engine.versions)}",
            zone=config.alerting.zone,
            quality=model_quality(config.sources),
        )
        stream.write(build_report(data))
    click.echo(f"{data.findings} findings → {out}")
