"""What is refused of a configuration, and in which words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from elkwatch.config import load_config
from elkwatch.errors import ConfigError
from tests.elkwatch.config.samples import put, refusal, whole


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        # unknown keys
        ("sources.0.mesage_field", "m",
         ":15: sources[0].mesage_field: unknown key; did you mean message_field?"),
        ("alerting.channels.0.smtp.prot", 25,
         "alerting.channels[0].smtp.prot: unknown key; did you mean port?"),
        ("alerting.channels.1.form", "x",
         "alerting.channels[1].form: unknown key; known here: name, kind, url, secret"),
        ("hosts", ["https://es:9200"],
         "hosts: unknown key here; did you mean elasticsearch.hosts?"),
        ("sources.0.query_delay", "1m",
         "unknown key here; did you mean schedule.query_delay?"),
        ("sources.0.smtp", {},
         "unknown key here; did you mean alerting.channels[0].smtp?"),
        ("zzz", 1, "zzz: unknown key; known here: elasticsearch, namespace, sources"),
        # wrong types
        ("sources", "logs-*", "sources: expected a list, found 'logs-*'"),
        ("sources.0", "logs-*", "expected keys with values, found 'logs-*'"),
        ("sources.0.index", 7, "expected text, found 7; put it in quotes"),
        ("sources.0.name", False, "expected text, found false; put it in quotes"),
        ("schedule", ["60s"], "schedule: expected keys with values, found a list"),
        ("limits", {"page_size": "many"}, "expected a whole number, found 'many'"),
        ("limits", {"page_size": 0}, "expected at least 1, found 0"),
        ("results", {"include_normal": "often"}, "expected true or false, found"),
        ("elasticsearch.api_key", 12345678,
         "elasticsearch.api_key: expected text, {file: PATH} or {env: NAME}, "
         "found a number"),
        ("elasticsearch.api_key", ["x"], "found a list"),
        ("alerting.channels.1.headers", {"X-Team": 5}, "found a number"),
        ("elasticsearch", None, "expected keys with values, found nothing"),
        # missing
        ("elasticsearch", ..., "elasticsearch: is missing"),
        ("sources.0.name", ..., "sources[0].name: is missing"),
        ("sources", [], "sources: is empty; expected at least one"),
        ("elasticsearch.hosts", [], "hosts: is empty; expected at least one"),
        ("sources.0.index", "", "index: is empty; expected a text that is not empty"),
        # durations and times
        ("sources.0.session_timeout", "ten minutes",
         "expected a duration such as 90s, 10m, 1h or 7d, found 'ten minutes'"),
        ("sources.0.session_timeout", 600, "found 600 without a unit"),
        ("sources.0.session_timeout", "0s", "expected a duration longer than zero"),
        ("sources.0.session_timeout", "2h", "longer than max_session_age"),
        ("sources.0.start", "yesterday",
         "sources[0].start: expected now-15m (or another duration), an ISO time, or "
         "earliest, found 'yesterday'"),
        # sessions
        ("sources.0.session", {}, "one of field, pattern and fields, found none"),
        ("sources.0.session.pattern", "x", "found field and pattern"),
        ("sources.0.session.window", "5m", "window goes with fields, not with field"),
        ("sources.0.session", {"fields": ["host.name"]}, "add a window, such as"),
        ("sources.0.session", {"pattern": "blk_(\\d+"},
         "sources[0].session.pattern: bad regular expression 'blk_(\\\\d+' at position "
         "4: missing ), unterminated subpattern"),
        ("sources.0.session", {"pattern": "a(?=b)"},
         "bad regular expression 'a(?=b)' at position 1: invalid perl operator"),
        # places
        ("elasticsearch.hosts", ["es:9200"], "hosts[0]: expected an address such as"),
        ("elasticsearch.hosts", ["https://u:pw@es:9200"],
         "expected an address without a password in it"),
        ("elasticsearch.username", "elastic",
         "elasticsearch: give api_key, or username and password, not both"),
        ("namespace", "my-space", "namespace: expected small letters"),
        ("kibana", {"url": "kibana"}, "kibana.url: expected an address"),
        # alerting
        ("alerting.channels.0.kind", "emial",
         "alerting.channels[0]: kind: expected email or webhook, found emial; did you "
         "mean email?"),
        ("alerting.channels.0.kind", ..., "kind: expected email or webhook"),
        ("alerting.channels.1.name", "ops-mail",
         "alerting.channels: two channels are called 'ops-mail'"),
        ("alerting.channels.0.to", ["ops"],
         "alerting.channels[0].to[0]: expected a mail address, found 'ops'"),
        ("alerting.channels.0.from", "a@b.c\r\nBcc: x@y.z", "expected a mail address"),
        ("alerting.channels.0.smtp.security", "ssl",
         "expected none, starttls or tls, found 'ssl'"),
        ("alerting.channels.0.smtp.username", ..., "username and password go together"),
        ("alerting.channels.0.smtp.port", 70_000, "at most 65535, found 70000"),
        ("alerting.channels.1.url", "hooks", "url: expected an address such as"),
        ("alerting.channels.1.headers", {"X Team": "v"}, "'X Team' is no header name"),
        ("alerting.language", "fr", "expected en or zh, found 'fr'"),
        ("alerting.time_zone", "Peking", "expected an IANA time zone such as"),
        ("privacy", {"mask": ["mails"]}, "'mails' is none of email, ip, card, token"),
        # secrets that are not there
        ("elasticsearch.api_key", {"env": "NOT_SET"},
         "elasticsearch.api_key: the environment variable NOT_SET is not set"),
        ("elasticsearch.api_key", {"file": "none"}, "none; create it or name another"),
        ("elasticsearch.api_key", {"vault": "x"},
         "expected text, {file: PATH} or {env: NAME}"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_in_one_line(
    folder: Path, path: str, value: Any, line: str
) -> None:
    assert line in refusal(folder, put(whole(), path, value))


def test_two_sources_of_one_name(folder: Path) -> None:
    data = whole()
    data["sources"] *= 2
    assert "two sources are called 'shop-db'" in refusal(folder, data)


def test_all_problems_are_counted(folder: Path) -> None:
    data = put(put(whole(), "namespace", 5), "schedule", {"interval": "x", "y": 1})
    assert refusal(folder, data).endswith("(and 2 more problems)")


def test_secret_files(folder: Path) -> None:
    secret = folder / "key"
    data = put(whole(), "elasticsearch.api_key", {"file": str(secret)})
    secret.write_text("")
    assert "is empty" in refusal(folder, data)
    secret.write_bytes(b"\xff\xfe")
    assert "is not UTF-8 text" in refusal(folder, data)
    secret.unlink()
    secret.mkdir()
    assert "cannot be read: is a directory" in refusal(folder, data)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: [1, 2", ":1:9: not valid YAML: expected ',' or ']'"),
        ("a: b: c", ":1:5: not valid YAML: mapping values are not allowed here"),
        ("a: 1\nb:\n  c: 1\n  c: 2\n", ":4:3: the key c comes twice; keep one"),
        ("a: !include x", ":1:4: not valid YAML: could not determine a constructor"),
        ("- a", ":1:1: expected keys with values"),
        ("", ": is empty; `elkwatch config example` prints a whole one"),
        ("a: \x01", ": not valid YAML: "),
    ],
)
def test_what_is_no_yaml(folder: Path, text: str, line: str) -> None:
    assert refusal(folder, text).startswith(line)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    file = tmp_path / "elkwatch.yml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        load_config(file, {})
    with pytest.raises(ConfigError, match="is a directory; name the file in it"):
        load_config(tmp_path, {})
