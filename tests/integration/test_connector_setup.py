"""Setting a real cluster up, and seeing what it lacks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from elasticsearch import ApiError, Elasticsearch

from connector import (
    Action,
    ClientConfig,
    FindingSink,
    Retention,
    connect,
    install,
    missing,
    run_stream_name,
    stream_name,
    templates,
)
from tests.connector.samples import finding

NAMES = [
    "elkwatch-dead-letters",
    "elkwatch-state",
    "logs-elkwatch.anomaly",
    "metrics-elkwatch.run",
]


STAND_IN = "test-stand-in-for-elkwatch"


@pytest.fixture
def client(engine_url: str, es: Elasticsearch) -> Iterator[Elasticsearch]:
    """The client under test, on a cluster without our templates; they come back.

    Elasticsearch keeps a template that a data stream has no other for, so there is a
    stand-in for the streams of other tests.
    """
    es.indices.put_index_template(
        name=STAND_IN,
        index_patterns=["logs-elkwatch.anomaly-*", "metrics-elkwatch.run-*"],
        priority=499,
        data_stream={},
    )
    remove(es, NAMES)
    with connect(ClientConfig((engine_url,))) as made:
        yield made
        remove(es, NAMES)
        install(made, "default")
    remove(es, [STAND_IN])


def remove(es: Elasticsearch, names: list[str]) -> None:
    for name in names:
        es.options(ignore_status=404).indices.delete_index_template(name=name)


def changes(actions: list[Action]) -> dict[str, str]:
    return {action.name: action.change for action in actions}


def test_what_is_missing_is_named_and_then_there(
    client: Elasticsearch, namespace: str
) -> None:
    assert missing(client) == [f"index template {name}" for name in NAMES]
    assert changes(install(client, namespace)) == dict.fromkeys(NAMES, "create")
    assert missing(client) == []


def test_a_dry_run_changes_nothing(client: Elasticsearch, namespace: str) -> None:
    would = install(client, namespace, dry_run=True)
    assert changes(would) == dict.fromkeys(NAMES, "create")
    assert len(missing(client)) == 4
    assert [str(action).split()[0] for action in would] == ["create"] * 4


def test_again_changes_nothing(client: Elasticsearch, namespace: str) -> None:
    install(client, namespace)
    before = client.indices.get_index_template(name="*elkwatch*").body
    assert changes(install(client, namespace)) == dict.fromkeys(NAMES, "unchanged")
    assert client.indices.get_index_template(name="*elkwatch*").body == before


def test_a_changed_template_is_put_right_and_its_stream_rolled_over(
    es: Elasticsearch, client: Elasticsearch, namespace: str
) -> None:
    install(client, namespace)
    FindingSink(client, namespace).write([finding()])
    body = templates()["logs-elkwatch.anomaly"]
    es.indices.put_index_template(
        name="logs-elkwatch.anomaly",
        index_patterns=body["index_patterns"],
        priority=501,
        version=0,
        data_stream={},
    )
    wanted = f"index template logs-elkwatch.anomaly version {body['version']}"
    assert missing(client) == [wanted]
    expected = {
        **dict.fromkeys(NAMES, "unchanged"),
        "logs-elkwatch.anomaly": "update",
        stream_name(namespace): "roll over",
    }
    assert changes(install(client, namespace, dry_run=True)) == expected
    assert changes(install(client, namespace)) == expected
    assert missing(client) == []
    [stream] = es.indices.resolve_index(name=stream_name(namespace))["data_streams"]
    assert len(stream["backing_indices"]) == 2
    assert FindingSink(client, namespace).write([finding()]).count("exists") == 1


KEPT = Retention(findings=timedelta(days=7), metrics=timedelta(hours=36))


def test_retention_goes_into_the_templates(
    client: Elasticsearch, namespace: str
) -> None:
    install(client, namespace)
    expected = {
        **dict.fromkeys(NAMES, "unchanged"),
        "logs-elkwatch.anomaly": "update",
        "metrics-elkwatch.run": "update",
    }
    assert changes(install(client, namespace, retention=KEPT)) == expected
    again = install(client, namespace, retention=KEPT)
    assert changes(again) == dict.fromkeys(NAMES, "unchanged")
    for stream, kept in (
        (stream_name(namespace), "7d"),
        (run_stream_name(namespace), "36h"),
    ):
        simulated = client.indices.simulate_index_template(name=stream)
        assert simulated["template"]["lifecycle"]["data_retention"] == kept


def test_retention_of_a_stream_that_is_there(
    client: Elasticsearch, namespace: str
) -> None:
    """It is set, or said in one line that this engine knows nothing of it."""
    install(client, namespace)
    FindingSink(client, namespace).write([finding()])
    name = stream_name(namespace)
    actions = install(client, namespace, retention=KEPT)
    (about,) = [a for a in actions if a.kind == "retention of data stream"]
    assert about.name == name
    try:
        answer = client.indices.get_data_lifecycle(name=name)
    except ApiError:
        assert str(about) == (
            f"left out   retention of data stream {name}: "
            "this Elasticsearch has no data stream lifecycle"
        )
    else:
        assert about.change == "update"
        assert answer["data_streams"][0]["lifecycle"]["data_retention"] == "7d"


def test_a_newer_template_is_left_alone(
    es: Elasticsearch, client: Elasticsearch, namespace: str
) -> None:
    es.indices.put_index_template(
        name="elkwatch-state", index_patterns=["elkwatch-state-x-*"], version=99
    )
    assert changes(install(client, namespace))["elkwatch-state"] == "keep newer"
    assert missing(client) == []


def test_a_component_of_the_users_own_is_taken_up(
    es: Elasticsearch, client: Elasticsearch, namespace: str
) -> None:
    install(client, namespace)
    name = "logs-elkwatch.anomaly@custom"
    settings = {"index.refresh_interval": "7s"}
    es.cluster.put_component_template(name=name, template={"settings": settings})
    try:
        simulated = es.indices.simulate_index_template(name=stream_name(namespace))
        settings = simulated["template"]["settings"]["index"]
        assert settings["refresh_interval"] == "7s"
        assert settings["mode"] == "standard"
        assert simulated["template"]["lifecycle"]["data_retention"] == "365d"
    finally:
        es.indices.delete_index_template(name="logs-elkwatch.anomaly")
        es.cluster.delete_component_template(name=name)
