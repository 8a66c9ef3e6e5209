"""Variables that override the file."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from elkwatch.config import secret_values
from tests.elkwatch.config.samples import ENVIRON, SECRETS, load, refusal, whole


def test_the_environment_overrides_the_file(folder: Path) -> None:
    environ = ENVIRON | {
        "ELKWATCH__SOURCES__0__INDEX": "other-*",
        "ELKWATCH__SOURCES__1__NAME": "second",
        "ELKWATCH__SOURCES__1__INDEX": "second-*",
        "ELKWATCH__SOURCES__1__SESSION": "{fields: [host.name], window: 1m}",
        "ELKWATCH__SCHEDULE__INTERVAL": "5s",
        "ELKWATCH__LIMITS__PAGE_SIZE": "100",
        "ELKWATCH__RESULTS__INCLUDE_NORMAL": "true",
        "ELKWATCH__ELASTICSEARCH__HOSTS": "https://a:1, https://b:2",
        "ELKWATCH__ELASTICSEARCH__API_KEY": "[not a list]",
        "ELKWATCH__ALERTING__CHANNELS__0__SMTP__PASSWORD": "{not: a reference}",
        "ELKWATCH__ALERTING__CHANNELS__1__SECRET__FILE": "mail.secret",
    }
    config = load(folder, whole(), environ)
    assert [s.index for s in config.sources] == ["other-*", "second-*"]
    assert config.sources[1].session is not None
    assert config.sources[1].session.window == timedelta(minutes=1)
    assert config.schedule.interval == timedelta(seconds=5)
    assert config.limits.page_size == 100
    assert config.results.include_normal is True
    assert config.elasticsearch.hosts == ("https://a:1", "https://b:2")
    secrets = secret_values(config)
    assert {"[not a list]", "{not: a reference}", SECRETS[1]} <= secrets


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        ("ELKWATCH__SCHEDULE__INTERVALL", "5s",
         "ELKWATCH__SCHEDULE__INTERVALL: schedule.intervall: unknown key; did you"),
        ("ELKWATCH__ALERTNG__LANGUAGE", "en", "alertng: unknown key; did you mean al"),
        ("ELKWATCH__LIMITS__PAGE_SIZE", "x", "expected a whole number, found 'x'"),
        ("ELKWATCH__SOURCES__7__NAME", "x",
         "ELKWATCH__SOURCES__7__NAME: sources is a list of 1; name an item of it"),
        ("ELKWATCH__SOURCES__NAME", "x", "sources is a list of 1; name an item of it"),
        ("ELKWATCH____API_KEY", "x", "expected names between double underscores"),
    ],
)  # fmt: skip
def test_wrong_overrides_name_their_variable(
    folder: Path, variable: str, value: str, line: str
) -> None:
    said = refusal(folder, whole(), ENVIRON | {variable: value})
    assert said.startswith(variable)
    assert line in said
