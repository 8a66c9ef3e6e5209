"""The files that Elasticsearch reads when it starts, written anew for each engine."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from base64 import b64encode
from pathlib import Path

import yaml

from elkwatch.engine.errors import EngineConfigError
from elkwatch.engine.node import NodeDirectory
from elkwatch.engine.options import EngineOptions, SecurityOptions, TlsFiles, User
from elkwatch.engine.place import RunAs, reachable

_PROBE = "elkwatch_probe"
_HASH_ROUNDS = 1000
# What Elasticsearch 8 and 9 leave in a data directory.
_DATA_NAMES = {"_state", "node.lock", "nodes", "indices"}

# Our own file, not the stock one: that one asks for a module the Java runtime lacks.
_JVM_OPTIONS = """\
-XX:+UseSerialGC
-XX:-AlwaysPreTouch
-Djava.io.tmpdir=${ES_TMPDIR}
"""

_LOGGING = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] %m%n
appender.console.filter.threshold.type = ThresholdFilter
appender.console.filter.threshold.level = error
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = ${sys:es.logs.base_path}${sys:file.separator}server.log
appender.file.filePattern = ${sys:es.logs.base_path}${sys:file.separator}server-%i.log
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] %m%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 10MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 2
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
rootLogger.appenderRef.file.ref = file
"""


def write_settings(
    directory: NodeDirectory, options: EngineOptions, run_as: RunAs | None
) -> User | None:
    """Write all of it and hand it to `run_as`.

    Returns the user to ask for health where security is on. Raises EngineConfigError
    for a data directory that cannot be used.
    """
    if options.data_dir is not None:
        _kept_data(options.data_dir, run_as)
    config = directory.config
    (config / "jvm.options.d").mkdir(parents=True)
    for path in (directory.data, directory.logs, directory.scratch):
        path.mkdir()
    (config / "jvm.options").write_text(_JVM_OPTIONS)
    (config / "log4j2.properties").write_text(_LOGGING)
    settings: dict[str, object] = {
        "cluster.name": "elkwatch",
        "node.name": "elkwatch",
        "discovery.type": "single-node",
        "network.host": "127.0.0.1",
        "http.port": options.port,
        "transport.port": 0,
        "node.portsfile": True,
        "path.data": str(options.data_dir or directory.data),
        "path.logs": str(directory.logs),
        # A nearly full disk would block writing, many tests would meet the limit.
        "cluster.routing.allocation.disk.threshold_enabled": False,
        "cluster.max_shards_per_node": 20_000,
        "xpack.security.enabled": options.security is not None,
    }
    probe = None
    if options.security is not None:
        probe = User(_PROBE, secrets.token_urlsafe(24), (_PROBE,))
        settings["xpack.security.transport.ssl.enabled"] = False
        settings |= _write_tls(config, options.security.tls)
        _write_users(config, options.security, probe)
    (config / "elasticsearch.yml").write_text(yaml.safe_dump(settings))
    if run_as is not None:
        _give(directory.node, run_as)
    return probe


def _kept_data(data: Path, run_as: RunAs | None) -> None:
    """Make sure of the caller's directory: never one that holds something else."""
    fresh = not data.exists()
    try:
        data.mkdir(parents=True, exist_ok=True)
        present = {entry.name for entry in data.iterdir()}
    except OSError as e:
        raise EngineConfigError(
            f"cannot use the data directory {data} ({e.strerror}); choose another"
        ) from e
    if present and not present & _DATA_NAMES:
        raise EngineConfigError(
            f"the data directory {data} holds something else; choose an empty one"
        )
    if run_as is not None:
        if not present:
            os.chown(data, run_as.uid, run_as.gid)
        if not reachable(data, run_as):
            if fresh:
                data.rmdir()
            raise EngineConfigError(
                f"the unprivileged user {run_as.uid} of Elasticsearch may not enter "
                f"the data directory {data}; choose one under /var/tmp"
            )


def _write_users(config: Path, security: SecurityOptions, probe: User) -> None:
    users = (*security.users, probe)
    members: dict[str, list[str]] = {}
    for user in users:
        for role in user.roles:
            members.setdefault(role, []).append(user.name)
    hashes = "".join(f"{user.name}:{_password_hash(user.password)}\n" for user in users)
    _write_secret(config / "users", hashes)
    (config / "users_roles").write_text(
        "".join(f"{role}:{','.join(names)}\n" for role, names in members.items())
    )
    roles = {name: dict(role) for name, role in security.roles.items()}
    roles[_PROBE] = {"cluster": ["monitor"]}
    (config / "roles.yml").write_text(yaml.safe_dump(roles))


def _password_hash(password: str) -> str:
    """The file realm's PBKDF2 form, with few rounds: these users live for minutes."""
    salt = secrets.token_bytes(32)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _HASH_ROUNDS, 32)
    salt64, key64 = b64encode(salt).decode(), b64encode(key).decode()
    return f"{{PBKDF2}}{_HASH_ROUNDS}${salt64}${key64}"


def _write_tls(config: Path, tls: TlsFiles | None) -> dict[str, object]:
    if tls is None:
        return {}
    shutil.copyfile(tls.certificate, config / "http.crt")
    shutil.copyfile(tls.authority, config / "ca.crt")
    _write_secret(config / "http.key", tls.key.read_text())
    prefix = "xpack.security.http.ssl."
    return {
        prefix + "enabled": True,
        prefix + "certificate": "http.crt",
        prefix + "key": "http.key",
        prefix + "certificate_authorities": "ca.crt",
    }


def _write_secret(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def _give(top: Path, run_as: RunAs) -> None:
    os.chown(top, run_as.uid, run_as.gid)
    for folder, folders, files in os.walk(top):
        for name in (*folders, *files):
            os.chown(Path(folder, name), run_as.uid, run_as.gid)
