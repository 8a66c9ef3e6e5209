"""`elkwatch evaluate`: a model measured against labels, beside every baseline."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from elkwatch.cli.options import (
    FileOptions,
    device_option,
    file_options,
    files_argument,
    json_option,
    model_option,
)
from elkwatch.cli.shell import examples

if TYPE_CHECKING:
    from model import Evaluation


@click.command(
    "evaluate",
    epilog=examples(
        "elkwatch evaluate test.ndjson.gz --model models/db --labels labels.csv \\",
        "    --session-field postgresql.log.session_id --out figures.json",
    ),
)
@files_argument()
@model_option
@click.option(
    "--labels",
    "labels_path",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="CSV session,anomaly or session,kind.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE.json",
    help="Write all figures as JSON.",
)
@device_option
@json_option
@file_options
def evaluate(
    files: tuple[str, ...],
    model_path: Path,
    labels_path: Path,
    out: Path | None,
    device: str,
    as_json: bool,
    file_options: FileOptions,
) -> None:
    """Measure a model against labels, beside every baseline.

    Sessions labelled `ignore`, and those without a label, are left out.
    """
    from elkwatch.log_files import read_sessions, warn
    from elkwatch.model_fit import unfit
    from elkwatch.result_files import open_text_result
    from elkwatch.training_input import tell_of_labels
    from model import Classifier, choose_device, load_bundle, read_labels
    from model import evaluate as measure

    chosen = choose_device(device)
    classifier = Classifier(load_bundle(model_path), device=chosen)
    labels = read_labels(labels_path)
    never: list[str | Path] = [*files, labels_path]
    with nullcontext() if out is None else open_text_result(out, never=never) as stream:
        sessions = read_sessions(files, file_options)
        tell_of_labels(labels, labels_path, sessions)
        figures = measure(classifier, sessions, labels, device=chosen)
        text = json.dumps(figures.record(), indent=2, ensure_ascii=False)
        if stream is not None:
            stream.write(text + "\n")
    if line := unfit(str(model_path), figures.unknown_ratio):
        warn(line)
    if as_json:
        click.echo(text)
    else:
        _tell(figures)


def _tell(figures: Evaluation) -> None:
    click.echo(
        f"model {figures.model_version}: {figures.sessions} labelled sessions, "
        f"{figures.anomalous} anomalous"
        + (
            f"; {figures.unlabelled} without a label left out"
            if figures.unlabelled
            else ""
        )
    )
    click.echo(f"\n{'detection':<38}{'P':>7}{'R':>7}{'F1':>7}{'AP':>7}{'flagged':>9}")
    for row in figures.detection:
        click.echo(
            f"{row.method:<38}{row.precision:>7.3f}{row.recall:>7.3f}{row.f1:>7.3f}"
            f"{row.average_precision:>7.3f}{row.flagged:>9}"
        )
    if figures.adjusted_rand is None:
        return
    click.echo(
        f"\n{'kind':<26}{'sessions':>9}{'detected':>9}{'P':>7}{'R':>7}{'F1':>7}  class"
    )
    for kind in figures.kinds:
        click.echo(
            f"{kind.kind:<26}{kind.sessions:>9}{kind.detected:>9.3f}"
            f"{kind.precision:>7.3f}{kind.recall:>7.3f}{kind.f1:>7.3f}  {kind.as_class}"
        )
    click.echo(
        f"\nclasses against labelled kinds: ARI {figures.adjusted_rand:.3f}, "
        f"V {figures.v_measure:.3f}"
    )
