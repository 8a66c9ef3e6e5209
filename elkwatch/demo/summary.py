"""The figures of a demo, as `summary.json` holds them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from elkwatch.demo.books import Books
from elkwatch.demo.sinks import MailSink, WebhookSink
from elkwatch.engine import Engine
from elkwatch.rounds import Tick


def summary_of(
    engine: Engine,
    findings: Sequence[Mapping[str, Any]],
    ticks: tuple[Tick, Tick],
    books: Books,
    mail: MailSink,
    hook: WebhookSink,
    *,
    indexed: int,
    read: int,
) -> dict[str, Any]:
    """What was read, found, sent and counted."""
    names = Counter(str(f["rule"]["name"]) for f in findings)
    return {
        "engine": {"name": "elasticsearch", "version": engine.version},
        "logs_indexed": indexed,
        "logs_read": read,
        "sessions": ticks[0].sources[0].progress.sessions,
        "findings": len(findings),
        "classes": dict(names.most_common()),
        "mails_received": len(mail.received),
        "webhooks_received": len(hook.received),
        "duplicates": books.duplicates,
        "lost": books.lost,
        "books": list(books.reasons),
        "second_run": {
            "findings": ticks[1].sources[0].progress.created,
            "notifications": ticks[1].delivery.sent,
        },
    }
