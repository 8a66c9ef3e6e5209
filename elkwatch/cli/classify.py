"""`elkwatch classify`: logs in, verdicts out."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path

import click

from elkwatch.cli.options import FileOptions, file_options, files_argument
from elkwatch.cli.shell import examples


@click.command(
    "classify",
    epilog=examples(
        "elkwatch classify today.ndjson.gz --model models/app --out verdicts.ndjson \\",
        "    --session-field trace.id",
        "elkwatch classify hdfs.log --model m --out - --session-pattern 'blk_-?\\d+'",
    ),
)
@files_argument()
@click.option(
    "--model",
    "model_path",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="Model bundle, made by `elkwatch train`.",
)
@click.option(
    "--out",
    required=True,
    metavar="FILE",
    help="NDJSON, one line a session; - for standard output.",
)
@click.option(
    "--catalogue",
    type=click.Path(path_type=Path),
    metavar="FILE.yml",
    help="Names and advice of your own.",
)
@click.option(
    "--language",
    type=click.Choice(["en", "zh"]),
    default="en",
    show_default=True,
    help="Of names and advice.",
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="Where to compute.",
)
@file_options
def classify(
    files: tuple[str, ...],
    model_path: Path,
    out: str,
    catalogue: Path | None,
    language: str,
    device: str,
    file_options: FileOptions,
) -> None:
    """Logs in, verdicts out: one line of JSON for each session of FILE..."""
    import orjson

    from elkwatch.log_files import read_sessions
    from model import Classifier, choose_device, load_bundle, load_catalogue

    classifier = Classifier(
        load_bundle(model_path),
        device=choose_device(device),
        language=language,
        catalogue=load_catalogue(catalogue),
    )
    sessions = read_sessions(files, file_options)
    odd = 0
    if out != "-":
        Path(out).parent.mkdir(parents=True, exist_ok=True)
    with (
        nullcontext(sys.stdout.buffer) if out == "-" else Path(out).open("wb") as stream
    ):
        for at in range(0, len(sessions), 2000):
            for verdict in classifier.classify(sessions[at : at + 2000]):
                odd += verdict.anomaly
                stream.write(orjson.dumps(verdict.record()) + b"\n")
    click.echo(f"{len(sessions)} sessions, {odd} anomalous", err=True)
