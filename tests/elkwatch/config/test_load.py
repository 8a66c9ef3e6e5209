"""The configuration: where it is found, what is taken, what stays unseen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from elkwatch import program_log
from elkwatch.config import (
    EmailChannel,
    StartPoint,
    WebhookChannel,
    find_config,
    load_config,
    secret_values,
    source_named,
)
from elkwatch.errors import ConfigError
from tests.elkwatch.config.samples import SECRETS, load, whole


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
    example = Path(__file__).parents[3] / "elkwatch.example.yml"
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
