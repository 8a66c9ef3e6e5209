"""The connection to Elasticsearch: made, and tried before anything relies on it.

The client is told to retry nothing (see `retrying`), verifies TLS unless told a
fingerprint, and reads answers with orjson.
"""

import ssl
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from elasticsearch import ApiError, Elasticsearch, OrjsonSerializer, TransportError

from connector.errors import ConfigError, EngineTooOld
from connector.faults import translate
from connector.hits import plain_json, read_answer

OLDEST_VERSION = (8, 12)

_JSON = "application/json"
_COMPATIBLE_JSON = "application/vnd.elasticsearch+json"


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """Where Elasticsearch is and who we are there. Its repr shows no secret.

    `hosts` are URLs with scheme and port; credentials within one are refused. Give
    `api_key`, or `username` and `password`, or none. `ca_certs` is the path of a PEM
    file, `ssl_assert_fingerprint` the SHA-256 of the server's own certificate in
    hexadecimal. `compress`: gzip both ways. Raises ConfigError.
    """

    hosts: tuple[str, ...]
    api_key: str | None = field(default=None, repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_certs: str | None = None
    ssl_assert_fingerprint: str | None = None
    request_timeout_s: float = 30
    compress: bool = False

    def __post_init__(self) -> None:
        if any("@" in host.partition("//")[2].split("/")[0] for host in self.hosts):
            raise ConfigError(
                "elasticsearch.hosts: leave credentials out of the address; write "
                "them as username and password"
            )


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What answered: cluster name, health (green, yellow, red), versions of its nodes.

    `versions` are sorted, the oldest first.
    """

    cluster_name: str
    status: str
    versions: tuple[str, ...]

    @property
    def version(self) -> str:
        """The oldest version in the cluster."""
        return self.versions[0]


class TolerantSerializer(OrjsonSerializer):
    """Reads answers by `answers_read_by`, else by `plain_json`."""

    def json_loads(self, data: bytes) -> Any:
        """The value in `data`. Raises ValueError where it is not JSON."""
        answer = read_answer(data)
        return plain_json(data) if answer is None else answer


def connect(config: ClientConfig) -> Elasticsearch:
    """A client for this configuration. Nothing is sent yet: see `preflight`.

    Raises ConfigError for hosts, files or credentials that cannot work.
    """
    _check(config)
    serializer = TolerantSerializer()
    options: dict[str, Any] = {}
    if config.api_key is not None:
        options["api_key"] = _api_key(config.api_key)
    elif config.username is not None:
        options["headers"] = {"authorization": _basic(config)}
    if config.ca_certs is not None:
        options["ca_certs"] = config.ca_certs
    if config.ssl_assert_fingerprint is not None:
        options["ssl_assert_fingerprint"] = config.ssl_assert_fingerprint
    try:
        return Elasticsearch(
            list(config.hosts),
            request_timeout=config.request_timeout_s,
            http_compress=config.compress,
            max_retries=0,
            retry_on_timeout=False,
            serializers={_JSON: serializer, _COMPATIBLE_JSON: serializer},
            **options,
        )
    except (ValueError, OSError) as error:
        raise ConfigError(f"elasticsearch: {error}") from error


def preflight(client: Elasticsearch) -> EngineInfo:
    """Try the connection: who answers there, and may we ask?

    Raises EngineUnreachable, EngineTooBusy, TlsFailed, NotAuthenticated,
    PrivilegeMissing, EngineTooOld or RequestRefused, each with one line on how to mend
    it. Needs the cluster privilege `monitor`.
    """
    doing = f"Elasticsearch at {addresses(client)}"
    try:
        health = client.cluster.health(filter_path="cluster_name,status")
        nodes = client.nodes.info(filter_path="nodes.*.version")
    except (ApiError, TransportError) as error:
        raise translate(error, doing) from error
    found = {node["version"] for node in nodes.get("nodes", {}).values()}
    versions = tuple(sorted(found, key=_version_key)) or ("0.0.0",)
    if _version_key(versions[0]) < OLDEST_VERSION:
        oldest = ".".join(map(str, OLDEST_VERSION))
        raise EngineTooOld(
            f"{doing}: version {versions[0]}; elkwatch needs {oldest} or newer"
        )
    return EngineInfo(health["cluster_name"], health["status"], versions)


def addresses(client: Elasticsearch) -> str:
    """The URLs a client talks to, without credentials, for messages."""
    return ", ".join(node.base_url for node in client.transport.node_pool.all())


def _check(config: ClientConfig) -> None:
    if not config.hosts:
        raise ConfigError("elasticsearch.hosts: name one, e.g. https://es:9200")
    for host in config.hosts:
        url = _split(host)
        if url.scheme not in {"http", "https"} or not url.hostname:
            raise ConfigError(
                f"elasticsearch.hosts: {host} is no address; write scheme, host and "
                "port, e.g. https://es:9200"
            )
        if not _port(url):
            raise ConfigError(
                f"elasticsearch.hosts: {host} has no valid port; write it, e.g. "
                f"{url.scheme}://{url.hostname}:9200"
            )
    if config.api_key is not None and config.username is not None:
        raise ConfigError("elasticsearch: give api_key or username, not both")
    if config.ca_certs is not None:
        _check_ca(config.ca_certs)


def _check_ca(path: str) -> None:
    if not Path(path).is_file():
        raise ConfigError(
            f"elasticsearch.ca_certs: no file {path}; name the PEM file of the CA"
        )
    try:
        ssl.create_default_context(cafile=path)
    except (ssl.SSLError, OSError) as error:
        raise ConfigError(
            f"elasticsearch.ca_certs: {path} holds no certificate; name the PEM file "
            "of the CA"
        ) from error


def _split(host: str) -> SplitResult:
    try:
        return urlsplit(host)
    except ValueError:
        return SplitResult("", "", "", "", "")


def _port(url: SplitResult) -> int | None:
    try:
        return url.port
    except ValueError:
        return None


def _api_key(api_key: str) -> str | tuple[str, str]:
    """Kibana shows keys encoded, the API as id and key: `id:key` is taken too."""
    if not api_key.isascii():
        raise ConfigError(
            "elasticsearch.api_key: holds letters that no API key has; copy it again"
        )
    key_id, separator, secret = api_key.partition(":")
    return (key_id, secret) if separator else api_key


def _basic(config: ClientConfig) -> str:
    """User and password as Elasticsearch reads them; the client takes Latin-1 only."""
    pair = f"{config.username}:{config.password or ''}".encode()
    return "Basic " + b64encode(pair).decode("ascii")


def _version_key(version: str) -> tuple[int, ...]:
    parts = version.split("-")[0].split(".")
    return tuple(int(part) if part.isdigit() else 0 for part in parts)
