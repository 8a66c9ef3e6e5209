"""Where messages lead: to findings and dashboards, wherever those may be.

Alerting knows no web pages; whoever composes it gives the links, or none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from alerting.news import CatchUpNews, ClassNews, EpisodeNews

#: How long after a message of an open episode its findings may still come.
STILL_OPEN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a message is about: findings of a source in [since, until].

    `class_id` and `fingerprint` narrow it; None: several, as in a catch-up.
    """

    source: str
    since: datetime
    until: datetime
    class_id: str | None = None
    fingerprint: str | None = None


class Links(Protocol):
    """Web addresses for messages; None where there is no such page."""

    def finding(self, finding_id: str, start: datetime, end: datetime) -> str | None:
        """One finding, of a session that ran from start to end."""
        ...

    def findings(self, about: Subject) -> str | None:
        """All findings of a subject."""
        ...

    def dashboard(self, about: Subject) -> str | None:
        """The dashboard to look at a subject with."""
        ...


class NoLinks:
    """Links of a place without web pages."""

    def finding(self, finding_id: str, start: datetime, end: datetime) -> None:
        """See Links."""

    def findings(self, about: Subject) -> None:
        """See Links."""

    def dashboard(self, about: Subject) -> None:
        """See Links."""


NO_LINKS: Final = NoLinks()


class SampleLinks:
    """Addresses that lead nowhere, for the message of a made-up finding."""

    def finding(self, finding_id: str, start: datetime, end: datetime) -> str:
        """See Links."""
        return f"https://kibana.example.org/app/discover#/finding/{finding_id}"

    def findings(self, about: Subject) -> str:
        """See Links."""
        return "https://kibana.example.org/app/discover#/findings/sample"

    def dashboard(self, about: Subject) -> str:
        """See Links."""
        kind = "class" if about.class_id is not None else "overview"
        return f"https://kibana.example.org/app/dashboards#/{kind}/sample"


def subject_of(news: EpisodeNews | CatchUpNews) -> Subject:
    """What a message is about. An open episode may still get findings."""
    if isinstance(news, CatchUpNews):
        return Subject(news.source, news.first_seen, news.last_seen)
    open_for = timedelta() if news.state == "resolved" else STILL_OPEN
    return Subject(
        news.source,
        news.first_seen,
        news.last_seen + open_for,
        news.class_id,
        news.fingerprint,
    )


def subject_of_class(source: str, news: ClassNews) -> Subject:
    """What a line of a catch-up is about."""
    return Subject(source, news.first_seen, news.last_seen, news.class_id)
