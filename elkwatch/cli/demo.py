"""`elkwatch demo`: the whole product on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from elkwatch.cli.shell import examples


@click.command(
    "demo",
    epilog=examples(
        "elkwatch demo",
        "elkwatch demo --keep     leave Elasticsearch up, to look around in it",
    ),
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo-out"),
    show_default=True,
    metavar="DIR",
    help="Where summary.json, the pages, the dashboards and the messages go.",
)
@click.option("--keep", is_flag=True, help="Leave the engine up; prints its address.")
def demo(out: Path, keep: bool) -> int:
    """The whole product on this machine, nothing to configure.

    Starts a real Elasticsearch, indexes logs of a real PostgreSQL server, trains,
    runs twice, sends mails and signed webhooks to local sinks, counts, reports, and
    draws the dashboards.
    """
    from rich.console import Console

    from elkwatch.clock import SystemClock
    from elkwatch.demo.show import Demo
    from elkwatch.program_log import LogOptions, configure

    configure(LogOptions(level="warning", style="human"))
    summary = Demo(out, SystemClock(), Console()).run(keep=keep)
    bad = summary["lost"] or summary["duplicates"] or summary["dashboards"]["defects"]
    return 1 if bad else 0
