"""`elkwatch templates`: the log templates of a file."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from elkwatch.cli.options import FileOptions, file_options, files_argument
from elkwatch.cli.shell import examples

if TYPE_CHECKING:
    from model import TemplateMiner


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

    Learns all lines first, then gives every line its template, in order. `line` counts
    the lines of all files, those that were left out too.
    """
    from elkwatch.log_files import plural, read_lines
    from elkwatch.result_files import open_text_result
    from model import MinerConfig, TemplateMiner, parse_masks

    if out is None and explain is None:
        raise click.UsageError("give --out FILE.csv, or --explain LINE")
    miner = TemplateMiner(MinerConfig(masks=parse_masks(masks)))
    lines: list[tuple[int, str]] = []
    for number, message in read_lines(files, file_options):
        lines.append((number, message))
        miner.learn(message)
    texts = {t.template_id: t.text for t in miner.templates()}
    if explain is not None:
        _explain(miner, texts, explain)
    if out is None:
        return
    counts: Counter[int] = Counter()
    with open_text_result(out, never=files) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["line", "event_id", "template"])
        for number, message in lines:
            template = miner.match(message)
            counts[template] += 1
            writer.writerow([number, f"E{template}", texts.get(template, "")])
    told = f"{plural(len(lines), 'line')}, {plural(len(counts), 'template')}"
    click.echo(told + ("" if out == "-" else f" → {out}"), err=True)


def _explain(miner: TemplateMiner, texts: Mapping[int, str], line: str) -> None:
    click.echo(f"line      {line}")
    for name, text in miner.explain(line):
        click.echo(f"{name:<9} {text}")
    template = miner.match(line)
    found = f"E{template} {texts[template]}" if template else "none (never seen)"
    click.echo(f"template  {found}")
