"""Program logs: two looks, and never a secret in either."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import structlog

from elkwatch import program_log
from elkwatch.program_log import MASK, LogOptions, configure, get_logger, hide

NOW = datetime(2026, 11, 22, 10, 0, 0, 5000, tzinfo=UTC)
SECRET = "very-secret-9000"


class Still:
    def now(self) -> datetime:
        return NOW


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """A stream that gets the logs; afterwards logging is as it was before."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def as_json(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_json_lines_have_ecs_names_and_the_time_of_the_clock(
    stream: io.StringIO,
) -> None:
    configure(LogOptions(style="json"), stream=stream, clock=Still())
    get_logger("run").info("caught up", source="shop-db", documents=12)
    logging.getLogger("library").warning("retry %d", 3)
    assert as_json(stream) == [
        {
            "@timestamp": "2026-11-22T10:00:00.005Z",
            "log.level": "info",
            "log.logger": "run",
            "message": "caught up",
            "source": "shop-db",
            "documents": 12,
        },
        {
            "@timestamp": "2026-11-22T10:00:00.005Z",
            "log.level": "warning",
            "log.logger": "library",
            "message": "retry 3",
        },
    ]


@pytest.mark.parametrize("style", ["json", "human"])
def test_no_secret_gets_out(style: program_log.Style, stream: io.StringIO) -> None:
    hide([SECRET])
    configure(LogOptions(style=style), stream=stream, clock=Still())
    log = get_logger("run")
    log.warning(f"url is http://h/{SECRET}", nested={"a": [{"b": SECRET}]}, x={SECRET})
    log.info("keys", password="short", api_key="k", Authorization="A", apikey="z")
    logging.getLogger("library").error("sent %s", SECRET)
    try:
        raise ValueError(f"bad {SECRET}")
    except ValueError:
        log.exception("failed")
    text = stream.getvalue()
    assert SECRET not in text
    assert "short" not in text
    assert MASK in (
        text
        if style == "human"
        else json.dumps(as_json(stream), indent=1, ensure_ascii=False)
    )
    assert "Traceback" in text


def test_lines_of_a_private_key_are_secrets_of_their_own() -> None:
    hide(["-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----"])
    assert program_log.masked("saw kqhkiG9w0BAQEF") == f"saw {MASK}"


def test_short_secrets_do_not_eat_the_text() -> None:
    hide(["a", "12"])
    assert program_log.masked("a banana costs 12") == "a banana costs 12"


def test_log_text_can_not_forge_a_line(stream: io.StringIO) -> None:
    configure(LogOptions(style="human"), stream=stream, clock=Still())
    get_logger("run").info("read\n", line="x\n2026 [error] forged\x1b[2J\u202e")
    assert stream.getvalue().count("\n") == 1
    assert "\\x1b" in stream.getvalue()
    assert "\u202e" not in stream.getvalue()


def test_levels_and_chatty_libraries(stream: io.StringIO) -> None:
    configure(LogOptions(level="info", style="json"), stream=stream, clock=Still())
    get_logger("run").debug("hidden")
    logging.getLogger("elastic_transport.transport").info("GET /")
    assert as_json(stream) == []
    configure(LogOptions(level="debug", style="json"), stream=stream, clock=Still())
    get_logger("run").debug("shown")
    logging.getLogger("elastic_transport.transport").info("GET /")
    assert [line["message"] for line in as_json(stream)] == ["shown", "GET /"]


def test_what_json_cannot_say_is_said_all_the_same(stream: io.StringIO) -> None:
    configure(LogOptions(style="json"), stream=stream, clock=Still())
    get_logger("run").info("odd", surrogate="\ud800", large=2**80, kind=object)
    (line,) = as_json(stream)
    assert line["large"] == 2**80
