"""Connecting: what cannot work is told before, what does not work in one line."""

from __future__ import annotations

import json
import socket
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from connector import (
    ClientConfig,
    ConfigError,
    EngineInfo,
    EngineTooBusy,
    EngineTooOld,
    EngineUnreachable,
    NotAuthenticated,
    PrivilegeMissing,
    RequestRefused,
    TlsFailed,
    connect,
    preflight,
)
from connector.client import TolerantSerializer
from tests.connector.replies import Replier, Reply, Request, answering

HEALTH = {"cluster_name": "logs", "status": "green"}


def serving(health: Reply, *versions: str) -> Replier:
    def replier(request: Request) -> Reply:
        if request.path == "/_cluster/health":
            return health
        nodes = {str(n): {"version": version} for n, version in enumerate(versions)}
        return Reply(200, {"nodes": nodes})

    return replier


def trying(url: str, **config: Any) -> EngineInfo:
    with connect(ClientConfig((url,), **config)) as client:
        return preflight(client)


def test_what_answers() -> None:
    with answering(serving(Reply(200, HEALTH), "9.2.4", "8.19.10", "8.19.8")) as url:
        info = trying(url)
    assert info == EngineInfo("logs", "green", ("8.19.8", "8.19.10", "9.2.4"))
    assert info.version == "8.19.8"


@pytest.mark.parametrize(
    ("user", "password"),
    [("u", "plain"), ("jörg", "pässwörd"), ("用户", "密码 🔑"), ("u", None)],
)
def test_user_and_password_in_any_script(user: str, password: str | None) -> None:
    came: set[str] = set()

    def replier(request: Request) -> Reply:
        came.add(request.authorization)
        return serving(Reply(200, HEALTH), "9.2.4")(request)

    with answering(replier) as url:
        trying(url, username=user, password=password)
    (header,) = came
    kind, _, pair = header.partition(" ")
    assert kind == "Basic"
    assert b64decode(pair).decode() == f"{user}:{password or ''}"


def test_one_node_that_is_too_old() -> None:
    with (
        answering(serving(Reply(200, HEALTH), "9.2.4", "8.9.0-SNAPSHOT")) as url,
        pytest.raises(EngineTooOld, match=r"version 8\.9\.0-SNAPSHOT"),
    ):
        trying(url)


def security(action: str) -> dict[str, Any]:
    reason = (
        f"action [{action}] is unauthorized for API key id [abc] of user [u], "
        "this action is granted by the cluster privileges [monitor,manage,all]"
    )
    error = {"type": "security_exception", "reason": reason}
    return {"error": error | {"root_cause": [error]}, "status": 403}


@pytest.mark.parametrize(
    ("reply", "error", "says"),
    [
        (
            Reply(401, {"error": {"type": "security_exception"}}),
            NotAuthenticated,
            "401",
        ),
        (
            Reply(403, security("cluster:monitor/health")),
            PrivilegeMissing,
            "not allowed to cluster:monitor/health; grant the cluster privilege "
            "monitor or manage",
        ),
        (Reply(403, {}), PrivilegeMissing, "403"),
        (
            Reply(503, {"error": {"type": "x", "reason": "no master"}}),
            EngineTooBusy,
            "no",
        ),
        (
            Reply(500, {"error": {"type": "npe", "reason": "a\nb"}}),
            RequestRefused,
            "a b",
        ),
        (Reply(404, "<html>", None), RequestRefused, "404"),
        (Reply(200, HEALTH, None), RequestRefused, "not Elasticsearch"),
        (Reply(502, "<html>bad gateway", None), EngineTooBusy, "502"),
    ],
)
def test_answers_that_are_errors(
    reply: Reply, error: type[Exception], says: str
) -> None:
    with answering(lambda _: reply) as url, pytest.raises(error, match=says) as caught:
        trying(url)
    assert url in str(caught.value)
    assert "\n" not in str(caught.value)


@contextmanager
def listening(answer: bytes | None) -> Iterator[str]:
    """A server that answers bytes and hangs up, or (None) never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def serve() -> None:
            try:
                while True:
                    connection, _ = server.accept()
                    held.append(connection)
                    if answer is not None:
                        connection.recv(10_000)
                        connection.sendall(answer)
                        connection.close()
            except OSError:
                return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        for connection in held:
            connection.close()


def test_nobody_there() -> None:
    with pytest.raises(EngineUnreachable, match="connection refused") as caught:
        trying("http://127.0.0.1:1")
    assert caught.value.recoverable


def test_an_unknown_host() -> None:
    with pytest.raises(EngineUnreachable, match="host name is not known"):
        trying("http://no-such-host.invalid:9200")


def test_no_answer_in_time() -> None:
    with (
        listening(None) as place,
        pytest.raises(EngineUnreachable, match="no answer in time"),
    ):
        trying(f"http://{place}", request_timeout_s=0.2)


def test_http_against_a_server_that_hangs_up() -> None:
    with (
        listening(b"") as place,
        pytest.raises(EngineUnreachable, match="write https://"),
    ):
        trying(f"http://{place}")


def test_https_against_plain_http() -> None:
    with (
        answering(serving(Reply(200, HEALTH), "9.2.4")) as url,
        pytest.raises(TlsFailed, match="write http:// instead"),
    ):
        trying(url.replace("http:", "https:"))


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"hosts": ()}, "name one"),
        ({"hosts": ("es:9200",)}, "no address"),
        ({"hosts": ("ftp://es:9200",)}, "no address"),
        ({"hosts": ("https://[es:9200",)}, "no address"),
        ({"hosts": ("https://es",)}, "no valid port"),
        ({"hosts": ("https://es:banana",)}, "no valid port"),
        ({"hosts": ("https://u:geheim@es:9200",)}, "username and password"),
        ({"api_key": "geheim", "username": "u"}, "not both"),
        ({"api_key": "geheimnisträger"}, "copy it again"),
        ({"ca_certs": "/no/such/file"}, "no file /no/such/file"),
        ({"ca_certs": __file__}, "holds no certificate"),
    ],
)
def test_configurations_that_cannot_work(config: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        connect(ClientConfig(**{"hosts": ("https://es:9200",)} | config))
    assert "geheim" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_secret_is_shown() -> None:
    config = ClientConfig(("http://es:9200",), api_key="geheim", password="geheim")
    assert "geheim" not in repr(config)


@pytest.mark.parametrize(
    ("config", "header"),
    [
        ({"api_key": "aWQ6a2V5"}, "ApiKey aWQ6a2V5"),
        ({"api_key": "id:key"}, "ApiKey aWQ6a2V5"),
        ({"username": "u", "password": "p"}, "Basic dTpw"),
    ],
)
def test_credentials_are_sent(config: dict[str, Any], header: str) -> None:
    seen: list[str] = []
    serve = serving(Reply(200, HEALTH), "9.2.4")

    def noting(request: Request) -> Reply:
        seen.append(request.authorization)
        return serve(request)

    with answering(noting) as url:
        trying(url, **config)
    assert seen == [header, header]


@pytest.mark.parametrize("compress", [False, True])
def test_answers_are_asked_for_compressed_where_configured(compress: bool) -> None:
    config = ClientConfig(("http://127.0.0.1:1",), compress=compress)
    with connect(config) as client:
        (node,) = client.transport.node_pool.all()
        assert node.config.http_compress is compress


def test_json_that_orjson_refuses_is_read() -> None:
    serializer = TolerantSerializer()
    lone = b'{"a":"x \\ud800 y"}'
    assert serializer.loads(lone) == json.loads(lone)
    assert serializer.loads(b'{"a":"\xff"}') == {"a": "\ufffd"}
    assert serializer.loads(b'{"a":1}') == {"a": 1}


def test_the_client_itself_never_retries() -> None:
    requests: list[Request] = []

    def busy(request: Request) -> Reply:
        requests.append(request)
        return Reply(503, {})

    with answering(busy) as url, pytest.raises(EngineTooBusy):
        trying(url)
    assert len(requests) == 1


def test_the_ca_file_may_be_a_relative_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"no file ca\.crt"):
        connect(ClientConfig(("https://es:9200",), ca_certs="ca.crt"))
