"""Program logs: what elkwatch itself does, as lines on standard error.

    hide(["s3cret"])                       # from now on shown as ••••••
    configure(LogOptions(style="json"))
    structlog.get_logger("run").info("caught up", source="shop-db", documents=120)

For people (``human``) or one JSON object a line with ECS names (``json``). No line
holds a secret: values under keys that sound like one are masked, and so is every known
secret wherever it turns up, also in messages and tracebacks of libraries.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TextIO, cast

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from elkwatch.clock import Clock, SystemClock

Style = Literal["human", "json"]
Level = Literal["debug", "info", "warning", "error"]

MASK = "••••••"
STYLE_VARIABLE = "ELKWATCH_LOG_FORMAT"
LEVEL_VARIABLE = "ELKWATCH_LOG_LEVEL"

_SHORTEST_SECRET = 4
_SECRET_KEY = re.compile(
    r"pass(word|wd|phrase)|secret|api_?key|authorization|credential|private_?key",
    re.IGNORECASE,
)
_OURS = {"timestamp", "level", "logger"}  # what no document can have a say in
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_ECS_NAMES = {
    "timestamp": "@timestamp",
    "level": "log.level",
    "logger": "log.logger",
    "event": "message",
    "exception": "error.stack_trace",
}
# Libraries that tell each request or job; of interest only when hunting a fault.
_CHATTY = (
    "elastic_transport",
    "elasticsearch",
    "apscheduler",
    "torch",
    "urllib3",
    "asyncio",
)
# Warns of every failed connection; what came of it is told by us, once and in words.
_REPETITIVE = "elastic_transport.node_pool"


class _Hidden:
    """The secrets this process knows of, longest first, as one expression."""

    def __init__(self) -> None:
        self.values: frozenset[str] = frozenset()
        self._found: re.Pattern[str] | None = None

    def add(self, values: Iterable[str]) -> None:
        fresh = {v for v in values if len(v) >= _SHORTEST_SECRET}
        self.values |= fresh | {line for v in fresh for line in _long_lines(v)}
        longest_first = sorted(self.values, key=lambda v: (-len(v), v))
        pattern = "|".join(map(re.escape, longest_first))
        self._found = re.compile(pattern) if pattern else None

    def mask(self, text: str) -> str:
        return self._found.sub(MASK, text) if self._found else text


_hidden = _Hidden()
_excerpts: list[Callable[[str], str]] = []


@dataclass(frozen=True, slots=True)
class LogOptions:
    """How program logs look and from which level on they are shown."""

    level: Level = "info"
    style: Style = "human"


def hide(values: Iterable[str]) -> None:
    """Mask these secrets from now on, in logs and in error lines of this process.

    Values shorter than four characters are left alone: masking them would eat every
    line, and they protect nothing.
    """
    _hidden.add(values)


def mask_excerpts(mask: Callable[[str], str] | None) -> None:
    """Apply this mask from now on to what logs and errors quote; None: no more.

    The last one counts: a process works by one configuration.
    """
    _excerpts[:] = [] if mask is None else [mask]


def masked(text: str) -> str:
    """The text with every known secret replaced, and what the mask hides."""
    text = _hidden.mask(text)
    for mask in _excerpts:
        text = mask(text)
    return text


def configure(
    options: LogOptions | None = None,
    *,
    stream: TextIO | None = None,
    clock: Clock | None = None,
) -> None:
    """Send the logs of structlog and of the standard library to one stream.

    `stream` None is standard error. May be called again: the last call counts.
    """
    options = options or LogOptions()
    stream = stream if stream is not None else sys.stderr
    shared = _shared_processors(clock or SystemClock())
    handler = logging.StreamHandler(stream)
    handler.set_name("elkwatch")
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderers(options.style, stream),
            ],
        )
    )
    root = logging.getLogger()
    for old in [h for h in root.handlers if h.get_name() == "elkwatch"]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(options.level.upper())
    chatty_level = logging.DEBUG if options.level == "debug" else logging.WARNING
    for name in _CHATTY:
        logging.getLogger(name).setLevel(chatty_level)
    told = logging.NOTSET if options.level == "debug" else logging.ERROR
    logging.getLogger(_REPETITIVE).setLevel(told)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


@contextmanager
def quieted(*names: str) -> Iterator[None]:
    """These parts of elkwatch say nothing meanwhile; what they did is told otherwise.

    At `--log-level debug` they go on.
    """
    loggers = [logging.getLogger(name) for name in names]
    before = [logger.level for logger in loggers]
    if logging.getLogger().level > logging.DEBUG:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A structured logger; its name says which part of elkwatch speaks."""
    return cast("structlog.stdlib.BoundLogger", structlog.get_logger(name))


def _shared_processors(clock: Clock) -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        _Timestamp(clock),
        structlog.processors.StackInfoRenderer(),
    ]


def _renderers(style: Style, stream: TextIO) -> list[Processor]:
    if style == "json":
        return [
            structlog.processors.format_exc_info,
            mask_secrets,
            _ecs_names,
            structlog.processors.JSONRenderer(serializer=_to_json),
        ]
    return [
        structlog.processors.format_exc_info,
        mask_secrets,
        _escape_control_characters,
        structlog.dev.ConsoleRenderer(colors=stream.isatty(), sort_keys=False),
    ]


class _Timestamp:
    """Adds the time of the injected clock, UTC, to the millisecond."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __call__(self, _: WrappedLogger, __: str, event: EventDict) -> EventDict:
        now = self._clock.now().isoformat(timespec="milliseconds")
        event["timestamp"] = now.replace("+00:00", "Z")
        return event


def mask_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A structlog processor: no secret leaves, by key or by value, however deep."""
    return {key: _masked_value(key, value) for key, value in event.items()}


def _masked_value(key: str, value: Any) -> Any:
    if _SECRET_KEY.search(key):
        return MASK
    if isinstance(value, str):
        return _hidden.mask(value) if key in _OURS else masked(value)
    if isinstance(value, Mapping):
        return {k: _masked_value(str(k), v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked_value("", v) for v in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return masked(str(value))


def _escape_control_characters(
    _: WrappedLogger, __: str, event: EventDict
) -> EventDict:
    """Nothing that came from a log can forge a line or move the cursor."""
    return {
        key: _CONTROL.sub(_escaped, value)
        if isinstance(value, str) and key not in {"exception", "stack"}
        else value
        for key, value in event.items()
    }


def _escaped(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode("ascii")


def _long_lines(value: str) -> list[str]:
    """Lines of a secret of several lines (a private key): each may show up alone."""
    lines = value.splitlines()
    return [x for x in lines if len(x) > 2 * _SHORTEST_SECRET] if len(lines) > 1 else []


def _ecs_names(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """The names a shipper expects, so that these lines can be indexed as they are."""
    return {_ECS_NAMES.get(key, key): value for key, value in event.items()}


def _to_json(event: EventDict, **_: Any) -> str:
    try:
        return orjson.dumps(event, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # lone surrogates, numbers beyond 64 bit
        return json.dumps(event, default=str)
