"""`elkwatch doctor`: everything a running elkwatch needs, and how to mend it."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from elkwatch.cli.options import config_option, device_option, json_option, load
from elkwatch.cli.shell import examples

if TYPE_CHECKING:
    from elkwatch.doctor import Status


@click.command(
    "doctor",
    epilog=examples(
        "elkwatch doctor                      look at everything, send nothing",
        "elkwatch doctor --send               send each channel a test message, too",
        "elkwatch doctor --source shop-db     of the sources look at this one only",
        "elkwatch doctor --json | jq '.lines[] | select(.status == \"fail\")'",
    ),
)
@click.option(
    "--source", "only", multiple=True, metavar="NAME", help="Only this; repeatable."
)
@click.option(
    "--send/--no-send",
    default=False,
    show_default=True,
    help="Send a test message to each channel, or only go as far as one would.",
)
@device_option
@json_option
@config_option
def doctor(
    only: tuple[str, ...],
    send: bool,
    device: str,
    as_json: bool,
    config_path: Path | None,
) -> int:
    """Check everything a running elkwatch needs; say how to mend what is broken.

    One line each: ok, warn, fail or skipped. Reads only: nothing is written into
    Elasticsearch, and nothing is sent without --send. Exit code 1 if anything fails.
    """
    from elkwatch.clock import SystemClock
    from elkwatch.config import find_config, source_named
    from elkwatch.doctor import Case, all_checks, examine

    config = load(config_path)
    for name in only:
        source_named(config, name)
    file = find_config(config_path, os.environ)
    case = Case(config, file, SystemClock(), device, send, only)
    lines = []
    try:
        for line in examine(all_checks(case)):
            lines.append(line)
            if not as_json:
                click.echo(str(line))
    finally:
        case.close()
    counts = Counter(line.status for line in lines)
    if as_json:
        told = [asdict(line) for line in lines]
        click.echo(json.dumps({"counts": counts, "lines": told}, ensure_ascii=False))
    else:
        click.echo(_summary(counts))
    return 1 if counts["fail"] else 0


def _summary(counts: Counter[Status]) -> str:
    if not counts["fail"] and not counts["warn"]:
        return f"all is well: {counts['ok']} lines, {counts['skipped']} skipped"
    order: tuple[Status, ...] = ("fail", "warn", "ok", "skipped")
    return ", ".join(f"{counts[status]} {status}" for status in order)
