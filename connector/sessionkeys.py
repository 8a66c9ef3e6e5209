"""Session keys: by one field, by several, or by a regular expression."""

from collections.abc import Callable, Mapping
from typing import Any

import re2

from connector.errors import ConfigError
from connector.fieldpaths import Compiler, Getter, compile_path
from connector.records import SourceSpec, join_key
from connector.texts import as_label

MAX_KEY_CHARS = 1024

KeyReader = Callable[[Mapping[str, Any], str], str | None]


def key_reader(spec: SourceSpec, compiled: Compiler = compile_path) -> KeyReader:
    """A function from a document and its message to its session key, or None.

    Raises ConfigError for a pattern that does not compile.
    """
    if spec.session.pattern:
        return _pattern_key(spec.session.pattern)
    if spec.session.field:
        return _field_key(compiled(spec.session.field))
    return _fields_key([compiled(path) for path in spec.key_fields])


def _pattern_key(pattern: str) -> KeyReader:
    """Keys by regular expression. RE2: linear time, whatever is in the message.

    Compiled for bytes, which spares RE2's wrapper the count of characters (half its
    time).
    """
    try:
        options = re2.Options()
        options.log_errors = False
        regex = re2.compile(pattern.encode(), options)
    except (re2.error, UnicodeEncodeError) as error:
        reason = error.args[0] if error.args else error
        if isinstance(reason, bytes):
            reason = reason.decode("utf-8", "replace")
        raise ConfigError(
            f"session.pattern {pattern!r} is not a regular expression of RE2 "
            f"({reason}); lookaround and back references do not exist there"
        ) from error
    group = 1 if regex.groups else 0
    search = regex.search

    def read(source: Mapping[str, Any], message: str) -> str | None:
        match = search(message.encode())
        if match is None:
            return None
        found: bytes | None = match[group]
        return found.decode("utf-8", "replace")[:MAX_KEY_CHARS] if found else None

    return read


def _field_key(get: Getter) -> KeyReader:
    def read(source: Mapping[str, Any], message: str) -> str | None:
        value = get(source)
        if type(value) is str and value.isascii() and "\0" not in value:
            return value[:MAX_KEY_CHARS] or None
        return as_label(value) or None

    return read


def _fields_key(getters: list[Getter]) -> KeyReader:
    def read(source: Mapping[str, Any], message: str) -> str | None:
        return join_key([as_label(get(source)) for get in getters])

    return read
