"""`elkwatch train`: logs in, a model bundle out."""

from __future__ import annotations

import platform
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from elkwatch.cli.options import FileOptions, file_options, files_argument
from elkwatch.cli.shell import examples

if TYPE_CHECKING:
    from model import Session, TrainedModel


@click.command(
    "train",
    epilog=examples(
        "elkwatch train app.log.gz --out models/app --session-field trace.id",
        "elkwatch train week.ndjson.gz --out models/db \\",
        "    --session-field postgresql.log.session_id --labels known.csv",
        "elkwatch train --from-es shop-db --from now-7d --out models/shop-db",
    ),
)
@files_argument(required=False)
@click.option(
    "--from-es", "source_name", metavar="SOURCE", help="Read a source instead."
)
@click.option(
    "--from",
    "start",
    metavar="TIME",
    default="now-7d",
    show_default=True,
    help="With --from-es: from here on (now-…, ISO).",
)
@click.option(
    "--to",
    "end",
    metavar="TIME",
    default="now",
    show_default=True,
    help="With --from-es: up to here.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="Folder of the model bundle; an older bundle there is kept beside it.",
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
    "--mask",
    "masks",
    multiple=True,
    metavar="NAME=REGEX",
    help="A mask of your own for templates (RE2); repeatable.",
)
@click.option(
    "--catalogue",
    type=click.Path(path_type=Path),
    metavar="FILE.yml",
    help="Names and advice of your own.",
)
@click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="Equal seeds give equal models on CPU.",
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="Where to train.",
)
@click.option(
    "--epochs",
    type=click.IntRange(min=1),
    default=None,
    help="At most so many epochs of stage 1.",
)
@file_options
def train(
    files: tuple[str, ...],
    source_name: str | None,
    start: str,
    end: str,
    out: Path,
    discover: tuple[str, ...],
    labels_path: Path | None,
    masks: tuple[str, ...],
    catalogue: Path | None,
    seed: int,
    device: str,
    epochs: int | None,
    file_options: FileOptions,
) -> None:
    """Learn what is normal, and which kinds of trouble there are.

    FILE... is taken as mostly normal: what few sessions show is left out before the
    network learns. Kinds are looked for in --discover, or else in FILE... itself.
    Sessions that --labels calls anomalous teach their kind, never what is normal.
    """
    from elkwatch.clock import SystemClock
    from elkwatch.log_files import read_sessions
    from elkwatch.training_progress import TrainingProgress
    from model import (
        NO_LABELS,
        choose_device,
        load_catalogue,
        read_labels,
        save_bundle,
    )
    from model import train as fit

    if bool(files) == bool(source_name):
        raise click.UsageError("give FILE..., or --from-es SOURCE")
    config = _training_config(seed, masks, epochs)
    chosen = choose_device(device)
    labels = read_labels(labels_path) if labels_path else NO_LABELS
    own = load_catalogue(catalogue)
    clock = SystemClock()
    if source_name:
        from elkwatch.source_reading import sessions_of_source

        sessions = sessions_of_source(
            file_options.config(), source_name, start, end, clock.now()
        )
    else:
        sessions = read_sessions(files, file_options)
    extra = read_sessions(discover, file_options) if discover else []
    with TrainingProgress() as progress:
        model = fit(
            sessions,
            config,
            discover=extra,
            labels=labels,
            catalogue=own,
            device=chosen,
            progress=progress,
        )
    version = save_bundle(
        model, out, now=clock.now(), trained_on=_fingerprint(sessions, files)
    )
    _tell(model, version, out)


def _training_config(seed: int, masks: tuple[str, ...], epochs: int | None) -> Any:
    from dataclasses import replace

    from model import MinerConfig, TrainingConfig, parse_masks

    config = TrainingConfig(seed=seed, miner=MinerConfig(masks=parse_masks(masks)))
    if epochs is None:
        return config
    return replace(config, language_model=replace(config.language_model, epochs=epochs))


def _fingerprint(sessions: list[Session], files: tuple[str, ...]) -> dict[str, Any]:
    """What the model was trained on, without a word of the logs themselves."""
    import hashlib

    digest = hashlib.sha256()
    for session in sessions:
        for event in session.events:
            digest.update(event.message.encode("utf-8", "replace"))
    events = sum(len(s.events) for s in sessions)
    first = min(s.start for s in sessions)
    last = max(s.end for s in sessions)
    return {
        "sha256": digest.hexdigest(),
        "sessions": len(sessions),
        "events": events,
        "from": first.isoformat(),
        "to": last.isoformat(),
        "files": [Path(name).name for name in files],
        "python": platform.python_version(),
        "days": round((last - first) / timedelta(days=1), 3),
    }


def _tell(model: TrainedModel, version: str, out: Path) -> None:
    figures = model.figures
    click.echo(
        f"trained on {figures['sessions']} sessions, {figures['events']} events, "
        f"{figures['templates']} templates; {figures['cleaned_out']} sessions left out "
        "as too unusual"
    )
    if model.classes:
        click.echo(
            f"{len(model.classes)} classes among {figures['suspects']} deviants "
            f"and {figures['taught_sessions']} taught sessions:"
        )
        for known in model.classes:
            name = known.entry.told_in("en", known.about).name
            click.echo(f"  {known.class_id:<22} {known.members:>6}  {name}")
    else:
        click.echo(
            "no classes: nothing that deviates came often enough; anomalies "
            "will be told by their pattern (--discover FILE helps)"
        )
    click.echo(f"model {version} → {out}")
    click.echo(
        f"quality figures: {out / 'figures.json'}; measure it with "
        f"`elkwatch evaluate FILE --model {out} --labels FILE`"
    )
