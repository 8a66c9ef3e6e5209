"""The demo's own count: Elasticsearch and the sinks against what had to come.

What had to come is told by `classify` over the same lines in a file, a path that
touches neither Elasticsearch nor the outbox.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from elasticsearch import Elasticsearch

from connector import finding_id
from elkwatch.config import Config
from elkwatch.demo.sinks import MailSink, WebhookSink
from elkwatch.outdated import STATE
from elkwatch.source_watch import KEYS
from model import Verdict


@dataclass(frozen=True, slots=True)
class Books:
    """What was counted. `reasons` says what a lost or doubled one was."""

    lost: int
    duplicates: int
    reasons: tuple[str, ...]


def compare(
    source: str,
    verdicts: Sequence[Verdict],
    findings: Iterable[Mapping[str, Any]],
    owed: Mapping[str, int],
    mail: MailSink,
    hook: WebhookSink,
    *,
    indexed: int,
    read: int,
) -> Books:
    """Logs, findings and notifications, each against its own truth.

    Findings are told by their ids: the session keys in them may be masked. Those of a
    service or of the model are of no session, and do not count here.
    """
    wanted = {finding_id(source, v.key, v.window_start) for v in verdicts if v.anomaly}
    written = Counter(
        str(f["event"]["id"]) for f in findings if _of_a_session(f["elkwatch"])
    )
    counts = {
        "documents not read": max(0, indexed - read),
        "documents read twice": max(0, read - indexed),
        "anomalous sessions without a finding": len(wanted - set(written)),
        "sessions with more than one finding": written.total() - len(written),
        "findings for normal sessions": len(set(written) - wanted),
        "mails lost": max(0, owed.get("email", 0) - len(mail.counts)),
        "mails doubled": mail.duplicates,
        "webhooks lost": max(0, owed.get("webhook", 0) - len(hook.counts)),
        "webhooks doubled": hook.duplicates,
        "webhooks with a wrong signature": len(hook.rejected),
    }
    lost = (
        "documents not read",
        "anomalous sessions without a finding",
        "mails lost",
        "webhooks lost",
        "webhooks with a wrong signature",
    )
    return Books(
        lost=sum(counts[name] for name in lost),
        duplicates=sum(n for name, n in counts.items() if name not in lost),
        reasons=tuple(f"{name}: {n}" for name, n in counts.items() if n),
    )


def owed(client: Elasticsearch, config: Config) -> dict[str, int]:
    """How many messages each channel kind was owed, by the outbox's own rows."""
    kinds = {channel.name: channel.kind for channel in config.alerting.channels}
    answer = client.search(
        index=f"elkwatch-outbox-{config.namespace}",
        size=1000,
        ignore_unavailable=True,
    )
    rows = [hit["_source"] for hit in answer["hits"]["hits"]]
    return dict(Counter(kinds[row["channel"]] for row in rows))


def _of_a_session(finding: Mapping[str, Any]) -> bool:
    pattern, key = finding["pattern"], str(finding["session"]["id"])
    return pattern != STATE and not key.startswith(KEYS.get(pattern, "\0"))
