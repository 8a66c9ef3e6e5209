"""Documents as shippers index them, and the events of services; all made up."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connector import Column, Sample

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

_STEPS = (
    "connection authorized: user=app database=shop",
    "statement: BEGIN",
    "duration: {} ms",
    "statement: COMMIT",
    "disconnection: session time: 0:00:00.{}",
)
_DAEMONS = ("sshd", "cron", "kernel", "systemd")
_SYSLOG = (
    "Accepted publickey for ops from 10.0.0.{} port 5{} ssh2",
    "session opened for user root(uid=0) by (uid={})",
    "Started Session {} of user ops.",
    "Reached target Timers after {} s",
    "eth0: link up, {} Mbps",
)


def connections(count: int, *, start: datetime = NOON) -> Iterator[dict[str, Any]]:
    """ECS documents of a database: five lines a connection, interleaved."""
    rng = random.Random(count)
    lines = [
        (start + timedelta(seconds=2 * n + step / 2), n, step)
        for n in range(count)
        for step in range(len(_STEPS))
    ]
    for time, n, step in sorted(lines):
        yield {
            "@timestamp": time.isoformat(),
            "message": _STEPS[step].format(rng.randrange(10_000)),
            "log": {"level": "LOG"},
            "service": {"name": "shop-db"},
            "host": {"name": "db-1"},
            "process": {"pid": 100 + n % 7},
            "postgresql": {"log": {"session_id": f"{n:08x}.7b", "session_line": step}},
        }


def rsyslog(count: int, *, start: datetime = NOON) -> Iterator[dict[str, Any]]:
    """What rsyslog's omelasticsearch writes: dotted keys, times with +00:00."""
    rng = random.Random(count)
    for n in range(count):
        time = start + timedelta(seconds=n)
        yield {
            "@timestamp": time.isoformat(timespec="microseconds"),
            "message": rng.choice(_SYSLOG).format(n, n),
            "host.name": rng.choice(("vm-1", "vm-2")),
            "log.syslog.appname": rng.choice(_DAEMONS),
            "log.level": rng.choice(("info", "notice", "err")),
            "process.pid": str(rng.randrange(300, 900)),
        }


def otel(count: int, *, start: datetime = NOON) -> Iterator[dict[str, Any]]:
    """OpenTelemetry logs: the text in body.text, traces of four lines."""
    for n in range(count):
        yield {
            "@timestamp": (start + timedelta(seconds=n)).isoformat(),
            "body": {"text": f"{('got', 'read', 'priced', 'sent')[n % 4]} order {n}"},
            "severity_text": "INFO",
            "trace_id": f"{n // 4:032x}",
            "span_id": f"{n:016x}",
            "resource": {
                "attributes": {"service": {"name": "cart"}, "host": {"name": "n1"}}
            },
        }


def columns(
    documents: Sequence[Mapping[str, Any]], types: Mapping[str, str]
) -> list[Column]:
    """The columns of documents whose fields are mapped so."""
    mapped = {path: (kind,) for path, kind in types.items()}
    return Sample(documents, mapped).columns(mapped)


ECS_TYPES = {
    "@timestamp": "date",
    "message": "text",
    "log.level": "keyword",
    "service.name": "keyword",
    "host.name": "keyword",
    "process.pid": "long",
    "postgresql.log.session_id": "keyword",
    "postgresql.log.session_line": "long",
}
RSYSLOG_TYPES = {
    "@timestamp": "date",
    "message": "text",
    "host.name": "keyword",
    "log.syslog.appname": "keyword",
    "log.level": "keyword",
    "process.pid": "keyword",
}
OTEL_TYPES = {
    "@timestamp": "date",
    "body.text": "text",
    "severity_text": "keyword",
    "trace_id": "keyword",
    "span_id": "keyword",
    "resource.attributes.service.name": "keyword",
    "resource.attributes.host.name": "keyword",
}
