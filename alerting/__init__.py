"""Findings in; episodes, owed messages and deliveries out.

    FindingNotice ──▶ EpisodeTracker ──▶ Outbox ──▶ Notifier (email, webhook)
                      open … resolved    one row per (episode, transition, channel)

This package knows nothing of Elasticsearch, of models or of where findings come from.
``build`` puts it together from an ``AlertingConfig`` and a store.
"""

from alerting.assembly import Alerting, build, channels, render, trial_rows
from alerting.catchup import CatchUp
from alerting.config import AlertingConfig, EmailChannel, WebhookChannel
from alerting.delivery import Attempt, Channel, DeliveryReport
from alerting.episode import Episode, episode_from
from alerting.episodes import EpisodeTracker
from alerting.errors import (
    AlertingConfigError,
    AlertingError,
    DeliveryError,
    MessageError,
    RowError,
    StateConflict,
    StoreBusy,
)
from alerting.lifecycle import MessageKind, Policy
from alerting.links import Links, NoLinks, SampleLinks, Subject
from alerting.masking import masked_url
from alerting.messages.render import KINDS, LANGUAGES, Rendered
from alerting.notifiers import Notifier, OutgoingMessage, Receipt
from alerting.outbox import Outbox
from alerting.records import Clock, EvidenceNote, FindingNotice, Transition
from alerting.rows import DeliveryRules, OutboxRow
from alerting.sample import sample_notice
from alerting.store import SEARCHED, AlertStore, InMemoryAlertStore, Stored, Write

__all__ = [
    "KINDS",
    "LANGUAGES",
    "SEARCHED",
    "AlertStore",
    "Alerting",
    "AlertingConfig",
    "AlertingConfigError",
    "AlertingError",
    "Attempt",
    "CatchUp",
    "Channel",
    "Clock",
    "DeliveryError",
    "DeliveryReport",
    "DeliveryRules",
    "EmailChannel",
    "Episode",
    "EpisodeTracker",
    "EvidenceNote",
    "FindingNotice",
    "InMemoryAlertStore",
    "Links",
    "MessageError",
    "MessageKind",
    "NoLinks",
    "Notifier",
    "Outbox",
    "OutboxRow",
    "OutgoingMessage",
    "Policy",
    "Receipt",
    "Rendered",
    "RowError",
    "SampleLinks",
    "StateConflict",
    "StoreBusy",
    "Stored",
    "Subject",
    "Transition",
    "WebhookChannel",
    "Write",
    "build",
    "channels",
    "episode_from",
    "masked_url",
    "render",
    "sample_notice",
    "trial_rows",
]
