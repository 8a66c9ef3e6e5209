"""A small stack for tests of the whole path: logs, a model, a configuration, sinks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from elasticsearch import Elasticsearch, helpers

from connector import install
from elkwatch.cli.shell import run
from elkwatch.compose import Parts, compose
from elkwatch.config import load_config
from elkwatch.demo.sinks import MailSink, WebhookSink
from elkwatch.rounds import Tick
from elkwatch.service import Service
from model import Session

SECRET = "whsec_" + "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"

RUN = "import sys; from elkwatch.cli.shell import run; sys.exit(run(sys.argv[1:]))"

# A driver that kills its own process, as kill -9 would, when it reaches a point.
_DRIVER = """
import os, signal, sys
from {module} import {owner}
whole = {owner}.{method}
left = {after}
def reached(self, *args, **kwargs):
    global left
    if {then_die}:
        whole(self, *args, **kwargs)
    if left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    return None if {then_die} else whole(self, *args, **kwargs)
{owner}.{method} = reached
from elkwatch.cli.shell import run
sys.exit(run(sys.argv[1:]))
"""


@dataclass(slots=True)
class MovedClock:
    """The machine's clock, moved ahead."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        """The present time and then some."""
        return datetime.now(UTC) + self.ahead


@dataclass(slots=True)
class World:
    """One test's corner of an Elasticsearch, with sinks to send to."""

    es: Elasticsearch
    url: str
    namespace: str
    folder: Path
    bundle: Path
    mail: MailSink
    hook: WebhookSink
    clock: MovedClock = field(default_factory=MovedClock)
    credentials: Mapping[str, str] = field(default_factory=dict)
    source: Mapping[str, Any] = field(default_factory=dict)
    more_sources: Sequence[Mapping[str, Any]] = ()
    kibana: Mapping[str, Any] | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def index(self) -> str:
        """The data stream of the logs."""
        return f"logs-shop-{self.namespace}"

    @property
    def findings_stream(self) -> str:
        """Where findings go."""
        return f"logs-elkwatch.anomaly-{self.namespace}"

    def prepare(self, *, installed: bool = True) -> None:
        """Index templates of the logs, and of elkwatch if it is to be installed."""
        keyword = {"type": "keyword"}
        self.es.indices.put_index_template(
            name=f"test-{self.namespace}-logs",
            index_patterns=[self.index],
            priority=500,
            data_stream={},
            template={
                "settings": {"number_of_replicas": 0},
                "mappings": {
                    "properties": {
                        "session": {"properties": {"id": keyword}},
                        "service": {"properties": {"name": keyword}},
                        "host": {"properties": {"name": keyword}},
                        "event": {"properties": {"sequence": {"type": "long"}}},
                    }
                },
            },
        )
        if installed:
            install(self.es, self.namespace)

    def ship(self, sessions: Iterable[Session], service: str = "shop") -> int:
        """Indexes sessions as a shipper would."""
        actions = [
            {
                "_op_type": "create",
                "_index": self.index,
                "@timestamp": event.time.isoformat(),
                "message": event.message,
                "session": {"id": session.key},
                "service": {"name": service},
                "host": {"name": "web-1"},
                "event": {"sequence": event.sequence},
            }
            for session in sessions
            for event in session.events
        ]
        helpers.bulk(self.es, actions)
        self.es.indices.refresh(index=self.index)
        return len(actions)

    def config(self) -> Path:
        """The configuration as a file."""
        body: dict[str, Any] = {
            "elasticsearch": {"hosts": [self.url], **self.credentials},
            "namespace": self.namespace,
            "sources": [
                {
                    "name": "shop",
                    "index": self.index,
                    "session": {"field": "session.id"},
                    "session_timeout": "20s",
                    "start": "now-1h",
                    "model": str(self.bundle),
                    **self.source,
                },
                *({"model": str(self.bundle), **own} for own in self.more_sources),
            ],
            "schedule": {"interval": "1s", "query_delay": "1s"},
            "alerting": {
                "channels": [
                    {
                        "name": "mail",
                        "kind": "email",
                        "smtp": {
                            "host": self.mail.host,
                            "port": self.mail.port,
                            "security": "none",
                        },
                        "from": "elkwatch@example.org",
                        "to": ["ops@example.org"],
                    },
                    {
                        "name": "hook",
                        "kind": "webhook",
                        "url": self.hook.url,
                        "secret": SECRET,
                    },
                ]
            },
            **self.more,
        }
        if self.kibana is not None:
            body["kibana"] = dict(self.kibana)
        path = self.folder / "elkwatch.yml"
        path.write_text(yaml.safe_dump(body), "utf-8")
        return path

    def parts(self) -> Parts:
        """Composed anew, as a fresh process would."""
        return compose(load_config(self.config(), {}), self.clock, device="cpu")

    def run_once(self) -> Tick:
        """`run --once` in this process."""
        parts = self.parts()
        try:
            return Service(parts, self.clock).once()
        finally:
            parts.client.close()

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A real `elkwatch` command with this configuration."""
        line = [*arguments, "--config", str(self.config())]
        return _python(RUN, line)

    def command_here(self, *arguments: str) -> int:
        """The same in this process, which saves its start; → exit code.

        So soon after a run what that wrote may not be searchable yet.
        """
        self.es.indices.refresh(index=f"*{self.namespace}*", expand_wildcards="all")
        return run([*arguments, "--config", str(self.config())])

    def killed_at(
        self,
        module: str,
        owner: str,
        method: str,
        *,
        after: int = 0,
        done: bool = False,
    ) -> int:
        """`run --once` in a process that is killed when it calls a method.

        `after` so many calls; `done`: when the call has done its work. → exit status.
        """
        code = _DRIVER.format(
            module=module, owner=owner, method=method, after=after, then_die=done
        )
        line = ["run", "--once", "--device", "cpu", "--config", str(self.config())]
        return _python(code, line).returncode

    def findings(self) -> list[Mapping[str, Any]]:
        """All findings that are in the stream."""
        if not self.es.indices.exists(index=self.findings_stream):
            return []
        self.es.indices.refresh(index=self.findings_stream)
        answer = self.es.search(index=self.findings_stream, size=1000)
        return [hit["_source"] for hit in answer["hits"]["hits"]]

    def finding_counts(self) -> Counter[str]:
        """How many findings each session has."""
        return Counter(f["elkwatch"]["session"]["id"] for f in self.findings())


def _python(code: str, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
