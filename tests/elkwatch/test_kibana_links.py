"""Where findings and messages lead, by the configuration and by what was installed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import unquote

import pytest

from alerting import Subject
from connector import InMemoryStateStore, StateUnavailable, join_key
from elkwatch.config import Config, SourceSettings
from elkwatch.confirm import keyless_unit
from elkwatch.installed_objects import ElasticInstallStore
from elkwatch.kibana_objects import kibana_objects
from elkwatch.log_links import log_links
from elkwatch.message_links import InstalledIds, KibanaLinks
from kibana import InstallRecord, Key
from kibana.installed import Installed
from model import LogEvent, Verdict

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
END = START + timedelta(minutes=5)
VIEW = "elkwatch-there"


def config(space: str = "default", **source: Any) -> Config:
    return Config.model_validate(
        {
            "elasticsearch": {"hosts": ["http://127.0.0.1:9200"]},
            "kibana": {"url": "https://kibana:5601", "space": space},
            "sources": [{"name": "app", "index": "logs-app-*", **source}],
        }
    )


def query(settings: Config, key: str) -> str:
    """The KQL that a verdict with this key leads to."""
    (source,) = settings.sources
    url = log_links(source, settings.kibana, lambda key: VIEW)(verdict(key))
    assert url is not None
    return query_of(url)


def query_of(url: str) -> str:
    """The KQL in a link."""
    found = re.search(r"query:'((?:[^'!]|!.)*)'\)", unquote(url.partition("#")[2]))
    assert found is not None
    return re.sub(r"!(.)", r"\1", found[1])


def verdict(
    key: str, pattern: str = "new-event", service: str | None = None
) -> Verdict:
    made = SimpleNamespace(
        key=key, start=START, end=END, pattern=pattern, service=service
    )
    return cast(Verdict, made)


def keyless(service: str | None, host: str | None) -> str:
    event = LogEvent(START, "x", None, None, service, host, None, "")
    return keyless_unit(event)


SERVICE, HOST = "service.name", "host.name"


@pytest.mark.parametrize(
    ("session", "key", "expected"),
    [
        ({"field": "trace.id"}, "abc", 'trace.id: "abc"'),
        ({"field": "trace.id"}, "a|b", 'trace.id: "a|b"'),
        ({"pattern": "blk_\\d+"}, "blk_1", 'message: "blk_1"'),
        (
            {"fields": [SERVICE, HOST], "window": "5m"},
            join_key(["shop|eu", 'h"1']),
            'service.name: "shop|eu" and host.name: "h\\"1"',
        ),
        (
            {"fields": [SERVICE, HOST], "window": "5m"},
            join_key([None, "h1"]),
            'not service.name: * and host.name: "h1"',
        ),
        (None, join_key(["shop", None]), 'service.name: "shop" and not host.name: *'),
        (None, keyless(None, None), "not service.name: * and not host.name: *"),
        (
            {"field": "trace.id"},
            keyless("shop|eu", "h1"),
            'not trace.id: * and service.name: "shop|eu" and host.name: "h1"',
        ),
        (
            {"fields": ["a", "b"], "window": "5m"},
            keyless("shop", None),
            'not a: * and not b: * and service.name: "shop" and not host.name: *',
        ),
        (
            {"pattern": "blk_\\d+"},
            keyless("s", "h"),
            'service.name: "s" and host.name: "h"',
        ),
    ],
)
def test_the_lines_of_a_unit(
    session: Mapping[str, Any] | None, key: str, expected: str
) -> None:
    source: dict[str, Any] = {} if session is None else {"session": session}
    assert query(config(**source), key) == expected


def test_of_a_silence_the_lines_of_its_service() -> None:
    settings = config(session={"field": "trace.id"})
    (source,) = settings.sources
    link = log_links(source, settings.kibana, lambda key: VIEW)
    for service, kql in (("pay", 'service.name: "pay"'), (None, "")):
        url = link(verdict("silence of pay", "flatline", service))
        assert url == link(verdict("rate of pay", "service-rate", service))
        assert url is not None
        assert query_of(url) == kql


def test_fields_of_the_source_are_used() -> None:
    settings = config(
        time_field="time", message_field="body.text", session={"pattern": "x"}
    )
    (source,) = settings.sources
    url = log_links(source, settings.kibana, lambda key: VIEW)(verdict("x"))
    assert url is not None
    assert "columns:!('body.text','log.level')" in unquote(url)
    assert "sort:!(!('time',asc))" in unquote(url)
    assert 'body.text: "x"' in query(settings, "x")


def test_install_brings_the_view_that_links_name() -> None:
    settings = config()
    (source,) = settings.sources
    asked: list[Key] = []

    def located(key: Key) -> str:
        asked.append(key)
        return key.id

    log_links(source, settings.kibana, located)(verdict("x"))
    assert asked
    ids = {Key(one.type, one.id) for one in kibana_objects(settings)}
    assert set(asked) <= ids


def test_links_of_another_space_use_what_was_installed_there() -> None:
    settings = config(space="ops")
    store = ElasticInstallStore(InMemoryStateStore())
    key = Key("index-pattern", "elkwatch-findings")
    objects = (
        Installed(key, "0b7e-view", ""),
        Installed(Key("dashboard", "elkwatch-class-detail"), "77aa-board", ""),
    )
    store.save(InstallRecord("ops", objects=objects))
    assert settings.kibana is not None
    links = KibanaLinks(settings.kibana, InstalledIds(store, "ops", _Clock()))
    about = Subject("app", START, END, "c07", "app/c07/shop")
    finding = unquote(links.finding("f1", START, END))
    assert "/s/ops/app/discover#/" in finding
    assert "dataViewId:'0b7e-view'" in finding
    assert 'event.id: "f1"' in finding
    board = unquote(links.dashboard(about))
    assert "/s/ops/app/dashboards#/view/77aa-board?" in board
    assert 'elkwatch.source: "app" and rule.id: "c07"' in board
    assert "elkwatch.fingerprint" not in board  # all services of the class
    assert "from:'2026-11-22T11:00:00.000Z',to:'2026-11-22T13:05:00.000Z'" in board
    assert 'elkwatch.fingerprint: "app/c07/shop"' in unquote(links.findings(about))
    overview = links.dashboard(Subject("app", START, END))
    assert "#/view/elkwatch-overview?" in overview


class _Clock:
    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time


class _Store:
    """A store that counts, and can be out of reach."""

    def __init__(self) -> None:
        self.there, self.asked, self.down = "first", 0, False

    def load(self, space: str) -> InstallRecord:
        self.asked += 1
        if self.down:
            raise StateUnavailable("down")
        key = Key("dashboard", "d")
        return InstallRecord(space, objects=(Installed(key, self.there, ""),))

    def save(self, record: InstallRecord) -> None:
        raise NotImplementedError

    def spaces(self) -> list[str]:
        return []


def test_installed_ids_are_asked_for_again_and_survive_an_outage() -> None:
    store, clock, key = _Store(), _Clock(), Key("dashboard", "d")
    ids = InstalledIds(store, "ops", clock)
    assert [ids(key), ids(key), store.asked] == ["first", "first", 1]
    store.there = "second"
    clock.time += timedelta(minutes=6)
    assert ids(key) == "second"
    store.down = True
    clock.time += timedelta(minutes=6)
    assert [ids(key), ids(key), store.asked] == ["second", "second", 3]


def test_without_kibana_there_is_no_link() -> None:
    (source,) = config().sources
    assert log_links(source, None, lambda key: VIEW)(verdict("x")) is None
    assert isinstance(source, SourceSettings)
