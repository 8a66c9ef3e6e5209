"""The configuration that the demo runs with, as a user would write it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import yaml

from elkwatch.config import Config, load_config
from elkwatch.demo.logs import SESSION_FIELD, STREAM
from elkwatch.demo.sinks import MailSink, WebhookSink

QUERY_DELAY = timedelta(seconds=2)
SESSION_TIMEOUT = timedelta(seconds=30)


def configure(
    folder: Path, url: str, mail: MailSink, hook: WebhookSink, secret: str
) -> Config:
    """Writes elkwatch.yml and the secret beside it; → the configuration, loaded."""
    path = folder / "elkwatch.yml"
    secret_file = folder / "webhook.secret"
    secret_file.write_text(secret, "utf-8")
    secret_file.chmod(0o600)
    path.write_text(_configuration(url, mail, hook), "utf-8")
    return load_config(path, {})


def _configuration(url: str, mail: MailSink, hook: WebhookSink) -> str:
    body = {
        "elasticsearch": {"hosts": [url]},
        "namespace": "demo",
        "sources": [
            {
                "name": "shop-db",
                "index": STREAM,
                "session": {"field": SESSION_FIELD},
                "sequence_field": "postgresql.log.session_line_number",
                "session_timeout": f"{int(SESSION_TIMEOUT.total_seconds())}s",
                "start": "earliest",
                "model": "model",
            }
        ],
        "schedule": {
            "interval": "10s",
            "query_delay": f"{int(QUERY_DELAY.total_seconds())}s",
        },
        "privacy": {"mask": ["email", "card", "token"]},
        "alerting": {
            "channels": [
                {
                    "name": "demo-mail",
                    "kind": "email",
                    "smtp": {"host": mail.host, "port": mail.port, "security": "none"},
                    "from": "elkwatch <elkwatch@example.org>",
                    "to": ["ops@example.org"],
                },
                {
                    "name": "demo-hook",
                    "kind": "webhook",
                    "url": hook.url,
                    "secret": {"file": "webhook.secret"},
                },
            ]
        },
    }
    return "# Written by `elkwatch demo`.\n" + yaml.safe_dump(body, sort_keys=False)
