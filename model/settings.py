"""Settings of a training by their dotted names: `classes.attention=false`.

Every field of TrainingConfig that is a number, a switch or a choice has such a name;
docs/model.md says what each does, and what that was measured to be worth.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from model.errors import SettingError
from model.network import HEADS

C = TypeVar("C")
MOST = 10**9
LEAST = {"seed": 0, "miner.depth": 3}
SHARES = ("share", "dropout", "similarity", "prune")

_SWITCH = {"true": True, "on": True, "yes": True}
_SWITCH |= {"false": False, "off": False, "no": False}


def setting_names(config: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted name, value) of all settings, in the order of the fields."""
    for field in fields(config):
        value = getattr(config, field.name)
        name = prefix + field.name
        if is_dataclass(value):
            yield from setting_names(value, f"{name}.")
        elif isinstance(value, (bool, int, float, str)):
            yield name, value


def with_settings(config: C, settings: Sequence[str]) -> C:
    """The configuration with `NAME=VALUE` put into it. Raises SettingError."""
    known = dict(setting_names(config))
    for setting in settings:
        name, equals, text = setting.partition("=")
        name = name.strip()
        if not equals:
            raise SettingError(f"setting {setting!r}: write NAME=VALUE")
        if name not in known:
            near = difflib.get_close_matches(name, known, 1, 0.0)
            raise SettingError(f"setting {name!r}: there is none; nearest: {near[0]}")
        config = _put(config, name.split("."), text.strip(), name)
    return config


def _put(config: C, path: Sequence[str], text: str, name: str) -> C:
    first, *rest = path
    if rest:
        value = _put(getattr(config, first), rest, text, name)
    else:
        kind = get_type_hints(type(config))[first]
        value = _value(kind, getattr(config, first), text, name)
    return replace(config, **{first: value})  # type: ignore[type-var]  # a dataclass


def _value(kind: Any, before: Any, text: str, name: str) -> Any:
    if get_origin(kind) is Literal:
        choices = get_args(kind)
        if text not in choices:
            raise SettingError(
                f"setting {name}: {text!r} is none of {', '.join(choices)}"
            )
        return text
    if isinstance(before, bool):
        if text.lower() not in _SWITCH:
            raise SettingError(f"setting {name}: {text!r} is neither true nor false")
        return _SWITCH[text.lower()]
    if isinstance(before, str):
        raise SettingError(
            f"setting {name}: has an option of its own; see `elkwatch train --help`"
        )
    return _number(type(before), text, name)


def _number(kind: type[int] | type[float], text: str, name: str) -> int | float:
    least = LEAST.get(name, 1 if kind is int else 0)
    most = 1 if name.endswith(SHARES) else MOST
    try:
        number = kind(text)
        fits = math.isfinite(number) and least <= number <= most
    except (ValueError, OverflowError):
        fits = False
    if not fits:
        what = "a whole number" if kind is int else "a number"
        raise SettingError(
            f"setting {name}: {text!r} is not {what} from {least} to {most:,}"
        )
    if name == "classes.hidden" and number % HEADS:
        raise SettingError(f"setting {name}: {text!r} is no multiple of {HEADS}")
    return number
