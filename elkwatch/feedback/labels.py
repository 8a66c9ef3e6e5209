"""Feedback as labels, for the next training.

    false alarm ─▶ normal        is really X ─▶ X, taught        right ─▶ its class

A class that elkwatch named itself (a pattern, `c07`) can be no label: such a session is
`anomalous`, which names no kind, and joins the discovery of classes.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from connector import Results, Signature, finding_id
from elkwatch.feedback.opinion import Opinion
from elkwatch.feedback.opinions import Opinions
from elkwatch.proposals.shown import shown
from model import LabelError, Labels, Session, check_kind
from model.labels import ANOMALOUS, NORMAL

_PLACEHOLDER = re.compile(r"<[A-Za-z0-9_-]+(?::[0-9a-f]{12})?>")
# Findings are found by their end, which may lie past that of a session cut short.
_AROUND = timedelta(days=1)


def label_of(opinion: Opinion, class_id: str) -> str:
    """The label for a session whose finding had this class and was spoken of so."""
    if opinion.verdict == "false-alarm":
        return NORMAL
    kind = opinion.kind if opinion.verdict == "kind" else class_id
    return kind if kind is not None and teachable(kind) else ANOMALOUS


def teachable(kind: str) -> bool:
    """Whether a label may bear this name."""
    try:
        check_kind(kind, "")
    except LabelError:
        return False
    return True


def feedback_labels(
    sessions: Sequence[Session], source: str, opinions: Opinions, results: Results
) -> Labels:
    """Labels of those sessions whose finding is spoken of, by unit.

    Of all findings in the sessions' time, so also of those a feedback covers that was
    given on another. Raises ConnectorError.
    """
    if not sessions:
        return Labels({}, named=True)
    start = min(session.start for session in sessions) - _AROUND
    end = max(session.end for session in sessions) + _AROUND
    by_id = _labels_by_finding(source, opinions, results, start, end)
    found = {}
    for session in sessions:
        label = by_id.get(finding_id(source, session.key, session.window_start))
        if label is not None:
            found[session.unit] = label
    return Labels(found, named=True)


def merged(given: Labels, told: Labels) -> Labels:
    """Both; where they contradict, what stands in a file counts."""
    return Labels({**told.by_session, **given.by_session}, given.named or told.named)


def labels_csv(opinions: Iterable[Opinion]) -> tuple[str, list[str]]:
    """The findings that feedback was given on, as `session,kind`; what is left out."""
    rows: dict[str, str] = {}
    left_out = []
    for one in sorted(opinions, key=lambda o: o.narrowness):
        session, label = one.subject.session, label_of(one, one.subject.class_id)
        if label == ANOMALOUS:
            left_out.append(f"{one.feedback_id}: names no kind that a label may bear")
        elif _PLACEHOLDER.search(session):
            left_out.append(f"{one.feedback_id}: session {shown(session)} is masked")
        else:
            rows[session] = label
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["session", "kind"])
    writer.writerows(rows.items())
    return text.getvalue(), left_out


def _labels_by_finding(
    source: str, opinions: Opinions, results: Results, start: datetime, end: datetime
) -> dict[str, str]:
    found = {}
    for document in results.findings(start, end):
        own: Mapping[str, object] = document["elkwatch"]
        signature = document["elkwatch"].get("signature")
        if own["source"] != source or signature is None:
            continue
        said = opinions.on(
            source,
            document.get("service", {}).get("name"),
            Signature(signature["id"], signature["topic"], ()),
        )
        if said is not None:
            before = document["elkwatch"].get("feedback", {}).get("class_before")
            class_id = before or document["elkwatch"]["class"]["id"]
            found[document["event"]["id"]] = label_of(said, class_id)
    return found
