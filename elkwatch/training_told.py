"""What `elkwatch train` says when it is done."""

from __future__ import annotations

from pathlib import Path

import click

from elkwatch.log_files import plural, warn
from elkwatch.training_report import TrainingReport, who_decides
from model import TrainedModel


def tell_training(model: TrainedModel, version: str, out: Path) -> None:
    """What was learned, which classes there are, where the bundle is."""
    figures = model.figures
    sessions, cleaned_out = figures["sessions"], figures["cleaned_out"]
    click.echo(
        f"trained on {plural(sessions, 'session')}, "
        f"{plural(figures['events'], 'event')}, "
        f"{plural(figures['templates'], 'template')}; "
        f"{plural(cleaned_out, 'session')} left out as too unusual"
    )
    if 2 * cleaned_out > sessions:
        warn(
            f"{cleaned_out} of {sessions} sessions are unlike all others, so this "
            "model knows little of what is normal; give more logs, check "
            "--session-field, or hide what varies with --mask"
        )
    if model.classes:
        click.echo(
            f"{plural(len(model.classes), 'class', 'classes')} among "
            f"{plural(figures['suspects'], 'deviant')} and "
            f"{plural(figures['taught_sessions'], 'taught session')}:"
        )
        for known in model.classes:
            name = known.entry.told_in("en", known.about).name
            click.echo(f"  {known.class_id:<22} {known.members:>6}  {name}")
    else:
        click.echo(
            "no classes: nothing that deviates came often enough; anomalies "
            "will be told by their pattern (--discover FILE helps)"
        )
    for line in who_decides(figures):
        click.echo(line)
    click.echo(f"model {version} → {out}")
    click.echo(
        f"quality figures: {out / 'figures.json'}; measure it with "
        f"`elkwatch evaluate FILE --model {out} --labels FILE`"
    )


def tell_verdict(report: TrainingReport, page: Path) -> None:
    """Whether to run the model, what to know, where the page is."""
    verdict = report.verdict
    click.echo(f"{verdict.headline}. {verdict.sentences[1]}")
    for warning in verdict.warnings:
        click.echo(f"  {'!' if warning.is_grave else '-'} {warning.text}")
    click.echo(f"report: {page}")
