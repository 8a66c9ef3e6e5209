"""Fixtures around a real Elasticsearch.

`engine_url`       address of one engine a test run, or TEST_ELASTICSEARCH_URL
`es`               a client of it that never retries on its own
`client`           one as elkwatch itself opens it
`namespace`        a name of the test's own; all that bears it goes when the test ends
`prefix`           the same for names that begin with it
`start_engine`     start engines of the test's own, for tests that stop or break them
`engine_programs`  where the programs of an engine lie, for tests of the commands
`secured_engine`   engines with users, roles and TLS, one for each wish a test run
`test_authority`   a throw-away certificate authority
`bundle`           a model of the shop's logs, trained once a test run
`world`            the shop: its logs, its model, a configuration, and sinks

TEST_ELASTICSEARCH_VERSION chooses the version of the engines started here. Where none
can be had the tests skip and say why; with CI set they fail.
"""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from elasticsearch import ApiError, BadRequestError, Elasticsearch, NotFoundError

from connector import ClientConfig, connect
from elkwatch.engine import (
    Engine,
    EngineOptions,
    EngineUnavailableError,
    SecurityOptions,
    Step,
    chosen_version,
    start,
)
from elkwatch.engine.distribution import elasticsearch_home
from elkwatch.engine.place import root_directory, run_as_for
from elkwatch.engine.progress import silent
from tests.integration.tls import TestAuthority, make_authority

if TYPE_CHECKING:
    from tests.integration.world import World

StartEngine = Callable[[EngineOptions], Engine]
SecuredEngine = Callable[[SecurityOptions], Engine]

_NEEDS_ENGINE = {"engine_url", "engine_programs", "start_engine", "secured_engine"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs an engine, directly or through another fixture."""
    for item in items:
        if _NEEDS_ENGINE & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.engine)


@pytest.fixture(scope="session")
def engine_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where Elasticsearch answers."""
    given = os.environ.get("TEST_ELASTICSEARCH_URL")
    if given:
        yield given
        return
    with _start(EngineOptions(), request.config) as engine:
        yield engine.url


@pytest.fixture(scope="session")
def engine_programs() -> Path:
    """The directory that `elkwatch engine` has its programs in, fetched."""
    root = root_directory(run_as_for(None))
    version = chosen_version(os.environ.get("TEST_ELASTICSEARCH_VERSION"))
    with _had_or_skipped():
        return elasticsearch_home(version, root, silent).parent


@pytest.fixture(scope="session")
def es(engine_url: str) -> Iterator[Elasticsearch]:
    """A client for arranging and checking; not the one under test."""
    with Elasticsearch(engine_url, max_retries=0, request_timeout=30) as client:
        yield client


@pytest.fixture
def client(engine_url: str) -> Iterator[Elasticsearch]:
    """The client under test, as the service opens it."""
    with connect(ClientConfig((engine_url,))) as made:
        yield made


@pytest.fixture
def namespace(es: Elasticsearch) -> Iterator[str]:
    """A data stream namespace that no other test has."""
    name = f"t{secrets.token_hex(6)}"
    yield name
    remove_all_named(es, name)


@pytest.fixture
def prefix(namespace: str) -> str:
    """What the names of this test's own indices begin with."""
    return f"test-{namespace}-"


@pytest.fixture
def start_engine(request: pytest.FixtureRequest) -> Iterator[StartEngine]:
    """Engines of the test's own, stopped when it ends if they still run."""
    with ExitStack() as stack:
        yield lambda options: stack.enter_context(_start(options, request.config))


@pytest.fixture(scope="session")
def secured_engine(request: pytest.FixtureRequest) -> Iterator[SecuredEngine]:
    """Engines with security on; equal wishes share one."""
    engines: dict[str, Engine] = {}
    with ExitStack() as stack:

        def secured(security: SecurityOptions) -> Engine:
            passwords = [user.password for user in security.users]
            wish = f"{security!r}{passwords!r}"
            if wish not in engines:
                options = EngineOptions(security=security)
                engines[wish] = stack.enter_context(_start(options, request.config))
            return engines[wish]

        yield secured


@pytest.fixture(scope="session")
def test_authority(tmp_path_factory: pytest.TempPathFactory) -> TestAuthority:
    """An authority and a server certificate for loopback."""
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a trained model lies."""
    from model import save_bundle, train  # torch is for those tests only that need it
    from tests.model.builders import deadlocked, looping, shop
    from tests.model.conftest import CONFIG

    rng = random.Random(7)
    odd = [make(f"{i}", rng) for make in (deadlocked, looping) for i in range(8)]
    model = train(shop(200), CONFIG, discover=[*shop(20, seed=1), *odd])
    folder = tmp_path_factory.mktemp("model") / "shop"
    save_bundle(model, folder, now=datetime.now(UTC))
    return folder


@pytest.fixture
def world(
    es: Elasticsearch, engine_url: str, namespace: str, tmp_path: Path, bundle: Path
) -> Iterator[World]:
    """A test's own shop, with nothing in its logs yet."""
    from elkwatch.demo.sinks import MailSink, WebhookSink
    from tests.integration.world import SECRET, World

    with MailSink() as mail, WebhookSink(SECRET) as hook:
        made = World(es, engine_url, namespace, tmp_path, bundle, mail, hook)
        made.prepare()
        yield made


def _start(options: EngineOptions, config: pytest.Config) -> Engine:
    if options.version is None:
        version = os.environ.get("TEST_ELASTICSEARCH_VERSION")
        options = replace(options, version=version)
    with _had_or_skipped():
        return start(options, lambda step: _tell(config, step))


@contextmanager
def _had_or_skipped() -> Iterator[None]:
    try:
        yield
    except EngineUnavailableError as e:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no Elasticsearch to test with: {e}")


def _tell(config: pytest.Config, step: Step) -> None:
    """Show what takes long (a download) past pytest's capture."""
    capture = config.pluginmanager.get_plugin("capturemanager")
    if step.stage == "start" or step.done_mb or capture is None:
        return
    with capture.global_and_fixture_disabled():
        print(f"\n{step.message}", end="", flush=True)


def remove_all_named(es: Elasticsearch, name: str) -> None:
    """Remove what bears `name`, and nothing else.

    The minimal engine can remove no data stream, nor a template that one uses: there
    a stream is emptied and its index closed, so that it costs nothing any more.
    """
    found = es.indices.resolve_index(name=f"*{name}*", expand_wildcards="all")
    for stream in found["data_streams"]:
        _remove_stream(es, stream["name"], stream["backing_indices"])
    for index in found["indices"]:
        if not index.get("data_stream"):
            es.indices.delete(index=index["name"], ignore_unavailable=True)
    for remove in (
        es.indices.delete_index_template,
        es.cluster.delete_component_template,
    ):
        with suppress(NotFoundError, BadRequestError):
            remove(name=f"*{name}*")


def _remove_stream(es: Elasticsearch, stream: str, backing: list[str]) -> None:
    try:
        es.indices.delete_data_stream(name=stream)
    except ApiError as e:
        if e.status_code not in {400, 405}:
            raise
        with suppress(ApiError):  # it needs the template, which may be gone
            es.indices.rollover(alias=stream)
            es.indices.delete(index=",".join(backing))
        kept = es.indices.resolve_index(name=stream)["data_streams"]
        es.indices.close(index=kept[0]["backing_indices"])
