"""The model of each source: there, whole, young enough, and made for such lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from connector import ElasticCursorStore, ElasticStateStore
from elkwatch.compose import classifier_of
from elkwatch.config import SourceSettings, translate
from elkwatch.doctor.case import IMPATIENT, Case
from elkwatch.doctor.records import Check, Outcome, fail, ok, skipped, warn
from elkwatch.doctor.sources import lines_check
from elkwatch.doctor.words import length
from elkwatch.model_drift import drift_of
from elkwatch.model_fit import unfit
from elkwatch.outdated import train_command
from elkwatch.session_definition import KEY, definition_text, session_definition
from model import UNK, read_manifest

_OLD = timedelta(days=60)
_UNKNOWN_SHARE = 0.05


def checks(case: Case) -> list[Check]:
    """The checks of this group."""
    return [check for source in case.sources for check in _of(case, source)]


def _of(case: Case, source: SourceSettings) -> list[Check]:
    loaded = f"model of {source.name}"
    needs = (loaded, lines_check(source))
    return [
        Check(loaded, lambda: _loads(case, source)),
        Check(f"fit of the {loaded}", lambda: _fits(case, source), needs),
        Check(f"age of the {loaded}", lambda: _outdated(case, source), needs),
    ]


def _loads(case: Case, source: SourceSettings) -> Iterator[Outcome]:
    """As the service loads it, with every digest compared."""
    classifier = classifier_of(source, case.config, case.device)
    case.classifiers[source.name] = classifier
    model = classifier.model
    told = (
        f"{source.model}: version {model.version}, "
        f"{len(model.vocabulary.texts)} templates, "
        f"{len(model.classes)} classes of its own"
    )
    if model.trained_at is None:
        yield ok(told)
        return
    yield from _sessions(source)
    age = case.now - model.trained_at
    told += f", {length(age)} old"
    if age > _OLD:
        yield warn(told, f"train again: {_train(source)}")
    else:
        yield ok(told)


def _sessions(source: SourceSettings) -> Iterator[Outcome]:
    """Whether it learned what the source calls a session, where it tells."""
    manifest = read_manifest(Path(str(source.model)))
    learned = (manifest.get("trained_on") or {}).get(KEY)
    rule = translate.source_spec(source).session
    window = None if rule.unit_s is None else timedelta(seconds=rule.unit_s)
    wanted = session_definition(rule, window)
    if learned is not None and learned != wanted:
        yield warn(
            f"it learned sessions by {definition_text(learned)}; the source has them "
            f"by {definition_text(wanted)}",
            f"train again ({_train(source)}), or give the source that session",
        )


def _fits(case: Case, source: SourceSettings) -> Iterator[Outcome]:
    """The share of recent lines that it has no template for."""
    documents = case.samples[source.name].documents
    if not documents:
        yield skipped("there are no lines to try it on")
        return
    classifier = case.classifiers[source.name]
    unknown = classifier.event_ids([d.message for d in documents]).count(UNK)
    share = unknown / len(documents)
    if unfit(str(source.model), share) is not None:
        yield fail(
            f"it knows no template for {share:.0%} of {len(documents)} new lines",
            f"train one on logs of this kind ({_train(source)}), or check "
            "message_field",
        )
    elif share > _UNKNOWN_SHARE:
        yield warn(
            f"it knows no template for {share:.0%} of {len(documents)} new lines",
            f"train again: {_train(source)}",
        )
    else:
        yield ok(f"{share:.1%} of the {len(documents)} newest lines have no template")


def _outdated(case: Case, source: SourceSettings) -> Iterator[Outcome]:
    """Whether the service found it out of date, and holds findings back."""
    store = ElasticStateStore(case.client, case.config.namespace, retry=IMPATIENT)
    cursor = ElasticCursorStore(store).load(source.name)
    drift = drift_of(case.classifiers[source.name].model)
    if cursor is not None:
        drift = drift.restored(json.loads(cursor.notes or "{}"))
    if drift.outdated:
        yield warn(
            f"out of date: {drift.reason}; findings of unknown kind are held back",
            f"look at them, then train again: {_train(source)}",
        )
    elif drift.batches:
        yield ok("the service did not find it out of date")
    else:
        yield ok("the service has not judged with it yet")


def _train(source: SourceSettings) -> str:
    return f"`{train_command(source.name)}`"
