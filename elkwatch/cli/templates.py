"""`elkwatch templates`: the log templates of a file."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from contextlib import nullcontext
from pathlib import Path

import click

from elkwatch.cli.options import FileOptions, file_options, files_argument
from elkwatch.cli.shell import examples


@click.command(
    "templates",
    epilog=examples(
        "elkwatch templates app.log.gz --out templates.csv",
        "elkwatch templates app.log --out - --mask ORDER='ord-[a-z]+'",
        "elkwatch templates app.log --explain 'order 17 of 10.0.0.3 failed'",
    ),
)
@files_argument()
@click.option(
    "--out",
    metavar="FILE.csv",
    help="Where to write line,event_id,template, one row a log line; - for stdout.",
)
@click.option(
    "--mask",
    "masks",
    metavar="NAME=REGEX",
    multiple=True,
    help="A mask of your own, before the built-in ones (RE2 syntax); repeatable.",
)
@click.option(
    "--explain",
    metavar="LINE",
    help="Say which masks and template make this line's id.",
)
@file_options
def templates(
    files: tuple[str, ...],
    out: str | None,
    masks: tuple[str, ...],
    explain: str | None,
    file_options: FileOptions,
) -> None:
    """Find the log templates of FILE...

    Learns all lines first, then gives every line its template, in order.
    """
    from elkwatch.log_files import read_events
    from model import MinerConfig, TemplateMiner, parse_masks

    if out is None and explain is None:
        raise click.UsageError("give --out FILE.csv, or --explain LINE")
    miner = TemplateMiner(MinerConfig(masks=parse_masks(masks)))
    messages = [event.message for event in read_events(files, file_options)]
    for message in messages:
        miner.learn(message)
    texts = {t.template_id: t.text for t in miner.templates()}
    if explain is not None:
        _explain(miner, texts, explain)
    if out is None:
        return
    counts: Counter[int] = Counter()
    target = nullcontext(sys.stdout) if out == "-" else _opened(out)
    with target as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["line", "event_id", "template"])
        for number, message in enumerate(messages, 1):
            template = miner.match(message)
            counts[template] += 1
            text = texts.get(template, "")
            writer.writerow([number, f"E{template}", text])
    click.echo(
        f"{len(messages)} lines, {len(counts)} templates"
        + ("" if out == "-" else f" → {out}"),
        err=True,
    )


def _opened(out: str):  # type: ignore[no-untyped-def]
    path = Path(out)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("w", encoding="utf-8", errors="replace", newline="")


def _explain(miner, texts, line: str) -> None:  # type: ignore[no-untyped-def]
    click.echo(f"line      {line}")
    for name, text in miner.explain(line):
        click.echo(f"{name:<9} {text}")
    template = miner.match(line)
    found = f"E{template} {texts[template]}" if template else "none (never seen)"
    click.echo(f"template  {found}")
