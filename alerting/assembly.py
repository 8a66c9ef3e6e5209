"""Puts alerting together from its settings, for the composition root.

alerting = build(config, store, clock)
alerting.tracker.note(notices, now)      # findings → episodes → owed rows
alerting.outbox.deliver(now)             # owed rows → channels
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from alerting.config import AlertingConfig, EmailChannel, WebhookChannel
from alerting.delivery import Channel
from alerting.document import webhook_document
from alerting.episodes import EpisodeTracker
from alerting.lifecycle import MessageKind
from alerting.links import NO_LINKS, Links
from alerting.messages.render import Messages, Rendered
from alerting.news import EpisodeNews
from alerting.notifiers import Notifier, OutgoingMessage
from alerting.notifiers.mail import EmailNotifier
from alerting.notifiers.webhook import WebhookNotifier
from alerting.outbox import Outbox
from alerting.records import Clock, FindingNotice
from alerting.rows import OutboxRow, slug
from alerting.sample import sample_news
from alerting.store import AlertStore


@dataclass(frozen=True, slots=True)
class Alerting:
    """What the pipeline talks to: who counts findings, and who sends."""

    tracker: EpisodeTracker
    outbox: Outbox


@dataclass(frozen=True, slots=True)
class RowComposer:
    """Turns rows into messages in one channel's words."""

    messages: Messages
    links: Links = NO_LINKS

    def compose(self, row: OutboxRow, sent_at: datetime) -> OutgoingMessage:
        """The message of that row. Raises MessageError if a built-in one is broken."""
        news = row.episode or row.catch_up
        if news is None:
            raise ValueError(f"row {row.row_id} tells of nothing")
        rendered = self.messages.render(row.kind, news, self.links)
        return OutgoingMessage(
            row_id=row.row_id,
            kind=row.kind,
            thread_id=row.thread_id,
            sent_at=sent_at,
            severity=news.severity,
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
            document=webhook_document(row, rendered, self.links),
            remaining=row.remaining,
        )


def build(
    config: AlertingConfig,
    store: AlertStore,
    clock: Clock,
    *,
    rng: random.Random | None = None,
    alone: bool = False,
    links: Links | None = None,
) -> Alerting:
    """Tracker and outbox of this configuration. Raises AlertingConfigError.

    links: where messages lead; None: they hold no link but that to the source logs.
    alone: the caller holds the lease, so what a dead run was sending is due at once.
    """
    outbox = Outbox(
        store, channels(config, links), clock, rules=config.rules, rng=rng, alone=alone
    )
    return Alerting(EpisodeTracker(store, outbox, config.policy), outbox)


def channels(config: AlertingConfig, links: Links | None = None) -> tuple[Channel, ...]:
    """The configured channels, ready to send. Raises AlertingConfigError."""
    known = links or NO_LINKS
    return tuple(_channel(config, one, known) for one in config.channels)


def render(
    kind: MessageKind,
    now: datetime,
    notices: Sequence[FindingNotice] = (),
    *,
    language: str = "en",
    zone: str = "UTC",
    templates: Path | None = None,
    links: Links | None = None,
) -> Rendered:
    """The message of that kind about these findings, or about a made-up one.

    Raises AlertingConfigError for a language, zone or folder that is not.
    """
    messages = Messages(language, zone, templates)
    news = sample_news(kind, now, notices, language=language)
    return messages.render(kind, news, links or NO_LINKS)


def trial_rows(config: AlertingConfig, now: datetime) -> list[OutboxRow]:
    """A test message to each channel, as rows for ``Outbox.owe``."""
    rows = []
    for channel in config.channels:
        language = channel.language or config.language
        news = sample_news("opened", now, language=language, test=True)
        assert isinstance(news, EpisodeNews)
        row_id = f"test-{now:%Y%m%dT%H%M%S%f}-{slug(channel.name)}"
        rows.append(
            OutboxRow(
                row_id=row_id,
                kind="opened",
                channel=channel.name,
                source=news.source,
                created_at=now,
                owed_since=now,
                next_attempt_at=now,
                thread_id=row_id,
                cause=(row_id,),
                episode=news,
            )
        )
    return rows


def _channel(
    config: AlertingConfig, channel: EmailChannel | WebhookChannel, links: Links
) -> Channel:
    messages = Messages(
        channel.language or config.language,
        channel.zone or config.zone,
        config.templates,
    )
    notifier: Notifier
    if isinstance(channel, EmailChannel):
        kind, notifier = "email", EmailNotifier(channel)
    else:
        kind, notifier = "webhook", WebhookNotifier(channel)
    return Channel(channel.name, kind, RowComposer(messages, links), notifier)
