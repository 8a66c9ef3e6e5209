"""Secured clusters: the roles are enough and no more, and every refusal is one line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import AuthorizationException, Elasticsearch

from connector import (
    ClientConfig,
    ConfigError,
    ConnectorError,
    Cursor,
    DeadLetter,
    ElasticCursorStore,
    ElasticStateStore,
    EngineUnreachable,
    FindingSink,
    KeyRequest,
    Lease,
    LogSource,
    NotAuthenticated,
    Owner,
    PrivilegeMissing,
    Results,
    RunFigures,
    RunMetricsSink,
    SourceSpec,
    TlsFailed,
    WindowRequest,
    connect,
    install,
    missing,
    preflight,
    roles,
    stream_name,
)
from connector.setup import READ_ROLE, RUN_ROLE, SETUP_ROLE
from elkwatch.clock import SystemClock
from elkwatch.engine import Engine, SecurityOptions, User
from elkwatch.installed_objects import ElasticInstallStore
from kibana import InstallRecord, Key
from kibana.installed import Installed
from tests.connector.indexed import FAR, IMPATIENT, line, put, spec
from tests.connector.samples import NOON, at, finding
from tests.integration.conftest import SecuredEngine
from tests.integration.tls import TestAuthority, make_authority

PASSWORD = "correct hörse 马 🐎"
SOURCE = spec("app-logs-*,other-logs")


def without_each(namespace: str) -> dict[str, dict[str, Any]]:
    """The run role, once for each single privilege without it, by namespace."""
    variants = {}
    whole = roles([SOURCE], namespace)[RUN_ROLE]
    for i, entry in enumerate(whole["indices"]):
        for j in range(len(entry["privileges"])):
            variant_namespace = f"less{i}{j}"
            role = deepcopy(roles([SOURCE], variant_namespace)[RUN_ROLE])
            role["indices"][i]["privileges"].pop(j)
            if not role["indices"][i]["privileges"]:
                role["indices"].pop(i)
            variants[variant_namespace] = role
    role = deepcopy(roles([SOURCE], "lessmonitor")[RUN_ROLE])
    role["cluster"] = []
    variants["lessmonitor"] = role
    return variants


LESS = without_each("x")


@pytest.fixture(scope="module")
def engine(secured_engine: SecuredEngine, test_authority: TestAuthority) -> Engine:
    """With TLS, an administrator, our two roles, and the run role less something."""
    ours = roles([SOURCE], "prod")
    users = [
        User("boss", PASSWORD, ("superuser",)),
        User("runner", PASSWORD, (RUN_ROLE,)),
        User("setter", PASSWORD, (SETUP_ROLE,)),
        User("reader", PASSWORD, (READ_ROLE,)),
        User("nobody", PASSWORD, ()),
    ]
    users += [User(name, PASSWORD, (name,)) for name in LESS]
    made = secured_engine(
        SecurityOptions(tuple(users), {**ours, **LESS}, test_authority.files)
    )
    with client_of(made, "boss", test_authority) as boss:
        put(boss, "app-logs-1", [line(i, session=f"s{i % 3}") for i in range(30)])
        put(boss, "other-logs", [line(0)])
        put(boss, "secret-logs", [line(0)])
    with client_of(made, "setter", test_authority) as setter:
        install(setter, "prod")
    return made


def config(engine: Engine, user: str, authority: TestAuthority) -> ClientConfig:
    return ClientConfig(
        (engine.url,),
        username=user,
        password=PASSWORD,
        ca_certs=str(authority.files.authority),
    )


@contextmanager
def client_of(
    engine: Engine, user: str, authority: TestAuthority
) -> Iterator[Elasticsearch]:
    with connect(config(engine, user, authority)) as client:
        yield client


def whole_run(client: Elasticsearch, namespace: str, source: SourceSpec) -> None:
    """Every call that the service ever makes."""
    preflight(client)
    assert missing(client) == []
    reader = LogSource(client, source, page_size=7, retry=IMPATIENT)
    reader.check()
    assert sum(len(page.documents) for page in reader.pages(None, FAR)) == 31
    assert reader.fetch_keys([KeyRequest("s1", at(0), at(60))], FAR)["s1"]
    window = WindowRequest("s1", at(0), at(60))
    assert reader.fetch_windows([window], FAR)[window]
    sink = FindingSink(client, namespace, retry=IMPATIENT)
    assert sink.write([finding()]).count("created") == 1
    assert sink.write([finding()]).count("exists") == 1
    assert sink.write([finding(events=5)]).count("amended") == 1
    assert sink.dead_letter([DeadLetter("decode", "db", "bad", NOON, doc_id="1")]) == 1
    store = ElasticStateStore(client, namespace, wait_for_refresh=True, retry=IMPATIENT)
    created = store.create("outbox", "r1", {"state": "pending"})
    assert created is not None
    store.replace(created, {"state": "sent"})
    assert len(store.find("outbox", {"state": "sent"})) == 1
    cursors = ElasticCursorStore(store)
    assert cursors.load("db") is None
    cursors.save(cursors.save(Cursor("db", "@timestamp")))
    lease = Lease(store, "run", Owner.this_process(), SystemClock())
    assert lease.acquire()
    lease.renew()
    lease.release()
    figures = RunMetricsSink(client, namespace, retry=IMPATIENT)
    assert figures.write(RunFigures("r1", "db", NOON, NOON)) == 1


def test_the_run_role_is_enough(engine: Engine, test_authority: TestAuthority) -> None:
    with client_of(engine, "runner", test_authority) as client:
        whole_run(client, "prod", SOURCE)


@pytest.mark.parametrize("namespace", sorted(LESS))
def test_the_run_role_holds_nothing_it_does_not_need(
    engine: Engine, test_authority: TestAuthority, namespace: str
) -> None:
    """Without any one of its privileges the run fails, and says for want of which."""
    with (
        client_of(engine, namespace, test_authority) as client,
        pytest.raises(ConnectorError) as caught,
    ):
        whole_run(client, namespace, SOURCE)
    assert "\n" not in str(caught.value)
    assert PASSWORD not in str(caught.value)


def test_the_read_role_reads_results_and_nothing_else(
    engine: Engine, test_authority: TestAuthority
) -> None:
    with client_of(engine, "runner", test_authority) as runner:
        sink = FindingSink(runner, "prod", retry=IMPATIENT)
        sink.write([finding(session="to be read")])
        RunMetricsSink(runner, "prod").write(RunFigures("r2", "db", NOON, NOON))
    with client_of(engine, "boss", test_authority) as boss:
        boss.indices.refresh(index="*-elkwatch.*-prod")
    with client_of(engine, "reader", test_authority) as client:
        preflight(client)
        results = Results(client, "prod", retry=IMPATIENT)
        sessions = {
            found["elkwatch"]["session"]["id"] for found in results.findings(NOON, FAR)
        }
        assert "to be read" in sessions
        assert "r2" in {run["elkwatch"]["run"]["id"] for run in results.runs(NOON, FAR)}
        with pytest.raises(AuthorizationException):
            client.search(index="app-logs-1")
        with pytest.raises(PrivilegeMissing):
            FindingSink(client, "prod", retry=IMPATIENT).write([finding(events=1)])


def test_what_the_run_role_may_not(
    engine: Engine, test_authority: TestAuthority
) -> None:
    with client_of(engine, "runner", test_authority) as client:
        attempts: list[Callable[[], object]] = [
            lambda: client.index(index="app-logs-1", document=line(0)),
            lambda: client.delete(index="app-logs-1", id="00000"),
            lambda: client.indices.delete(index="app-logs-1"),
            lambda: client.search(index="secret-logs"),
            lambda: client.indices.delete(index=stream_name("prod")),
            lambda: client.index(index=stream_name("other"), document=line(0)),
            lambda: client.indices.put_index_template(name="x", index_patterns=["x-*"]),
        ]
        for attempt in attempts:
            with pytest.raises(AuthorizationException):
                attempt()


def test_the_setup_role_sets_up_and_no_more(
    engine: Engine, test_authority: TestAuthority
) -> None:
    with client_of(engine, "setter", test_authority) as client:
        assert {action.change for action in install(client, "prod")} == {"unchanged"}
        with pytest.raises(AuthorizationException):
            client.search(index="app-logs-1")


def test_what_either_role_installed_the_other_removes(
    engine: Engine, test_authority: TestAuthority
) -> None:
    with client_of(engine, "setter", test_authority) as client:
        setter = ElasticInstallStore(ElasticStateStore(client, "prod"))
        key = Key("dashboard", "d")
        record = InstallRecord("ops", objects=(Installed(key, "d", ""),))
        setter.save(record)
        assert setter.load("ops") == record
        with pytest.raises(PrivilegeMissing):
            ElasticStateStore(client, "prod").create("outbox", "r", {})
    with client_of(engine, "runner", test_authority) as client:
        state = ElasticStateStore(client, "prod", wait_for_refresh=True)
        runner = ElasticInstallStore(state)
        assert runner.load("ops") == record
        runner.save(record.without([key]))
        assert runner.spaces() == []


def test_setting_up_takes_the_setup_role(
    engine: Engine, test_authority: TestAuthority
) -> None:
    """The run role sees that a template differs, and may not put it right."""
    name = "elkwatch-dead-letters"
    with client_of(engine, "boss", test_authority) as boss:
        boss.indices.put_index_template(name=name, index_patterns=["elkwatch-dead-*"])
    try:
        with (
            client_of(engine, "runner", test_authority) as client,
            pytest.raises(PrivilegeMissing) as caught,
        ):
            install(client, "prod")
    finally:
        with client_of(engine, "setter", test_authority) as setter:
            install(setter, "prod")
    assert "manage_index_templates" in caught.value.granted_by


def test_a_missing_privilege_is_named(
    engine: Engine, test_authority: TestAuthority
) -> None:
    with client_of(engine, "nobody", test_authority) as client:
        with pytest.raises(PrivilegeMissing) as caught:
            preflight(client)
        assert "monitor" in caught.value.granted_by
        assert "cluster privilege" in str(caught.value)
        source = LogSource(client, spec("app-logs-1"), retry=IMPATIENT)
        with pytest.raises(PrivilegeMissing) as caught:
            source.check()
        assert caught.value.indices == ("app-logs-1",)
        assert "read" in caught.value.granted_by
        with pytest.raises(PrivilegeMissing) as caught:
            FindingSink(client, "prod", retry=IMPATIENT).write([finding()])
        assert "read" in caught.value.granted_by
    assert "\n" not in str(caught.value)


def test_a_stream_that_may_not_be_created(
    engine: Engine, test_authority: TestAuthority
) -> None:
    """HTTP 200, and 403 for the item: `auto_configure` is missing."""
    namespace = "less12"
    assert "auto_configure" not in LESS[namespace]["indices"][1]["privileges"]
    with (
        client_of(engine, namespace, test_authority) as client,
        pytest.raises(PrivilegeMissing, match="auto_configure") as caught,
    ):
        FindingSink(client, namespace, retry=IMPATIENT).write([finding()])
    assert stream_name(namespace) in caught.value.indices


class TestConnections:
    def test_works(self, engine: Engine, test_authority: TestAuthority) -> None:
        with client_of(engine, "runner", test_authority) as client:
            info = preflight(client)
        assert info.status in {"green", "yellow"}
        assert info.version[0] in "89"

    def test_works_with_the_fingerprint(
        self, engine: Engine, test_authority: TestAuthority
    ) -> None:
        pinned = replace(
            config(engine, "runner", test_authority),
            ca_certs=None,
            ssl_assert_fingerprint=test_authority.fingerprint,
        )
        with connect(pinned) as client:
            assert preflight(client).cluster_name

    @pytest.mark.parametrize(
        ("changes", "error", "advice"),
        [
            ({"password": "wrong"}, NotAuthenticated, "password was refused"),
            ({"username": None}, NotAuthenticated, "elasticsearch.api_key"),
            (
                {"username": None, "password": None, "api_key": "bm90OmtleQ=="},
                NotAuthenticated,
                "API key",
            ),
            ({"ca_certs": None}, TlsFailed, "elasticsearch.ca_certs"),
            (
                {"ca_certs": None, "ssl_assert_fingerprint": "ab" * 32},
                TlsFailed,
                "ssl_assert_fingerprint",
            ),
        ],
    )
    def test_one_line_says_what_is_wrong(
        self,
        engine: Engine,
        test_authority: TestAuthority,
        changes: dict[str, Any],
        error: type[ConnectorError],
        advice: str,
    ) -> None:
        wrong = replace(config(engine, "runner", test_authority), **changes)
        with connect(wrong) as client, pytest.raises(error, match=advice) as caught:
            preflight(client)
        text = str(caught.value)
        assert engine.url in text
        assert "\n" not in text
        for secret in (PASSWORD, "wrong", "bm90OmtleQ=="):
            assert f" {secret}" not in text

    def test_another_authority(
        self, engine: Engine, test_authority: TestAuthority, tmp_path: Path
    ) -> None:
        other = make_authority(tmp_path)
        wrong = config(engine, "runner", other)
        with (
            connect(wrong) as client,
            pytest.raises(TlsFailed, match="not signed by a CA known here"),
        ):
            preflight(client)

    def test_a_name_that_is_not_in_the_certificate(
        self, engine: Engine, test_authority: TestAuthority
    ) -> None:
        url = engine.url.replace("127.0.0.1", "127.0.0.2")
        wrong = replace(config(engine, "runner", test_authority), hosts=(url,))
        with connect(wrong) as client, pytest.raises(ConnectorError) as caught:
            preflight(client)
        assert isinstance(caught.value, TlsFailed | EngineUnreachable)

    def test_http_against_https(
        self, engine: Engine, test_authority: TestAuthority
    ) -> None:
        url = engine.url.replace("https:", "http:")
        plain = ClientConfig((url,), username="runner", password=PASSWORD)
        with (
            connect(plain) as client,
            pytest.raises(EngineUnreachable, match="write https://"),
        ):
            preflight(client)

    def test_a_ca_file_that_is_none(
        self, engine: Engine, test_authority: TestAuthority, tmp_path: Path
    ) -> None:
        no_pem = tmp_path / "ca.crt"
        no_pem.write_text("not a certificate")
        wrong = replace(config(engine, "runner", test_authority), ca_certs=str(no_pem))
        with pytest.raises(ConfigError, match="holds no certificate"):
            connect(wrong)
        with pytest.raises(ConfigError, match="no file"):
            connect(replace(wrong, ca_certs=str(tmp_path / "none")))
