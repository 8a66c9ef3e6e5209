"""The configuration: what is taken, what is refused and in which words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

import alerting.config
from connector import SessionRule, SourceSpec
from elkwatch import program_log
from elkwatch.config import (
    Config,
    EmailChannel,
    StartPoint,
    WebhookChannel,
    duration_text,
    find_config,
    load_config,
    parse_duration,
    parse_start,
    reference,
    secret_values,
    source_named,
    translate,
)
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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mail.secret").write_text(SECRETS[1] + "\n")
    return tmp_path


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


def test_everything_of_the_contract_is_taken(folder: Path) -> None:
    config = load(folder, whole())
    source = config.sources[0]
    assert source.session_timeout == timedelta(minutes=10)
    assert source.start == StartPoint(ago=timedelta(minutes=15))
    assert source.model == folder / "models/shop-db"
    assert config.schedule.query_delay == timedelta(seconds=30)
    assert config.alerting.max_alert_age == timedelta(hours=1)
    mail, hook = config.alerting.channels
    assert isinstance(mail, EmailChannel)
    assert isinstance(hook, WebhookChannel)
    assert mail.sender == "elk@example.org"
    assert mail.smtp.port_number == 587
    assert hook.headers["X-Team"].get_secret_value() == "ops-token-5"


def test_the_shipped_example_loads() -> None:
    example = Path(__file__).parents[2] / "elkwatch.example.yml"
    names = "ELKWATCH_API_KEY", "ELKWATCH_SMTP_PASSWORD", "ELKWATCH_WEBHOOK_SECRET"
    config = load_config(example, {name: f"{name}-value" for name in names})
    assert [s.name for s in config.sources] == ["shop-db"]
    assert len(config.alerting.channels) == 2


def test_secrets_are_resolved_and_never_shown(folder: Path) -> None:
    config = load(folder, whole())
    assert secret_values(config) >= set(SECRETS)
    for shown in (repr(config), str(config), str(config.model_dump(mode="json"))):
        assert not [s for s in (*SECRETS, "ops-token-5") if s in shown]
    assert "https://hooks.example.org/…" in str(config.model_dump(mode="json"))
    assert program_log.masked(f"sent {SECRETS[1]}") == f"sent {program_log.MASK}"


def test_a_loaded_configuration_can_not_be_changed(folder: Path) -> None:
    config = load(folder, whole())
    with pytest.raises(ValidationError, match="frozen"):
        config.__setattr__("namespace", "other")
    with pytest.raises(ValidationError, match="frozen"):
        config.sources[0].__setattr__("name", "other")
    assert isinstance(config.sources, tuple)


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


def test_where_the_configuration_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as caught:
        find_config(None, {})
    assert "`elkwatch init`" in str(caught.value)
    with pytest.raises(ConfigError, match=r"x\.yml: no such .* by \$ELKWATCH_CONFIG"):
        find_config(None, {"ELKWATCH_CONFIG": "x.yml"})
    for name in ("elkwatch.yml", "env.yml", "option.yml"):
        Path(name).touch()
    environ = {"ELKWATCH_CONFIG": "env.yml"}
    assert find_config(Path("option.yml"), environ) == Path("option.yml")
    assert find_config(None, environ) == Path("env.yml")
    assert find_config(None, {}) == Path("elkwatch.yml")


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


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("90s", timedelta(seconds=90)),
        ("10m", timedelta(minutes=10)),
        ("1h", timedelta(hours=1)),
        ("7d", timedelta(days=7)),
        ("1h30m", timedelta(hours=1, minutes=30)),
        ("250ms", timedelta(milliseconds=250)),
        ("0s", timedelta(0)),
    ],
)
def test_durations_there_and_back(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration
    assert parse_duration(duration_text(duration)) == duration


@pytest.mark.parametrize("text", ["", "5", "m", "5 minutes", "-5m", "5m5", "9999999d"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_duration(text)


def test_start_points() -> None:
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert parse_start("now-7d").resolve(now) == now - timedelta(days=7)
    assert parse_start("earliest").resolve(now) is None
    moment = parse_start("2026-11-22T08:00:00+08:00").resolve(now)
    assert moment == datetime(2026, 11, 22, tzinfo=UTC)
    assert parse_start("2026-11-22").resolve(now) == moment
    for text in ("now-7d", "earliest", "2026-11-22T00:00:00Z", "now"):
        assert str(parse_start(text)) == text


def test_yaml_turns_times_into_dates_and_we_take_them(folder: Path) -> None:
    text = yaml.safe_dump(whole()).replace("now-15m", "2026-11-22T08:00:00+08:00")
    start = load(folder, text).sources[0].start
    assert start.at == datetime(2026, 11, 22, tzinfo=UTC)


def test_sources_by_name(folder: Path) -> None:
    config = load(folder, whole())
    assert source_named(config, "shop-db").index == "logs-postgresql.log-*"
    with pytest.raises(ConfigError, match="'shopdb'; did you mean shop-db"):
        source_named(config, "shopdb")
    with pytest.raises(ConfigError, match="'zz'; there are shop-db"):
        source_named(config, "zz")


def test_what_the_connector_gets(folder: Path) -> None:
    config = load(folder, whole())
    assert translate.source_spec(config.sources[0]) == SourceSpec(
        name="shop-db",
        index="logs-postgresql.log-*",
        session=SessionRule(field="postgresql.log.session_id"),
    )
    client = translate.client_config(config.elasticsearch)
    assert (client.hosts, client.api_key) == (("https://es:9200",), SECRETS[0])
    stronger = translate.client_config(config.elasticsearch, api_key="setup-key")
    assert stronger.api_key == "setup-key"
    assert SECRETS[0] not in repr(client)


def test_what_alerting_gets(folder: Path) -> None:
    data = put(whole(), "alerting.channels.1.previous_secret", "whsec_b2xk")
    data["alerting"]["channels"][1]["proxy"] = "http://u:pw-proxy@proxy:3128"
    data["alerting"]["time_zone"] = "Asia/Shanghai"
    config = load(folder, put(data, "alerting.channels.1.secret", "whsec_bmV3"))
    told = translate.alerting_config(config.alerting)
    mail, hook = told.channels
    assert isinstance(mail, alerting.config.EmailChannel)
    assert isinstance(hook, alerting.config.WebhookChannel)
    assert (mail.password, mail.port, mail.sender) == (
        SECRETS[1],
        587,
        "elk@example.org",
    )
    assert hook.secrets == ("whsec_bmV3", "whsec_b2xk")
    assert hook.headers == (("X-Team", "ops-token-5"),)
    assert hook.proxy == "http://u:pw-proxy@proxy:3128"
    assert "pw-proxy" not in repr(config) + str(config.model_dump(mode="json"))
    assert told.zone == "Asia/Shanghai"
    assert told.policy.resolve_after == timedelta(minutes=15)


def test_file_rules() -> None:
    minute = timedelta(minutes=1)
    assert translate.file_session_rule(["a"], None, None) == SessionRule(field="a")
    assert translate.file_session_rule([], "x", minute) == SessionRule(
        pattern="x", window_s=60
    )
    both = translate.file_session_rule(["a", "b"], None, None)
    assert both.fields == ("a", "b")
    assert translate.file_session_rule([], None, None) == SessionRule()


def test_the_reference_is_written_from_the_schema() -> None:
    page = Path(__file__).parents[2] / "docs" / "configuration.md"
    assert page.read_text(encoding="utf-8") == reference.reference()
    assert [key.path for key in reference.all_keys() if not key.description] == []
