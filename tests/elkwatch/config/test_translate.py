"""What the packages get of a configuration."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import alerting.config
from connector import SessionRule, SourceSpec
from elkwatch.config import translate
from tests.elkwatch.config.samples import SECRETS, load, put, whole


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
