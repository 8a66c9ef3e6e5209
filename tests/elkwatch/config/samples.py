"""A whole configuration, and what becomes of it or of one that is changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from elkwatch.config import Config, load_config
from elkwatch.errors import ConfigError

SECRETS = "key-in-env-1", "mail-secret-2", "whsec_hook-3", "/services/T00/B00/tail4"
ENVIRON = {"API_KEY": SECRETS[0]}


def whole() -> dict[str, Any]:
    """A configuration with all that contract and defaults know."""
    return {
        "elasticsearch": {"hosts": ["https://es:9200"], "api_key": {"env": "API_KEY"}},
        "sources": [
            {
                "name": "shop-db",
                "index": "logs-postgresql.log-*",
                "session": {"field": "postgresql.log.session_id"},
                "session_timeout": "10m",
                "max_session_age": "1h",
                "start": "now-15m",
                "model": "models/shop-db",
            }
        ],
        "alerting": {
            "channels": [
                {
                    "name": "ops-mail",
                    "kind": "email",
                    "smtp": {
                        "host": "smtp",
                        "username": "elk",
                        "password": {"file": "mail.secret"},
                    },
                    "from": "elk@example.org",
                    "to": ["Ops Team <ops@example.org>"],
                },
                {
                    "name": "ops-hook",
                    "kind": "webhook",
                    "url": f"https://hooks.example.org{SECRETS[3]}",
                    "secret": SECRETS[2],
                    "headers": {"X-Team": "ops-token-5"},
                },
            ]
        },
    }


def put(data: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Set `a.0.b` in the data; `...` takes it away."""
    here: Any = data
    *parents, last = [int(p) if p.isdecimal() else p for p in path.split(".")]
    for part in parents:
        here = here[part]
    if value is ...:
        del here[last]
    else:
        here[last] = value
    return data


def load(
    folder: Path, data: dict[str, Any] | str, environ: Mapping[str, str] = ENVIRON
) -> Config:
    file = folder / "elkwatch.yml"
    text = data if isinstance(data, str) else yaml.safe_dump(data, sort_keys=False)
    file.write_text(text)
    return load_config(file, environ)


def refusal(
    folder: Path, data: dict[str, Any] | str, environ: Mapping[str, str] = ENVIRON
) -> str:
    """The one line of a refused configuration; no secret may be in it."""
    with pytest.raises(ConfigError) as caught:
        load(folder, data, environ)
    line = str(caught.value)
    assert "\n" not in line
    assert not [s for s in (*SECRETS, "ops-token-5") if s in line]
    return line.removeprefix(str(folder / "elkwatch.yml"))
