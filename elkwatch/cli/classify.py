"""`elkwatch classify`: logs in, verdicts out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from model import Rule


@click.command(
    "classify",
    epilog=examples(
        "elkwatch classify today.ndjson.gz --model models/app --out verdicts.ndjson \\",
        "    --session-field trace.id",
        "elkwatch classify hdfs.log --model m --out - --session-pattern 'blk_-?\\d+'",
        "elkwatch classify week.ndjson.gz today.ndjson.gz --model m --workers 4 \\",
        "    --out v.ndjson --session-field trace.id",
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
@click.option(
    "--detector",
    "detectors",
    multiple=True,
    metavar="NAME",
    help="Decide by this detector of the model instead; several together by --rule.",
)
@click.option(
    "--rule",
    type=click.Choice(["any", "majority", "mean-rank"]),
    default="any",
    show_default=True,
    help="How several detectors decide.",
)
@catalogue_option
@click.option(
    "--language",
    type=click.Choice(["en", "zh"]),
    default="en",
    show_default=True,
    help="Of names and advice.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes that share the sessions out by their keys.",
)
@click.option(
    "--feedback/--no-feedback",
    "with_feedback",
    default=True,
    help="With --source: what people said of its findings counts here, too.",
)
@device_option
@file_options
def classify(
    files: tuple[str, ...],
    model_path: Path,
    out: str,
    detectors: tuple[str, ...],
    rule: Rule,
    catalogue: Path | None,
    language: str,
    workers: int,
    with_feedback: bool,
    device: str,
    file_options: FileOptions,
) -> None:
    """Logs in, verdicts out: one line of JSON for each session of FILE...

    With --config its `privacy.mask` applies. With --source, the feedback that people
    gave on that source: a line then says which, whether it is a false alarm by that
    (`suppressed`), and the kind that it really is.
    """
    import orjson

    from elkwatch.feedback.of_source import SaidOfSource, advice_in, said_of
    from elkwatch.file_parts import FilePart, ModelChoice, judge, merged
    from elkwatch.log_files import plural, warn
    from elkwatch.model_fit import unfit
    from elkwatch.privacy import Masker
    from elkwatch.result_files import open_result
    from elkwatch.translate import masked_verdict
    from elkwatch.workers import Workers
    from model import DetectorChoice, load_catalogue

    if workers > 1 and "-" in files:
        raise click.UsageError(
            "standard input cannot be read by several workers; name files, or leave "
            "--workers out"
        )
    privacy = file_options.privacy()
    mask, shown = Masker(privacy.mask), privacy.session_keys == "shown"
    choice = DetectorChoice(tuple(dict.fromkeys(detectors)), rule)
    model = ModelChoice(
        model_path,
        device,
        catalogue,
        language,
        privacy.mask,
        choice if detectors else None,
    )
    said = SaidOfSource("")
    if file_options.source is not None and with_feedback:
        said = said_of(file_options.config(), file_options.source, warn)
    advice_of = advice_in(load_catalogue(catalogue), language)
    odd, suppressed, lines, unknown = 0, 0, 0, 0.0
    with (
        Workers(workers, model) as pool,
        open_result(out, never=[*files, catalogue]) as stream,
    ):
        parts = [FilePart(files, file_options, n, workers) for n in range(workers)]
        verdicts = merged(pool.map(judge, parts), warn)
        for verdict in verdicts:
            odd += verdict.anomaly
            lines += verdict.events
            unknown += verdict.unknown_ratio * verdict.events
            reviewed, more = said.review(verdict, advice_of)
            suppressed += bool(more.get("suppressed"))
            told = masked_verdict(reviewed, mask, show_keys=shown)
            stream.write(orjson.dumps({**told.record(), **more}) + b"\n")
    if line := unfit(str(model_path), unknown / max(lines, 1)):
        warn(line)
    false = f", {suppressed} of them false alarms by feedback" if suppressed else ""
    click.echo(f"{plural(len(verdicts), 'session')}, {odd} anomalous{false}", err=True)
