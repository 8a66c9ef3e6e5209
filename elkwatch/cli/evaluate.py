"""`elkwatch evaluate`: a model measured against labels, beside every baseline."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from elkwatch.cli.options import (
    FileOptions,
    device_option,
    file_options,
    files_argument,
    json_option,
)
from elkwatch.cli.shell import examples

if TYPE_CHECKING:
    import torch

    from model import Evaluation, FitLogs, Labels, Session, TrainedModel


@click.command(
    "evaluate",
    epilog=examples(
        "elkwatch evaluate test.ndjson.gz --model models/db --labels labels.csv \\",
        "    --session-field postgresql.log.session_id --out figures.json",
        "elkwatch evaluate test.ndjson.gz --labels labels.csv --detectors pca,knn \\",
        "    --train week.ndjson.gz --session-field postgresql.log.session_id",
    ),
)
@files_argument()
@click.option(
    "--model",
    "model_path",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Model bundle, made by `elkwatch train`; with --detectors it may be left out.",
)
@click.option(
    "--labels",
    "labels_path",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="CSV session,anomaly or session,kind.",
)
@click.option(
    "--detectors",
    metavar="NAME,...",
    help="Other methods beside it, by name, or all; they are fitted on --train.",
)
@click.option(
    "--train",
    "train_files",
    multiple=True,
    metavar="FILE",
    help="With --detectors: mostly normal logs to fit them on; repeatable.",
)
@click.option(
    "--train-labels",
    "train_labels_path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Labels of --train, for detectors that learn from labels.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    help="With --detectors: of all that is drawn by chance.",
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
    model_path: Path | None,
    labels_path: Path,
    detectors: str | None,
    train_files: tuple[str, ...],
    train_labels_path: Path | None,
    seed: int,
    out: Path | None,
    device: str,
    as_json: bool,
    file_options: FileOptions,
) -> None:
    """Measure a model against labels, beside every baseline.

    Sessions labelled `ignore`, and those without a label, are left out. With
    --detectors one table shows other methods too: quality, time and size. Without
    labels of both sorts for --train, those that learn from labels are cross-validated
    over FILE... in five folds.
    """
    from elkwatch.log_streams import check_paths
    from elkwatch.result_files import open_text_result
    from model import NO_LABELS, FitLogs, choose_device, load_bundle, read_labels

    names = _names(detectors)
    _check_options(names, model_path, train_files, train_labels_path)
    chosen = choose_device(device)
    model = None if model_path is None else load_bundle(model_path)
    labels = read_labels(labels_path)
    taught = None if train_labels_path is None else read_labels(train_labels_path)
    check_paths([*files, *train_files])
    never = [*files, *train_files, labels_path, train_labels_path]
    with nullcontext() if out is None else open_text_result(out, never=never) as stream:
        sessions = _read(files, file_options, labels, labels_path)
        if model is not None and not names:
            record, lines = _measure(model, str(model_path), sessions, labels, chosen)
        else:
            train = _read(train_files, file_options, taught, train_labels_path)
            logs = FitLogs(train, taught or NO_LABELS, model)
            record, lines = _compare(names, logs, sessions, labels, seed, chosen)
        text = json.dumps(record, indent=2, ensure_ascii=False)
        if stream is not None:
            stream.write(text + "\n")
    click.echo(text if as_json else "\n".join(lines))


def _names(detectors: str | None) -> list[str]:
    """`all`, or names with commas between; empty without the option."""
    from model import DETECTORS

    if detectors is None:
        return []
    if detectors.strip() == "all":
        return [entry.name for entry in DETECTORS]
    names = [name.strip() for name in detectors.split(",") if name.strip()]
    if not names:
        raise click.UsageError("--detectors names none; write NAME,... or all")
    return list(dict.fromkeys(names))


def _check_options(
    names: Sequence[str],
    model_path: Path | None,
    train_files: Sequence[str],
    train_labels_path: Path | None,
) -> None:
    if not names:
        if train_files or train_labels_path:
            raise click.UsageError("--train goes with --detectors; give both, or none")
        if model_path is None:
            raise click.UsageError("Missing option '--model'.")
    elif not train_files and train_labels_path:
        raise click.UsageError("--train-labels goes with --train; give its logs too")
    elif not train_files and model_path is None:
        raise click.UsageError(
            "--detectors have to be fitted: give mostly normal logs with --train FILE, "
            "or a trained --model DIR"
        )


def _read(
    files: Sequence[str],
    options: FileOptions,
    labels: Labels | None,
    labels_path: Path | None,
) -> list[Session]:
    """The sessions of files, if any are given; tells of labels that fit none."""
    from elkwatch.log_files import read_sessions
    from elkwatch.training_input import tell_of_labels

    sessions = read_sessions(files, options) if files else []
    if labels is not None:
        tell_of_labels(labels, labels_path, sessions)
    return sessions


def _measure(
    model: TrainedModel,
    name: str,
    sessions: Sequence[Session],
    labels: Labels,
    device: torch.device,
) -> tuple[dict[str, Any], list[str]]:
    """The figures of a model, as JSON and as lines."""
    from elkwatch.log_files import warn
    from elkwatch.model_fit import unfit
    from model import Classifier
    from model import evaluate as measure

    figures = measure(Classifier(model, device=device), sessions, labels, device=device)
    if line := unfit(name, figures.unknown_ratio):
        warn(line)
    return figures.record(), list(_told(figures))


def _compare(
    names: Sequence[str],
    logs: FitLogs,
    sessions: Sequence[Session],
    labels: Labels,
    seed: int,
    device: torch.device,
) -> tuple[dict[str, Any], list[str]]:
    """Detectors beside each other, as JSON and as lines."""
    from elkwatch.detector_table import comparison_record, detector_table, heading
    from elkwatch.log_files import warn
    from model import judge_detectors

    rows = judge_detectors(
        names, logs, sessions, labels, seed=seed, device=device, tell=warn
    )
    record = comparison_record(rows, sessions, labels, len(logs.sessions), seed)
    return record, [heading(record), "", *detector_table(rows)]


def _told(figures: Evaluation) -> Iterator[str]:
    yield (
        f"model {figures.model_version}: {figures.sessions} labelled sessions, "
        f"{figures.anomalous} anomalous"
        + (
            f"; {figures.unlabelled} without a label left out"
            if figures.unlabelled
            else ""
        )
    )
    yield (f"\n{'detection':<38}{'P':>7}{'R':>7}{'F1':>7}{'AP':>7}{'flagged':>9}")
    for row in figures.detection:
        yield (
            f"{row.method:<38}{row.precision:>7.3f}{row.recall:>7.3f}{row.f1:>7.3f}"
            f"{row.average_precision:>7.3f}{row.flagged:>9}"
        )
    if figures.adjusted_rand is None:
        return
    yield (
        f"\n{'kind':<26}{'sessions':>9}{'detected':>9}{'P':>7}{'R':>7}{'F1':>7}  class"
    )
    for kind in figures.kinds:
        yield (
            f"{kind.kind:<26}{kind.sessions:>9}{kind.detected:>9.3f}"
            f"{kind.precision:>7.3f}{kind.recall:>7.3f}{kind.f1:>7.3f}  {kind.as_class}"
        )
    yield (
        f"\nclasses against labelled kinds: ARI {figures.adjusted_rand:.3f}, "
        f"V {figures.v_measure:.3f}"
    )
