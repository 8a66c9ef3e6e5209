"""`elkwatch templates`: the log templates of a file."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TextIO

import click

from elkwatch.cli.options import FileOptions, file_options, files_argument
from elkwatch.cli.shell import examples

if TYPE_CHECKING:
    from model import FrozenTemplates, TemplateMiner

PAGE = 4096


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
    help="Say which masks, branch and merges make this line's id.",
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
    miner = TemplateMiner(MinerConfig(masks=parse_masks(file_options.masks(masks))))
    numbers: list[int] = []
    messages: list[str] = []
    for number, message in read_lines(files, file_options):
        numbers.append(number)
        messages.append(message)
    for page in _pages(messages):
        miner.learn_all(page)
    frozen = miner.freeze()
    if explain is not None:
        _explain(miner, frozen, explain)
    if out is not None:
        found = [
            number for page in _pages(messages) for number in frozen.match_all(page)
        ]
        with open_text_result(out, never=files) as stream:
            _write(stream, numbers, found, frozen)
        told = f"{plural(len(found), 'line')}, {plural(len(set(found)), 'template')}"
        click.echo(told + ("" if out == "-" else f" → {out}"), err=True)
    if miner.overflow:
        click.echo(
            f"{plural(miner.overflow, 'line')} came when the miner was full of "
            "templates; name what varies in them with --mask",
            err=True,
        )


def _pages(messages: Sequence[str]) -> Iterator[Sequence[str]]:
    for at in range(0, len(messages), PAGE):
        yield messages[at : at + PAGE]


def _write(
    stream: TextIO,
    numbers: Sequence[int],
    found: Sequence[int],
    frozen: FrozenTemplates,
) -> None:
    texts = ["", *(template.text for template in frozen.templates)]
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["line", "event_id", "template"])
    writer.writerows(
        (line, f"E{number}", texts[number])
        for line, number in zip(numbers, found, strict=True)
    )


def _explain(miner: TemplateMiner, frozen: FrozenTemplates, line: str) -> None:
    """The masks, the branch of the tree, and what was merged, for one line."""
    click.echo(f"line      {line}")
    for name, text in frozen.explain(line):
        click.echo(f"{name:<9} {text}")
    click.echo("branch    " + " > ".join(miner.branch(line)))
    number = frozen.match(line)
    if not number:
        click.echo("template  none (never seen)")
        return
    template = frozen.templates[number - 1]
    click.echo(f"template  E{number} {template.text}")
    click.echo(f"          {template.size} lines of what was learned")
    for rule in dict.fromkeys(template.rules):
        click.echo(f"merged    {rule}")
