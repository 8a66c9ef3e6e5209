"""Speed of inference: our scores of whole sessions against the documented loop.

    python -m benchmarks.inference_speed DATA [--out rows.json]

DATA holds hdfs/ and postgresql/. The anchor (documented_deeplog.py) makes one call a
window of 10 events; it is timed over the first ANCHOR_WINDOWS windows. Ours scores
every event of every session with the product's own `Classifier.score`: network, novelty
of order, distance of counts, from event ids to one score a session. *Equal weights* has
LSTM layers of the anchor's size, *default* is what `train` makes; *verdicts* is all of
`Classifier.classify`, from messages to kinds, evidence and advice. *Growing* scores
open sessions that gain some events a tick, against scoring them whole at each tick.

One thread, the same event ids for both, denormals flushed for both. The networks are
trained for EPOCHS epochs only: how well they judge does not change how long they take.
Before anything is timed, batched scores must equal those of sessions scored alone, and
those of growing sessions those of scoring them whole, within 1e-5.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.documented_deeplog import DocumentedLoop, windows_of
from benchmarks.frame import Case, Row, Work, compare, run
from benchmarks.quality_cases import Drawn as Logs
from benchmarks.quality_cases import hdfs, postgresql
from model import Classifier, TrainingConfig, choose_device, train
from model.events import EncodedSession
from model.language_model import LanguageModelConfig
from model.vocabulary import encode

ANCHOR_WINDOWS = 400
CHECKED = 300
EPOCHS = 2
EQUAL = LanguageModelConfig(hidden=128, layers=2, epochs=EPOCHS)
DEFAULT = LanguageModelConfig(epochs=EPOCHS)
GROWING, GROWN, GROWTH = 50, 480, 12
WHOLE = "open sessions scored whole at each tick"
ANCHOR = "documented loop, one window a call"


def classifier_of(logs: Logs, network: LanguageModelConfig) -> Classifier:
    """A classifier trained on these logs, on one thread."""
    device = choose_device("cpu")
    config = TrainingConfig(language_model=network)
    return Classifier(train(logs.train, config, device=device), device=device)


def check_same(classifier: Classifier, sessions: Sequence[EncodedSession]) -> None:
    """Batched equals one by one. Raises SystemExit where it does not."""
    together = np.array(classifier.score(sessions[:CHECKED]))
    alone = np.array([classifier.score([s])[0] for s in sessions[:CHECKED]])
    worst = float(np.abs(together - alone).max())
    print(f"largest difference, batched against one by one: {worst:.1e}")
    if worst > 1e-5:
        raise SystemExit("inference: batched is not one by one; nothing is timed")


def rows(data: Path) -> list[Row]:
    """Scores and verdicts of HDFS and PostgreSQL."""
    measured = []
    for name, logs in (
        ("HDFS", hdfs(data / "hdfs")[1].drawn(0)),
        ("PostgreSQL", postgresql(data / "postgresql")[0].drawn(0)),
    ):
        for weights, network in (("equal weights", EQUAL), ("default", DEFAULT)):
            classifier = classifier_of(logs, network)
            encoded = encode(logs.test, classifier.model.templates)
            check_same(classifier, encoded)
            measured.append(
                _against_the_loop(f"{name}, {weights}", classifier, encoded)
            )
        measured.append(_verdicts(f"{name}, verdicts", classifier, logs, encoded))
        measured.append(_growing(f"{name}, growing sessions", classifier, encoded))
    return measured


def _against_the_loop(
    name: str, classifier: Classifier, sessions: Sequence[EncodedSession]
) -> Row:
    return compare(
        _case(name, sessions),
        anchor=lambda: _documented(classifier, sessions),
        ours=lambda: lambda: classifier.score(sessions),
    )


def _verdicts(
    name: str,
    classifier: Classifier,
    logs: Logs,
    sessions: Sequence[EncodedSession],
) -> Row:
    return compare(
        _case(name, sessions),
        anchor=lambda: _documented(classifier, sessions),
        ours=lambda: lambda: classifier.classify(logs.test),
    )


def _growing(
    name: str, classifier: Classifier, sessions: Sequence[EncodedSession]
) -> Row:
    """Open sessions of up to GROWN events, GROWTH more at each tick."""
    ticks = _ticks(sessions)
    units = list(range(GROWING))
    scores = classifier.growing(GROWING)
    for tick in ticks:
        apart = np.array(scores.score(units, tick)) - classifier.score(tick)
        if float(np.abs(apart).max()) > 1e-5:
            raise SystemExit("inference: growing is not whole; nothing is timed")

    def carried_on() -> Work:
        fresh = classifier.growing(GROWING)
        return lambda: [fresh.score(units, tick) for tick in ticks]

    return compare(
        Case(name, "new events", GROWING * GROWN, WHOLE, 2, 5),
        anchor=lambda: lambda: [classifier.score(tick) for tick in ticks],
        ours=carried_on,
    )


def _ticks(sessions: Sequence[EncodedSession]) -> list[list[EncodedSession]]:
    """The same sessions, longer from tick to tick; real ones, joined to be long."""
    ids = [i for session in sessions for i in session.ids]
    long = [ids[(at * 997) % (len(ids) - GROWN) :][:GROWN] for at in range(GROWING)]
    return [
        [EncodedSession(tuple(one[:length]), ends=False) for one in long]
        for length in range(GROWTH, GROWN + 1, GROWTH)
    ]


def _case(name: str, sessions: Sequence[EncodedSession]) -> Case:
    windows = len(windows_of([session.ids for session in sessions]))
    goals = (100, 200) if "verdicts" in name else (400, 1000)
    return Case(name, "windows", windows, ANCHOR, *goals, anchor_count=ANCHOR_WINDOWS)


def _documented(classifier: Classifier, sessions: Sequence[EncodedSession]) -> Work:
    windows = windows_of([s.ids for s in sessions])[:ANCHOR_WINDOWS]
    loop = DocumentedLoop(classifier.model.vocabulary.size)
    return lambda: loop(windows)


if __name__ == "__main__":
    run(rows, __doc__)
