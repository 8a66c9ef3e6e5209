"""Feedback without an engine: signatures, scopes, contradictions, labels."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from connector import (
    FindingChanger,
    InMemoryStateStore,
    Signature,
    WrittenFinding,
    finding_document,
)
from elkwatch.errors import FeedbackError
from elkwatch.feedback import FeedbackBook, Opinion, Opinions, Subject, signature_of
from elkwatch.feedback.kinds import kind_named
from elkwatch.feedback.labels import label_of, labels_csv, merged
from elkwatch.feedback.opinion import opinion_from
from elkwatch.feedback.written import Said, as_said, foreseen
from model import Advice, Labels, Verdict
from tests.connector.samples import finding

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def verdict(**changes: Any) -> Verdict:
    """An anomalous verdict that deviates by one line."""
    values: dict[str, Any] = {
        "session": "s1",
        "key": "s1",
        "window_start": None,
        "start": NOW,
        "end": NOW,
        "events": 5,
        "anomaly": True,
        "score": 2.0,
        "threshold": 1.0,
        "risk": 90,
        "confidence": 0.9,
        "class_id": "c01",
        "known": True,
        "pattern": "new-event",
        "class_name": "never-seen event",
        "severity": "high",
        "advice": "Read the lines.",
        "causes": (),
        "unknown_ratio": 0.2,
        "model_version": "m1",
        "evidence": (),
        "missing": (),
        "service": "shop",
        "topic": "c01",
        "deviation": ("+ deadlock detected", "= connection closed"),
    }
    return Verdict(**{**values, **changes})


def opinion(**changes: Any) -> Opinion:
    """A false alarm, of the signature of `verdict`."""
    subject = Subject(
        "id1", "db", "s1", "shop", "c01", "an event", signature_of(verdict(), str)
    )
    values: dict[str, Any] = {
        "subject": subject,
        "verdict": "false-alarm",
        "scope": ("signature",),
        "who": "ada",
        "reason": "a drill",
        "given_at": NOW,
    }
    return Opinion(**{**values, **changes})


def suppressed(said: list[Opinion], one: Verdict, source: str = "db") -> bool:
    return Opinions(said).review(one, source, str, _no_advice).suppressed


def _no_advice(_: str) -> Advice | None:
    return None


def test_the_signature_knows_no_class_and_no_score() -> None:
    one = signature_of(verdict(), str)
    other = verdict(
        class_id="c09", topic="c09", score=9.0, key="s2", model_version="m2"
    )
    assert signature_of(other, str).signature_id == one.signature_id
    for changes in (
        {"pattern": "repetition"},
        {"deviation": ("+ deadlock detected",)},
        {"deviation": ("- deadlock detected", "= connection closed")},
    ):
        assert signature_of(verdict(**changes), str).signature_id != one.signature_id


def test_a_line_that_is_known_a_little_by_now_is_the_same_deviation() -> None:
    known = signature_of(verdict(pattern="rare-event"), str)
    assert known == signature_of(verdict(), str)


def test_digests_of_masks_are_no_part_of_it() -> None:
    def by(digest: str) -> Signature:
        return signature_of(verdict(), lambda text: f"{text} <email:{digest}>")

    assert by("3f2a9c0d1b2e") == by("000000000000")


def test_a_scope_covers_what_it_says() -> None:
    wide = verdict(deviation=("+ other",))
    away = verdict(service="web")
    assert suppressed([opinion()], verdict())
    assert suppressed([opinion()], away)
    assert not suppressed([opinion()], wide)
    assert not suppressed([opinion()], verdict(), source="web")
    service = [opinion(scope=("service",))]
    assert suppressed(service, wide)
    assert not suppressed(service, away)
    assert not suppressed(service, verdict(topic="c02", deviation=("+ other",)))
    both = [opinion(scope=("signature", "service"))]
    assert suppressed(both, verdict())
    assert not suppressed(both, away)
    assert suppressed([opinion(scope=("source",))], replace(away, deviation=()))


def test_the_narrowest_counts() -> None:
    said = [opinion(verdict="right"), opinion(scope=("source",), given_at=NOW + DAY)]
    assert not suppressed(said, verdict())
    assert suppressed(said, verdict(deviation=("+ other",)))


def test_a_normal_session_is_nobodys_business() -> None:
    reviewed = Opinions([opinion()]).review(
        verdict(anomaly=False), "db", str, _no_advice
    )
    assert (reviewed.signature, reviewed.mark) == (None, None)


def test_what_may_become_a_false_alarm_is_doubted_while_it_goes_on() -> None:
    lines = ("+ deadlock detected", "+ retry ×2–3", "= connection closed")
    whole = verdict(deviation=lines)
    subject = replace(opinion().subject, signature=signature_of(whole, str))
    said = Opinions([opinion(subject=subject)])

    def doubted(*deviation: str, closed: bool = False, source: str = "db") -> bool:
        one = verdict(deviation=deviation, closed=closed)
        return said.review(one, source, str, _no_advice).doubted

    assert doubted("+ deadlock detected")
    assert doubted("+ deadlock detected", "+ retry ×4–7")
    assert not doubted("+ deadlock detected", closed=True), "it is another one"
    assert not doubted("+ deadlock detected", "+ disk full")
    assert not doubted("+ deadlock detected", source="web")
    assert not doubted()
    right = Opinions([opinion(subject=subject, verdict="right")])
    going_on = verdict(deviation=lines[:1], closed=False)
    assert not right.review(going_on, "db", str, _no_advice).doubted


def test_another_kind_takes_its_advice_where_there_is_any() -> None:
    said = Opinions([opinion(verdict="kind", kind="disk_full")])
    told = Advice("disk full", "critical", ("logs",), "Free some space.")
    known = said.review(verdict(), "db", str, lambda _: told)
    assert known.verdict.class_id == known.verdict.topic == "disk_full"
    assert known.verdict.advice == "Free some space."
    assert known.mark is not None
    assert known.mark.class_before == "c01"
    assert not known.suppressed
    bare = said.review(verdict(), "db", str, _no_advice)
    assert (bare.verdict.class_name, bare.verdict.severity) == ("disk_full", "high")


def test_a_written_finding_becomes_what_it_would_have_been() -> None:
    told = Advice("disk full", "critical", ("logs",), "Free some space.")
    kind = as_said(finding(), opinion(verdict="kind", kind="disk_full"), told)
    assert (kind.class_id, kind.class_name) == ("disk_full", "disk full")
    assert (kind.known, kind.severity, kind.advice) == (True, "critical", told.advice)
    assert kind.fingerprint == "shop-db/disk_full/shop"
    assert kind.feedback is not None
    assert kind.feedback.class_before == "c07"
    assert kind.status == "open"
    other = as_said(kind, opinion(verdict="kind", kind="crash"), None)
    assert (other.class_name, other.advice) == ("crash", told.advice)
    assert other.feedback is not None
    assert other.feedback.class_before == "c07", "what the model said first"
    false = as_said(finding(status="tentative"), opinion(), None)
    assert (false.status, false.class_id) == ("suppressed", "c07")
    right = as_said(false, opinion(verdict="right"), None)
    assert right.status == "open"


def test_documents_that_no_elkwatch_wrote_stop_nothing() -> None:
    written = finding(
        source="db", service="shop", signature=signature_of(verdict(), str)
    )
    document = finding_document(written, "default")
    strange = [{}, {"elkwatch": 5}, {**document, "event": {"id": "x"}}]
    found = [WrittenFinding("i", (0, 1), one) for one in (*strange, document)]
    said = Said({"db": Opinions([opinion()])}, lambda _: _no_advice)
    foretold = foreseen(found, said, cast(FindingChanger, _AsItWas()))
    assert (foretold.unreadable, foretold.findings) == (3, {"false-alarm": 1})


class _AsItWas:
    """Nobody has changed a finding meanwhile."""

    def newest(self, written: list[WrittenFinding]) -> list[WrittenFinding]:
        return written


def test_given_taken_back_and_given_again() -> None:
    book = FeedbackBook(InMemoryStateStore())
    assert book.add(opinion(), NOW) is None
    again = opinion(reason="still a drill")
    assert book.add(again, NOW) == opinion()
    assert book.every() == [again]
    assert suppressed_by(book, NOW)
    book.remove(again.feedback_id, NOW + DAY)
    assert not suppressed_by(book, NOW + DAY)
    assert len(book.every()) == 1
    with pytest.raises(FeedbackError, match="was removed at"):
        book.remove(again.feedback_id, NOW + DAY)
    assert book.add(opinion(verdict="right"), NOW + DAY) is None


def test_it_ends_when_it_was_to() -> None:
    book = FeedbackBook(InMemoryStateStore())
    book.add(opinion(until=NOW + DAY), NOW)
    assert suppressed_by(book, NOW + DAY - timedelta(seconds=1))
    assert not suppressed_by(book, NOW + DAY)
    assert book.add(opinion(verdict="right"), NOW + DAY) is None


def suppressed_by(book: FeedbackBook, now: datetime) -> bool:
    reviewed = book.opinions("db", now).review(verdict(), "db", str, _no_advice)
    return reviewed.suppressed


def test_two_that_contradict_are_refused() -> None:
    book = FeedbackBook(InMemoryStateStore())
    book.add(opinion(), NOW)
    with pytest.raises(FeedbackError, match="false alarm; take that back first"):
        book.add(opinion(verdict="right"), NOW)
    with pytest.raises(FeedbackError, match="ada says of the same findings"):
        book.add(opinion(verdict="kind", kind="x"), NOW)


def test_what_cannot_be_read_is_passed_over() -> None:
    store = InMemoryStateStore()
    store.create("feedback", "f0", {"state": "given", "source": "db"})
    book = FeedbackBook(store)
    book.add(opinion(), NOW)
    assert book.every() == [opinion()]


def test_the_body_reads_back() -> None:
    whole = opinion(
        verdict="kind", kind="x", scope=("signature", "service"), until=NOW + DAY,
        removed_at=NOW,
    )  # fmt: skip
    assert opinion_from(whole.body()) == whole


def test_a_kind_that_nobody_knows() -> None:
    known = {"disk_full": "disk full", "c01": "missing step"}
    assert kind_named("Disk Full", known, new=False) == "disk_full"
    with pytest.raises(FeedbackError, match="did you mean disk_full"):
        kind_named("disk_ful", known, new=False)
    assert kind_named("disk_ful", known, new=True) == "disk_ful"
    for name in ("normal", " ", "c77", "new-event"):
        with pytest.raises(FeedbackError, match="--kind"):
            kind_named(name, known, new=True)


def test_labels_are_what_people_said() -> None:
    assert label_of(opinion(), "c01") == "normal"
    assert label_of(opinion(verdict="right"), "disk_full") == "disk_full"
    assert label_of(opinion(verdict="right"), "c01") == "anomalous"
    assert label_of(opinion(verdict="kind", kind="x"), "c01") == "x"
    text, left_out = labels_csv(
        [
            opinion(),
            opinion(subject=replace(opinion().subject, session='=cmd "x"\n')),
            opinion(verdict="right", scope=("source",)),
        ]
    )
    assert text == 'session,kind\ns1,normal\n"=cmd ""x""\n",normal\n'
    assert len(left_out) == 1


def test_a_file_counts_more_than_feedback() -> None:
    both = merged(Labels({"a": "x"}, named=True), Labels({"a": "y", "b": "z"}, True))
    assert both.by_session == {"a": "x", "b": "z"}


def test_precision_is_right_of_right_and_false_alarm() -> None:
    wide = opinion(scope=("source",), verdict="right")
    other = replace(opinion().subject, class_id="c02")
    said = Opinions(
        [
            opinion(),
            wide,
            opinion(verdict="right", subject=other),
            opinion(verdict="kind", kind="x", subject=other),
        ]
    )
    assert said.precision() == {"c01": 0.5, "c02": 1.0}
    assert Opinions().precision() == {}
