"""When a service that is silent, or says far more or less, is told of."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from elkwatch.config.base import Settings
from elkwatch.config.values import parse_duration

AUTO, OFF = "auto", "off"
LEAST_FACTOR = 1.0
LEAST_SILENCE = timedelta(minutes=1)


def _word(value: Any) -> Any:
    """YAML takes `off` for false; a number may stand without quotes."""
    if value is False:
        return OFF
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:g}"
    return value


def _silence(text: str) -> str:
    if text not in (AUTO, OFF):
        try:
            length = parse_duration(text)
        except ValueError:
            raise ValueError(
                f"expected auto, off or a duration such as 10m, found {text!r}"
            ) from None
        if length < LEAST_SILENCE:
            raise ValueError(f"expected auto, off or at least 1m, found {text!r}")
    return text


def _factor(text: str) -> str:
    if text in (AUTO, OFF):
        return text
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not LEAST_FACTOR <= number < float("inf"):
        raise ValueError(f"expected auto, off or a number from 1 on, found {text!r}")
    return text


class SilenceSettings(Settings):
    """A service that falls silent while the source goes on, or the source itself."""

    after: Annotated[str, BeforeValidator(_word), AfterValidator(_silence)] = Field(
        AUTO,
        description="Told after so long without a line: a duration, `off`, or `auto`: "
        "twice the longest silence of training at that time of day, 10m at least; "
        "only where the training logs cover 6.5 days.",
    )

    @property
    def fixed(self) -> timedelta | None:
        """The length, where one is given."""
        return None if self.after in (AUTO, OFF) else parse_duration(self.after)


class RateSettings(Settings):
    """A service that says far more or far less than in training."""

    factor: Annotated[str, BeforeValidator(_word), AfterValidator(_factor)] = Field(
        AUTO,
        description="Told where two windows of 5 minutes lie so many spreads from the "
        "median of training at that hour, and past twice its most or half its least: a "
        "number, `off`, or `auto`: 5, only where the training logs cover 6.5 days.",
    )

    @property
    def fixed(self) -> float | None:
        """The number, where one is given."""
        return None if self.factor in (AUTO, OFF) else float(self.factor)
