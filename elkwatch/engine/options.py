"""What can be asked of an engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class User:
    """A user of the file realm. The role `superuser` makes an administrator."""

    name: str
    password: str = field(repr=False)
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files for HTTPS: the certificate must name localhost and 127.0.0.1."""

    certificate: Path
    key: Path
    authority: Path


@dataclass(frozen=True, slots=True)
class SecurityOptions:
    """Who may do what: users, and roles by name in the form of `roles.yml`."""

    users: tuple[User, ...]
    roles: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tls: TlsFiles | None = None


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How to start an engine.

    `version` None takes ELKWATCH_ENGINE_VERSION or the default; `port` 0 takes a free
    one; `data_dir` None keeps the data in a temporary directory that goes when the
    engine stops. `fast_start` compiles lightly: up in half the time, and half as fast
    under load.
    """

    version: str | None = None
    port: int = 0
    data_dir: Path | None = None
    heap_mb: int = 512
    fast_start: bool = True
    security: SecurityOptions | None = None
    start_timeout_s: float = 180
