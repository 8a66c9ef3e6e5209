"""`elkwatch classify`: logs in, verdicts out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from elkwatch.cli.from_source import check_input, from_source_options
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
    from elkwatch.workers import Workers
    from model import Classifier, Rule, Verdict


@click.command(
    "classify",
    epilog=examples(
        "elkwatch classify today.ndjson.gz --model models/app --out verdicts.ndjson \\",
        "    --session-field trace.id",
        "elkwatch classify hdfs.log --model m --out - --session-pattern 'blk_-?\\d+'",
        "elkwatch classify week.ndjson.gz today.ndjson.gz --model m --workers 4 \\",
        "    --out v.ndjson --session-field trace.id",
        "elkwatch classify --from-es shop-db --from now-7d --model models/shop-db \\",
        "    --workers 2 --out verdicts.ndjson",
    ),
)
@files_argument(required=False)
@from_source_options
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
    help="With --source or --from-es: what people said of findings counts here, too.",
)
@device_option
@file_options
def classify(
    files: tuple[str, ...],
    source_name: str | None,
    start: str,
    end: str,
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

    With --from-es the sessions that a source has had, also those across the ends of
    the time, by start; nothing is written into Elasticsearch.

    With --config its `privacy.mask` applies. With --source or --from-es the source's
    own `detector` and threshold decide, and the feedback that people gave on it counts:
    a line then says which, whether it is a false alarm
    by that (`suppressed`), and the kind that it really is.
    """
    import orjson

    from elkwatch.config import source_named
    from elkwatch.feedback.of_source import SaidOfSource, advice_in, said_of
    from elkwatch.file_parts import ModelChoice
    from elkwatch.log_files import warn
    from elkwatch.privacy import Masker
    from elkwatch.result_files import open_result
    from elkwatch.translate import masked_verdict
    from elkwatch.workers import Workers
    from model import DetectorChoice, load_catalogue

    check_input(files, source_name)
    if source_name is not None:
        file_options = replace(file_options, source=source_name)
    source = file_options.source
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
        None if source is None else source_named(file_options.config(), source),
    )
    advice_of = advice_in(load_catalogue(catalogue), language)
    with (
        Workers(workers, model) as pool,
        open_result(out, never=[*files, catalogue]) as stream,
    ):
        if source_name is not None:
            verdicts = _of_source(pool, file_options, source_name, (start, end), out)
        else:
            verdicts = _of_files(pool, files, file_options)
        said = SaidOfSource("")
        if source is not None and with_feedback:
            said = said_of(file_options.config(), source, warn)
        suppressed = 0
        for verdict in verdicts:
            reviewed, more = said.review(verdict, advice_of)
            suppressed += bool(more.get("suppressed"))
            told = masked_verdict(reviewed, mask, show_keys=shown)
            stream.write(orjson.dumps({**told.record(), **more}) + b"\n")
    _tell(verdicts, suppressed, model_path)


def _tell(verdicts: Sequence[Verdict], suppressed: int, model_path: Path) -> None:
    """How many sessions deviate, and whether the model fits these logs at all."""
    from elkwatch.log_files import plural, warn
    from elkwatch.model_fit import unfit

    lines = sum(verdict.events for verdict in verdicts)
    unknown = sum(verdict.unknown_ratio * verdict.events for verdict in verdicts)
    if line := unfit(str(model_path), unknown / max(lines, 1)):
        warn(line)
    odd = sum(verdict.anomaly for verdict in verdicts)
    false = f", {suppressed} of them false alarms by feedback" if suppressed else ""
    click.echo(f"{plural(len(verdicts), 'session')}, {odd} anomalous{false}", err=True)


def _of_files(
    pool: Workers[Classifier], files: tuple[str, ...], options: FileOptions
) -> list[Verdict]:
    from elkwatch.file_parts import FilePart, judge, merged
    from elkwatch.log_files import warn

    count = pool.count
    parts = [FilePart(files, options, number, count) for number in range(count)]
    return merged(pool.map(judge, parts), warn)


def _of_source(
    pool: Workers[Classifier],
    options: FileOptions,
    source_name: str,
    times: tuple[str, str],
    out: str,
) -> list[Verdict]:
    from elkwatch.clock import SystemClock
    from elkwatch.log_files import warn
    from elkwatch.result_files import STANDARD_OUTPUT
    from elkwatch.source_parts import judged, parts_of, past_period

    config, now = options.config(), SystemClock().now()
    period = past_period(config, options.config_path, source_name, times, now)
    to_file = out != STANDARD_OUTPUT and not Path(out).is_char_device()
    beside = Path(out).parent if to_file else None
    with TemporaryDirectory(prefix=".elkwatch-", dir=beside) as spool:
        parts = parts_of(config, period, pool.count, Path(spool), warn)
        return judged(pool, parts, times, warn)
