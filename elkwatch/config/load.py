"""Find the configuration, read it, check it: one frozen `Config` or one clear line.

--config FILE │ $ELKWATCH_CONFIG │ elkwatch.yml ──▶ YAML ──▶ + ELKWATCH__… ──▶ Config
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError

from elkwatch import program_log
from elkwatch.config import environment, yaml_file
from elkwatch.config.explain import Problem, nearest, path_text, problems
from elkwatch.config.secrets import SecretUrl, Surroundings
from elkwatch.config.settings import Config
from elkwatch.config.sources import SourceSettings
from elkwatch.errors import ConfigError

FILE_VARIABLE = "ELKWATCH_CONFIG"
DEFAULT_FILE = Path("elkwatch.yml")

_LONG_PATH = 16


def load_config(path: Path | None, environ: Mapping[str, str]) -> Config:
    """The configuration of a file with the overrides of an environment.

    `path` None takes $ELKWATCH_CONFIG, then elkwatch.yml. Every secret in it is hidden
    from the program logs from then on. Raises ConfigError with one line.
    """
    file = find_config(path, environ)
    document = yaml_file.read_yaml(file)
    changes = environment.overrides(environ)
    for change in changes:
        environment.apply(change, document.data)
    around = Surroundings(folder=file.absolute().parent, environ=environ)
    try:
        config = Config.model_validate(document.data, context=around)
    except ValidationError as e:
        raise ConfigError(_line(e, file, document.lines, changes)) from e
    program_log.hide(secret_values(config))
    return config


def find_config(path: Path | None, environ: Mapping[str, str]) -> Path:
    """The file to read. Raises ConfigError that says how to make one."""
    named = environ.get(FILE_VARIABLE)
    if path is not None:
        file, by = path, "--config"
    elif named:
        file, by = Path(named), f"${FILE_VARIABLE}"
    else:
        file, by = DEFAULT_FILE, ""
    if file.exists():
        return file
    if by:
        raise ConfigError(
            f"{file}: no such configuration file (named by {by}); check the path, or "
            f"make one with `elkwatch init --out {file}`"
        )
    raise ConfigError(
        f"no configuration: {DEFAULT_FILE} is not here; make one with `elkwatch init`, "
        f"or name yours with --config FILE or ${FILE_VARIABLE}"
    )


def source_named(config: Config, name: str) -> SourceSettings:
    """The source of this name. Raises ConfigError that names the ones there are."""
    for source in config.sources:
        if source.name == name:
            return source
    names = [source.name for source in config.sources]
    close = nearest(name, names)
    hint = f"did you mean {close}?" if close else f"there are {', '.join(names)}"
    raise ConfigError(f"no source is called {name!r}; {hint}")


def secret_values(config: Config) -> frozenset[str]:
    """Every secret of a configuration, in clear: to be hidden, never to be shown."""
    values: set[str] = set()
    for secret in _secrets(config):
        if isinstance(secret, SecretUrl) and secret.shown_whole:
            continue
        values.add(secret.get_secret_value())
        # Libraries tell the path without the host; a short one is no secret but a word
        # (`/elkwatch`), and hiding it would hide half of every file name.
        if isinstance(secret, SecretUrl) and len(secret.path_and_query) >= _LONG_PATH:
            values.add(secret.path_and_query)
    return frozenset(values)


def _secrets(value: Any) -> Iterator[SecretStr]:
    if isinstance(value, SecretStr):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets(getattr(value, name))
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _secrets(inner)
    elif isinstance(value, tuple):
        for inner in value:
            yield from _secrets(inner)


def _line(
    error: ValidationError,
    file: Path,
    lines: Mapping[tuple[str | int, ...], int],
    changes: list[environment.Override],
) -> str:
    """The first problem, with where it was written, and how many there are besides."""
    found = problems(error, Config)
    first = found[0]
    origin = _origin(first, file, lines, changes)
    where = path_text(first.path)
    rest = len(found) - 1
    more = f" (and {rest} more problem{'s' if rest > 1 else ''})" if rest else ""
    return f"{origin}: {where}{': ' if where else ''}{first.text}{more}"


def _origin(
    problem: Problem,
    file: Path,
    lines: Mapping[tuple[str | int, ...], int],
    changes: list[environment.Override],
) -> str:
    path = problem.path
    for change in changes:
        is_above = change.path == path[: len(change.path)]
        made_it = path not in lines and path == change.path[: len(path)] != ()
        if is_above or made_it:
            return change.variable
    while path and path not in lines:
        path = path[:-1]
    return f"{file}:{lines[path]}" if path in lines else str(file)
