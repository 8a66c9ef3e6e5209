"""`elkwatch synth`: made-up logs in the likeness of real ones."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from elkwatch.cli.options import (
    FileOptions,
    device_option,
    file_options,
    files_argument,
)
from elkwatch.cli.shell import examples

if TYPE_CHECKING:
    from model import FrozenTemplates, Session

SESSION_FIELD = "session.id"
_SEED = click.IntRange(0, 2**63 - 1)
_SEED.name = "integer"


@click.command(
    "synth",
    epilog=examples(
        "elkwatch synth app.log.gz --sessions 500 --out synth.ndjson.gz \\",
        "    --session-field trace.id",
        "elkwatch synth test.ndjson.gz --sessions 50 --out odd.ndjson \\",
        "    --labels labels.csv --kind anomalous --session-field trace.id",
    ),
)
@files_argument()
@click.option(
    "--sessions",
    "count",
    type=click.IntRange(1, 1_000_000),
    required=True,
    metavar="N",
    help="How many to draw.",
)
@click.option(
    "--out",
    required=True,
    metavar="FILE",
    help="NDJSON documents, packed where it ends in .gz; - for standard output.",
)
@click.option(
    "--model",
    "model_path",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Take the templates of this bundle instead of those of FILE...",
)
@click.option(
    "--labels",
    "labels_path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="CSV session,anomaly or session,kind: what is anomalous is left out.",
)
@click.option(
    "--kind",
    metavar="K",
    help="Draw the like of the sessions with this label instead.",
)
@click.option(
    "--start",
    metavar="TIME",
    default="2026-01-01T00:00:00Z",
    show_default=True,
    help="When the first of them begins (ISO).",
)
@click.option(
    "--seed",
    type=_SEED,
    default=0,
    show_default=True,
    help="Equal seeds draw equal logs on CPU.",
)
@device_option
@file_options
def synth(
    files: tuple[str, ...],
    count: int,
    out: str,
    model_path: Path | None,
    labels_path: Path | None,
    kind: str | None,
    start: str,
    seed: int,
    device: str,
    file_options: FileOptions,
) -> None:
    """Draw made-up sessions in the likeness of those of FILE...

    For tests and demonstrations of your own pipeline. A variational autoencoder learns
    which lines follow which; the words come from templates, and every value is made
    up. No log line is copied, yet what never varied in the logs is part of a template:
    read the result before you give it away.
    """
    from elkwatch.log_files import plural, read_sessions, warn
    from elkwatch.result_files import open_result
    from model import choose_device, draw_sessions, load_bundle

    begin = _time(start)
    if kind is not None and labels_path is None:
        raise click.UsageError("--kind goes with --labels; name the file that says it")
    where = choose_device(device)
    bundle = None if model_path is None else load_bundle(model_path)
    sessions = read_sessions(files, file_options, needs_key=True)
    chosen = _chosen(sessions, labels_path, kind)
    templates = _mined(chosen, file_options) if bundle is None else bundle.templates
    drawn = draw_sessions(
        chosen, count, templates, seed=seed, start=begin, device=where
    )
    with open_result(out, never=files) as stream:
        _write(stream, drawn.sessions, file_options, packed=out.endswith(".gz"))
    told = (
        f"{plural(len(drawn.sessions), 'session')} drawn in the likeness of "
        f"{drawn.learned:,}; values are made up"
    )
    click.echo(told + ("" if out == "-" else f" → {out}"), err=True)
    if drawn.strange:
        warn(
            f"{plural(drawn.strange, 'line')} fit another template, or none: what a "
            "mask of your own hides is not known here"
        )


def _time(text: str) -> datetime:
    from elkwatch.config import parse_start

    try:
        at = parse_start(text).at
    except ValueError as error:
        raise click.UsageError(f"--start {text}: {error}") from error
    if at is None:
        raise click.UsageError(
            f"--start {text}: give a time such as 2026-01-01T00:00:00Z; equal seeds "
            "are to draw equal logs"
        )
    return at


def _chosen(
    sessions: Sequence[Session], labels_path: Path | None, kind: str | None
) -> list[Session]:
    """What is learned: those of a kind, or those that no label calls anomalous."""
    from elkwatch.training_input import tell_of_labels
    from model import NO_LABELS, read_labels

    labels = read_labels(labels_path) if labels_path else NO_LABELS
    tell_of_labels(labels, labels_path, list(sessions))
    wanted = (None, "normal") if kind is None else (kind,)
    return [session for session in sessions if labels.of(session) in wanted]


def _mined(sessions: Sequence[Session], options: FileOptions) -> FrozenTemplates:
    from model import MinerConfig, TemplateMiner, parse_masks

    miner = TemplateMiner(MinerConfig(masks=parse_masks(options.masks(()))))
    miner.learn_all([event.message for s in sessions for event in s.events])
    return miner.freeze()


def _write(
    stream: BinaryIO, sessions: Sequence[Session], options: FileOptions, *, packed: bool
) -> None:
    lines = _lines(sessions, options)
    if not packed:
        stream.writelines(lines)
        return
    with gzip.GzipFile(fileobj=stream, mode="wb", filename="", mtime=0) as inner:
        inner.writelines(lines)


def _lines(sessions: Sequence[Session], options: FileOptions) -> Iterator[bytes]:
    """Documents in the order of time, with the fields that the options name."""
    import orjson

    from elkwatch.privacy import Masker

    mask = Masker(options.privacy().mask)
    spec = options.spec()
    field = next(iter(options.session_fields), SESSION_FIELD)
    events = [
        (event.time, number, event, session.key)
        for session in sessions
        for number, event in enumerate(session.events)
    ]
    for time, number, event, key in sorted(events, key=lambda each: each[:2]):
        document: dict[str, Any] = {}
        _put(document, spec.time_field, time.isoformat(timespec="milliseconds"))
        _put(document, spec.message_field, mask(event.message))
        _put(document, field, key)
        _put(document, "event.sequence", number)
        yield orjson.dumps(document) + b"\n"


def _put(document: dict[str, Any], path: str, value: object) -> None:
    *above, name = path.split(".")
    for part in above:
        document = document.setdefault(part, {})
    document[name] = value
