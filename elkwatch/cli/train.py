"""`elkwatch train`: logs in, a model bundle out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, tzinfo
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from elkwatch.cli.from_source import check_input, from_source_options
from elkwatch.cli.options import (
    FileOptions,
    catalogue_option,
    file_options,
    files_argument,
)
from elkwatch.cli.shell import examples
from elkwatch.cli.train_options import TrainOptions, train_options

if TYPE_CHECKING:
    from elkwatch.privacy import Mask
    from elkwatch.training_report import Comparison, TrainingReport
    from model import TrainedModel


@click.command(
    "train",
    epilog=examples(
        "elkwatch train app.log.gz --out models/app --session-field trace.id",
        "elkwatch train week.ndjson.gz --out models/db \\",
        "    --session-field postgresql.log.session_id --labels known.csv",
        "elkwatch train --from-es shop-db --from now-7d --out models/shop-db",
        "elkwatch train week.ndjson.gz --session-field trace.id --out models/db \\",
        "    --checkpoint models/db.partial",
    ),
)
@files_argument(required=False)
@from_source_options
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="Folder of the model bundle; an older bundle there is kept beside it.",
)
@click.option(
    "--shadow",
    is_flag=True,
    help="As a candidate beside the live bundle at --out: `models compare` tells.",
)
@click.option(
    "--discover",
    "discover",
    multiple=True,
    metavar="FILE",
    help="Logs, unlabelled, to find kinds of trouble in; repeatable.",
)
@click.option(
    "--labels",
    "labels_path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="CSV session,anomaly or session,kind.",
)
@click.option(
    "--previous",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Bundle whose classes keep their ids and names.  [default: the one at --out]",
)
@click.option(
    "--feedback/--no-feedback",
    "with_feedback",
    default=True,
    help="With --from-es: what people said of findings counts as labels.  "
    "[default: feedback]",
)
@click.option(
    "--mask",
    "masks",
    multiple=True,
    metavar="NAME=REGEX",
    help="A mask of your own for templates (RE2); repeatable.",
)
@catalogue_option
@click.option(
    "--detector",
    "detectors",
    multiple=True,
    metavar="NAME",
    help="Fit this detector too, for a source to choose (docs/detectors.md); "
    "repeatable.",
)
@train_options
@file_options
def train(
    files: tuple[str, ...],
    source_name: str | None,
    start: str,
    end: str,
    out: Path,
    shadow: bool,
    discover: tuple[str, ...],
    labels_path: Path | None,
    previous: Path | None,
    with_feedback: bool,
    masks: tuple[str, ...],
    catalogue: Path | None,
    detectors: tuple[str, ...],
    options: TrainOptions,
    file_options: FileOptions,
) -> None:
    """Learn what is normal, and which kinds of trouble there are.

    FILE... is taken as mostly normal: what few sessions show is left out before the
    network learns. Kinds are looked for in --discover, or else in FILE... itself.
    Sessions that --labels calls anomalous teach their kind, never what is normal.
    """
    from elkwatch.clock import SystemClock
    from elkwatch.log_files import warn
    from elkwatch.training_input import (
        definition_of,
        fingerprint,
        tell_of_labels,
        training_sessions,
        with_people_said,
    )
    from elkwatch.training_progress import TrainingProgress
    from elkwatch.training_report import compared, older_model, training_report
    from model import (
        NO_LABELS,
        check_detectors,
        choose_device,
        fit_detectors,
        load_bundle,
        load_catalogue,
        mixed_precision,
        read_labels,
        save_bundle,
    )
    from model import train as fit

    check_input(files, source_name, other_files=bool(discover))
    check_detectors(detectors)
    place = _place(out, shadow)
    older = older_model(out)
    _tell_of_detectors(out, detectors)
    before = load_bundle(previous) if previous is not None else _whole(older)
    config = options.config(file_options.masks(masks, source_name))
    chosen = choose_device(options.device)
    mixed_precision(config.mixed_precision, chosen)
    checkpoint = options.checkpoint_of(config)
    labels = read_labels(labels_path) if labels_path else NO_LABELS
    own = load_catalogue(catalogue)
    mask, zone = _reader(file_options, source_name)
    clock = SystemClock()
    sessions, extra = training_sessions(
        files,
        source_name,
        (start, end),
        discover,
        file_options,
        clock.now(),
        out.parent,
    )
    tell_of_labels(labels, labels_path, chain(sessions, extra))
    if source_name is not None and with_feedback:
        settings = file_options.config()
        labels = with_people_said(settings, source_name, sessions, labels, clock)
    check_detectors(detectors, labels)
    with TrainingProgress() as progress:
        model = fit(
            sessions,
            config,
            discover=extra,
            labels=labels,
            catalogue=own,
            previous=before,
            device=chosen,
            checkpoint=checkpoint,
            progress=progress,
        )
    others = fit_detectors(
        model, detectors, sessions, labels, seed=options.seed, device=chosen, tell=warn
    )
    now = clock.now()
    definition = definition_of(file_options, source_name)
    version = save_bundle(
        model,
        place,
        now=now,
        trained_on=fingerprint(sessions, files, definition),
        keep_older=not shadow,
        detectors=others,
    )
    if checkpoint is not None:
        checkpoint.remove()
    report = training_report(
        model,
        version,
        sessions,
        trained_at=now,
        mask=mask,
        comparison=compared(older, model, sessions, extra, labels, config, mask),
        zone=zone,
    )
    _tell(model, report, place, options.alarm_budget)


def _tell(
    model: TrainedModel, report: TrainingReport, place: Path, budget: float | None
) -> None:
    """What was learned and how fit it is; writes the page that says it all."""
    from elkwatch.source_threshold import tell_of_budget
    from elkwatch.training_report import write_training_report
    from elkwatch.training_told import tell_training, tell_verdict

    tell_training(model, report.version, place)
    tell_of_budget(model, budget)
    tell_verdict(report, write_training_report(report, place))


def _whole(older: TrainedModel | Comparison | None) -> TrainedModel | None:
    """The model at --out; None where there is none, or it cannot be read."""
    from model import TrainedModel

    return older if isinstance(older, TrainedModel) else None


def _tell_of_detectors(out: Path, names: Sequence[str]) -> None:
    """What the bundle before had fitted and this one will lack."""
    from elkwatch.log_files import warn
    from model import detectors_of

    gone = [name for name in detectors_of(out) if name not in names]
    if gone:
        more = " ".join(f"--detector {name}" for name in gone)
        warn(f"the model before this one also held {', '.join(gone)}; add {more}")


def _place(out: Path, shadow: bool) -> Path:
    """Where the bundle goes. Raises ConfigError or BundleError where it cannot."""
    from elkwatch.errors import ConfigError
    from model import bundle_version, candidate_folder, check_bundle_target

    check_bundle_target(out)
    if not shadow:
        return out
    if bundle_version(out) is None:
        raise ConfigError(
            f"--shadow: no live model at --out {out}; name the live one, or leave "
            "--shadow out"
        )
    check_bundle_target(candidate_folder(out))
    return candidate_folder(out)


def _reader(options: FileOptions, source_name: str | None) -> tuple[Mask, tzinfo]:
    """What the report masks and its zone, by the configuration if one is used."""
    from elkwatch.privacy import masking

    if not (source_name or options.source or options.config_path):
        return masking(()), UTC
    config = options.config()
    return masking(config.privacy.mask), config.alerting.zone
