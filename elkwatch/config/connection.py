"""How to reach Elasticsearch before there is a configuration file.

command line ──over──▶ ELKWATCH__ELASTICSEARCH__… ──▶ ElasticsearchSettings
                                                 └──▶ the section to write, no secret
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from elkwatch import program_log
from elkwatch.config import environment
from elkwatch.config.explain import path_text, problems
from elkwatch.config.places import ElasticsearchSettings
from elkwatch.config.secrets import Surroundings
from elkwatch.config.settings import Config
from elkwatch.errors import ConfigError

SECTION = "elasticsearch"
_SECRETS = ("api_key", "password")
_ANY_SOURCE = [{"name": "any", "index": "any"}]


@dataclass(frozen=True, slots=True)
class Connection:
    """The settings, checked, and the section of a file that says the same.

    In `section` every secret is a reference: `{file: …}`, or `{env: …}` for one that an
    environment variable gave.
    """

    settings: ElasticsearchSettings
    section: Mapping[str, Any]


def connection(given: Mapping[str, Any], environ: Mapping[str, str]) -> Connection:
    """What the command line gives, then what the environment does.

    given: keys of the section `elasticsearch`; a secret only as `{file: PATH}`. Raises
    ConfigError with one line.
    """
    data: dict[str, Any] = {SECTION: {}}
    written: dict[str, Any] = {}
    for change in environment.overrides(environ):
        if change.path[0] != SECTION or len(change.path) < 2:
            continue
        environment.apply(change, data)
        key = str(change.path[1])
        if key in _SECRETS and isinstance(change.value, str):
            written[key] = {"env": change.variable}
    data[SECTION] |= given
    around = Surroundings(folder=Path.cwd(), environ=environ)
    try:
        config = Config.model_validate(data | {"sources": _ANY_SOURCE}, context=around)
    except ValidationError as e:
        first = problems(e, Config)[0]
        raise ConfigError(f"{path_text(first.path)}: {first.text}") from e
    settings = config.elasticsearch
    for secret in (settings.api_key, settings.password):
        if secret is not None:
            program_log.hide([secret.get_secret_value()])
    return Connection(settings, data[SECTION] | _but(written, given))


def _but(written: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in written.items() if key not in given}
