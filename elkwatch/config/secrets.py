"""Secrets and paths: values that depend on where a configuration is read.

text, {file: PATH}, {env: NAME} → a secret, masked wherever it is printed
a path                          → absolute, as seen from the configuration file
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    PlainSerializer,
    SecretStr,
    ValidationInfo,
)

SECRET_FORM = "text, {file: PATH} or {env: NAME}"

_MAX_SECRET_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a configuration is read in: its folder and the environment variables."""

    folder: Path = field(default_factory=Path)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)


class SecretUrl(SecretStr):
    """An address whose path or query may be as good as a password: host shown only."""

    def _display(self) -> str:
        return f"{self.origin}/…"

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        url = urlsplit(self.get_secret_value())
        return f"{url.scheme}://{url.netloc.rpartition('@')[2]}"

    @property
    def shown_whole(self) -> bool:
        """Whether it is a host and no more, so that there is nothing to hide."""
        return self.get_secret_value().rstrip("/") == self.origin

    @property
    def path_and_query(self) -> str:
        """What comes after the host: the part that is as good as a password."""
        url = urlsplit(self.get_secret_value())
        return f"{url.path}?{url.query}" if url.query else url.path


def is_secret(annotation: Any) -> bool:
    """Whether values of this type must never be shown."""
    return isinstance(annotation, type) and issubclass(annotation, SecretStr)


def _secret(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, Mapping):
        return value
    around = _surroundings(info)
    match dict(value):
        case {"file": str() as name, **rest} if not rest:
            return _secret_from_file(around.folder / Path(name).expanduser())
        case {"env": str() as name, **rest} if not rest:
            return _secret_from_environment(name, around.environ)
    raise ValueError(f"expected {SECRET_FORM}")


def _secret_from_file(path: Path) -> str:
    try:
        if path.stat().st_size > _MAX_SECRET_BYTES:
            raise ValueError(f"the secret file {path} is larger than 64 kB")
        text = path.read_text(encoding="utf-8").rstrip("\r\n")
    except FileNotFoundError:
        raise ValueError(f"no secret file {path}; create it or name another") from None
    except UnicodeDecodeError:
        raise ValueError(f"the secret file {path} is not UTF-8 text") from None
    except OSError as e:
        reason = os.strerror(e.errno or 0).lower()
        raise ValueError(f"the secret file {path} cannot be read: {reason}") from None
    if not text:
        raise ValueError(f"the secret file {path} is empty")
    return text


def _secret_from_environment(name: str, environ: Mapping[str, str]) -> str:
    text = environ.get(name, "")
    if not text:
        raise ValueError(f"the environment variable {name} is not set; export it")
    return text


def _path(value: Path, info: ValidationInfo) -> Path:
    return (_surroundings(info).folder / value.expanduser()).absolute()


def _surroundings(info: ValidationInfo) -> Surroundings:
    return info.context if isinstance(info.context, Surroundings) else Surroundings()


def _secret_web_address(value: SecretUrl) -> SecretUrl:
    url = urlsplit(value.get_secret_value())
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise ValueError("expected an address such as https://example.org/path")
    return value


Secret = Annotated[SecretStr, BeforeValidator(_secret)]
SecretAddress = Annotated[
    SecretUrl,
    BeforeValidator(_secret),
    AfterValidator(_secret_web_address),
    PlainSerializer(str, when_used="json"),
]
ConfigPath = Annotated[Path, AfterValidator(_path), PlainSerializer(str)]
