"""One feedback: what a person says of findings, of which ones, and until when.

A scope is a set of conditions that must all hold; the source always does.

    signature   findings that deviate in the same way
    service     findings of the same service
    source      all of the source

Without `signature` they must be of the same kind of trouble (the topic): feedback never
speaks of findings that have nothing to do with the one it was given on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

from connector import Signature, read_time, to_iso
from connector.findings import PersonsVerdict

Scope = Literal["signature", "service", "source"]
SCOPES: tuple[Scope, ...] = ("signature", "service", "source")


@dataclass(frozen=True, slots=True)
class Subject:
    """The finding that feedback was given on."""

    finding_id: str
    source: str
    session: str
    service: str | None
    class_id: str
    class_name: str
    signature: Signature


@dataclass(frozen=True, slots=True)
class Opinion:
    """A feedback as it is kept. `kind`: the class that it really is.

    `until`: from then on it holds no more; None is for good.
    """

    subject: Subject
    verdict: PersonsVerdict
    scope: tuple[Scope, ...]
    who: str
    reason: str
    given_at: datetime
    kind: str | None = None
    until: datetime | None = None
    removed_at: datetime | None = None

    @property
    def feedback_id(self) -> str:
        """Of what it speaks of alone: two on the same are one, or contradict."""
        about = self.subject
        parts = (about.source, *self.scope, self._kind_of_trouble())
        if "service" in self.scope:
            parts = (*parts, about.service or "-")
        text = "\0".join(parts).encode("utf-8", "replace")
        return "f" + hashlib.sha256(text).hexdigest()[:11]

    def _kind_of_trouble(self) -> str:
        signature = self.subject.signature
        narrow = "signature" in self.scope
        return signature.signature_id if narrow else signature.topic

    @property
    def narrowness(self) -> tuple[bool, bool, datetime]:
        """Of several that hold, the one that has most of this counts."""
        return "signature" in self.scope, "service" in self.scope, self.given_at

    def holds(self, now: datetime) -> bool:
        """Whether it counts at this time."""
        return self.removed_at is None and (self.until is None or now < self.until)

    def covers(self, source: str, service: str | None, signature: Signature) -> bool:
        """Whether it speaks of such a finding."""
        about = self.subject
        if source != about.source:
            return False
        if "service" in self.scope and service != about.service:
            return False
        if "signature" in self.scope:
            return signature.signature_id == about.signature.signature_id
        return signature.topic == about.signature.topic

    def same_verdict(self, other: Opinion) -> bool:
        """Whether both say the same."""
        return (self.verdict, self.kind) == (other.verdict, other.kind)

    @property
    def says(self) -> str:
        """The verdict in words."""
        if self.verdict == "kind":
            return f"is really {self.kind}"
        return self.verdict.replace("-", " ")

    def body(self) -> dict[str, Any]:
        """As a document of the state store."""
        about, times = self.subject, (self.given_at, self.until, self.removed_at)
        given, until, removed = (None if t is None else to_iso(t) for t in times)
        return {
            "state": "given" if self.removed_at is None else "removed",
            "source": about.source,
            "service": about.service,
            "signature": about.signature.signature_id,
            "topic": about.signature.topic,
            "finding_id": about.finding_id,
            "verdict": self.verdict,
            "kind": self.kind,
            "scope": list(self.scope),
            "given_at": given,
            "until_at": until,
            "removed_at": removed,
            "payload": {
                "who": self.who,
                "reason": self.reason,
                "session": about.session,
                "class_id": about.class_id,
                "class_name": about.class_name,
                "lines": list(about.signature.lines),
            },
        }


def opinion_from(body: Mapping[str, Any]) -> Opinion:
    """What `body` made. Raises KeyError, TypeError or ValueError for anything else."""
    more = body["payload"]
    signature = Signature(
        str(body["signature"]), str(body["topic"]), tuple(map(str, more["lines"]))
    )
    if body["verdict"] not in ("false-alarm", "right", "kind"):
        raise ValueError("no such verdict")
    return Opinion(
        subject=Subject(
            finding_id=str(body["finding_id"]),
            source=str(body["source"]),
            session=str(more["session"]),
            service=body["service"],
            class_id=str(more["class_id"]),
            class_name=str(more["class_name"]),
            signature=signature,
        ),
        verdict=cast(PersonsVerdict, body["verdict"]),
        scope=tuple(scope for scope in SCOPES if scope in body["scope"]),
        who=str(more["who"]),
        reason=str(more["reason"]),
        given_at=read_time(body["given_at"]),
        kind=body["kind"],
        until=_time(body["until_at"]),
        removed_at=_time(body["removed_at"]),
    )


def _time(value: Any) -> datetime | None:
    return None if value is None else read_time(value)
