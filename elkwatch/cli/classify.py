"""`elkwatch classify`: logs in, verdicts out."""

from __future__ import annotations

from pathlib import Path

import click

from elkwatch.cli.options import (
    FileOptions,
    catalogue_option,
    device_option,
    file_options,
    files_argument,
    model_option,
)
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
@model_option
@click.option(
    "--out",
    required=True,
    metavar="FILE",
    help="NDJSON, one line a session; - for standard output.",
)
@catalogue_option
@click.option(
    "--language",
    type=click.Choice(["en", "zh"]),
    default="en",
    show_default=True,
    help="Of names and advice.",
)
@device_option
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
    """Logs in, verdicts out: one line of JSON for each session of FILE...

    With --config its `privacy.mask` applies.
    """
    import orjson

    from elkwatch.log_files import plural, read_sessions, warn
    from elkwatch.model_fit import unfit
    from elkwatch.privacy import Masker
    from elkwatch.result_files import open_result
    from elkwatch.translate import masked_verdict
    from model import Classifier, choose_device, load_bundle, load_catalogue

    privacy = file_options.privacy()
    mask, shown = Masker(privacy.mask), privacy.session_keys == "shown"
    classifier = Classifier(
        load_bundle(model_path),
        device=choose_device(device),
        language=language,
        catalogue=load_catalogue(catalogue),
        mask=mask.unnumbered,
    )
    odd, lines, unknown = 0, 0, 0.0
    with open_result(out, never=[*files, catalogue]) as stream:
        sessions = read_sessions(files, file_options)
        for at in range(0, len(sessions), 2000):
            for verdict in classifier.classify(sessions[at : at + 2000]):
                odd += verdict.anomaly
                lines += verdict.events
                unknown += verdict.unknown_ratio * verdict.events
                told = masked_verdict(verdict, mask, show_keys=shown)
                stream.write(orjson.dumps(told.record()) + b"\n")
    if line := unfit(str(model_path), unknown / max(lines, 1)):
        warn(line)
    click.echo(f"{plural(len(sessions), 'session')}, {odd} anomalous", err=True)
