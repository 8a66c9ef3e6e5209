"""From what pydantic found wrong to one line: where, what, how to mend it.

    sources[0].mesage_field: unknown key; did you mean message_field?
    schedule.interval: expected a duration such as 90s, 10m, 1h or 7d, found 'often'
    elasticsearch.api_key: expected text, {file: PATH} or {env: NAME}, found a number

The value of a secret is never shown.
"""

from __future__ import annotations

import difflib
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from elkwatch.config.secrets import SECRET_FORM, is_secret

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "model_type": "keys with values",
    "model_attributes_type": "keys with values",
    "mapping_type": "keys with values",
    "dict_type": "keys with values",
    "tuple_type": "a list",
    "list_type": "a list",
    "path_type": "a path",
}
_LONGEST_FOUND = 60


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in the configuration: its path, and what the schema knows about it.

    `path` holds keys and list positions as the user wrote them. `model` is the section
    it lies in, `kind` the type of the value there; None where the schema ends.
    """

    path: tuple[str | int, ...]
    kind: Any
    model: type[BaseModel] | None

    @property
    def is_secret(self) -> bool:
        """Whether the value must not be shown."""
        return is_secret(self.kind)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: its path as the user wrote it, and the text without it."""

    path: tuple[str | int, ...]
    text: str


def problems(error: ValidationError, root: type[BaseModel]) -> list[Problem]:
    """Everything pydantic found wrong, in the order of the configuration."""
    found = error.errors(include_url=False)
    return [_problem(e, root) for e in found if not _is_aftermath(e, found)]


def path_text(path: Sequence[str | int]) -> str:
    """`("sources", 0, "name")` → `sources[0].name`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def locate(location: Sequence[str | int], root: type[BaseModel]) -> Spot:
    """Follow a path, or a location of pydantic with its union tags, down the schema."""
    spot = Spot((), root, None)
    for part in location:
        spot = _step(spot, part)
    return spot


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The known word that a mistyped one most likely stands for."""
    close = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    return close[0] if close else None


def _is_aftermath(error: ErrorDetails, found: Sequence[ErrorDetails]) -> bool:
    """A list is called too short, too, when an item of it was refused."""
    depth = len(error["loc"])
    return error["type"] == "too_short" and any(
        other["loc"][:depth] == error["loc"] and len(other["loc"]) > depth
        for other in found
    )


def _problem(error: ErrorDetails, root: type[BaseModel]) -> Problem:
    spot = locate(error["loc"], root)
    text = _TEXTS.get(error["type"], _type_text)(error, spot, root)
    return Problem(spot.path, text)


def _unknown_key(_: ErrorDetails, spot: Spot, root: type[BaseModel]) -> str:
    key = str(spot.path[-1])
    known = _keys(spot.model or root)
    close = nearest(key, known)
    if close is not None:
        return f"unknown key; did you mean {close}?"
    elsewhere = _find_key(key, root)
    if elsewhere is not None:
        return f"unknown key here; did you mean {elsewhere}?"
    return f"unknown key; known here: {', '.join(known)}"


def _missing(_: ErrorDetails, spot: Spot, __: type[BaseModel]) -> str:
    return "is missing"


def _own_text(error: ErrorDetails, spot: Spot, _: type[BaseModel]) -> str:
    return str(error.get("ctx", {}).get("error", error["msg"]))


def _choice_text(error: ErrorDetails, spot: Spot, _: type[BaseModel]) -> str:
    expected = str(error.get("ctx", {}).get("expected", "")).replace("'", "")
    return f"expected {expected}, found {_found(error['input'], spot)}"


def _tag_text(error: ErrorDetails, spot: Spot, _: type[BaseModel]) -> str:
    context = error.get("ctx", {})
    known = sorted(tags(spot.kind))
    given = context.get("tag")
    found = f", found {given}" if given else ""
    close = nearest(str(given), known) if given else None
    hint = f"; did you mean {close}?" if close else ""
    return f"kind: expected {' or '.join(known)}{found}{hint}"


def _empty_text(error: ErrorDetails, spot: Spot, _: type[BaseModel]) -> str:
    one = "at least one" if error["type"] == "too_short" else "a text that is not empty"
    return f"is empty; expected {one}"


def _bound_text(error: ErrorDetails, spot: Spot, _: type[BaseModel]) -> str:
    words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    context = error.get("ctx", {})
    bounds = [f"{words[k]} {v}" for k, v in context.items() if k in words]
    return f"expected {' and '.join(bounds)}, found {_found(error['input'], spot)}"


def _type_text(error: ErrorDetails, spot: Spot, _: type[BaseModel]) -> str:
    if spot.is_secret:
        return f"expected {SECRET_FORM}, found {_kind_of(error['input'])}"
    expected = _EXPECTED.get(error["type"])
    if expected is None:
        return error["msg"][:1].lower() + error["msg"][1:]
    value = error["input"]
    hint = ""
    if expected == "text" and isinstance(value, bool | int | float):
        hint = "; put it in quotes"
    return f"expected {expected}, found {_found(value, spot)}{hint}"


_TEXTS = {
    "extra_forbidden": _unknown_key,
    "missing": _missing,
    "value_error": _own_text,
    "literal_error": _choice_text,
    "union_tag_invalid": _tag_text,
    "union_tag_not_found": _tag_text,
    "too_short": _empty_text,
    "string_too_short": _empty_text,
    "greater_than": _bound_text,
    "greater_than_equal": _bound_text,
    "less_than": _bound_text,
    "less_than_equal": _bound_text,
}


def _found(value: Any, spot: Spot) -> str:
    """What is there, shortened; only its kind if it is, or may hold, a secret."""
    if spot.is_secret or isinstance(value, Mapping | list | tuple):
        return _kind_of(value)
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value) if value is not None else "nothing"
    return text if len(text) <= _LONGEST_FOUND else text[:_LONGEST_FOUND] + "…"


def _kind_of(value: Any) -> str:
    for kinds, name in (
        (type(None), "nothing"),
        (bool, "true or false"),
        ((int, float), "a number"),
        (str, "text"),
        (Mapping, "keys with values"),
        ((list, tuple), "a list"),
    ):
        if isinstance(value, kinds):
            return name
    return f"a {type(value).__name__}"


def _step(spot: Spot, part: str | int) -> Spot:
    path = (*spot.path, part)
    kind = spot.kind
    if isinstance(part, int):
        return Spot(path, item_kind(kind), None)
    if _is_model(kind):
        for name, field in fields_of(kind):
            if part == name:
                return Spot(path, plain_kind(field.annotation), kind)
        return Spot(path, None, kind)
    members = tags(kind)
    if part in members:
        return Spot(spot.path, members[part], spot.model)
    for member in members.values():  # a path without tags: the first that has the key
        if part in _keys(member):
            return _step(Spot(spot.path, member, spot.model), part)
    if get_origin(kind) in (dict, Mapping):
        return Spot(path, plain_kind(get_args(kind)[1]), spot.model)
    return Spot(path, None, spot.model)


def plain_kind(annotation: Any) -> Any:
    """The type without Annotated and without None."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        members = [a for a in get_args(annotation) if a is not type(None)]
        if len(members) == 1:
            return plain_kind(members[0])
    return annotation


def item_kind(kind: Any) -> Any:
    """The type of the items of a list; None for what is no list."""
    arguments = get_args(kind)
    return plain_kind(arguments[0]) if arguments else None


def tags(kind: Any) -> dict[str, type[BaseModel]]:
    """Members of a union of models by the value of their `kind`."""
    members = [plain_kind(a) for a in get_args(kind)]
    found: dict[str, type[BaseModel]] = {}
    for member in members:
        field = member.model_fields.get("kind") if _is_model(member) else None
        if field is not None and get_origin(field.annotation) is Literal:
            found[get_args(field.annotation)[0]] = member
    return found


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def fields_of(model: type[BaseModel]) -> list[tuple[str, FieldInfo]]:
    """The keys of a section as users write them, with their fields."""
    return [(f.alias or name, f) for name, f in model.model_fields.items()]


def _keys(model: type[BaseModel]) -> list[str]:
    return [name for name, _ in fields_of(model)]


def _find_key(key: str, model: type[BaseModel], prefix: str = "") -> str | None:
    """Where in the schema a key of this very name lives; None if nowhere."""
    for name, field in fields_of(model):
        kind = plain_kind(field.annotation)
        written = f"{prefix}{name}"
        item = item_kind(kind) if get_origin(kind) is tuple else None
        inside = [(kind, "."), (item, "[0].")]
        inside += [(m, "[0].") for m in tags(item).values()]
        for inner, joint in inside:
            if not _is_model(inner):
                continue
            if key in _keys(inner):
                return f"{written}{joint}{key}"
            below = _find_key(key, inner, f"{written}{joint}")
            if below is not None:
                return below
    return None
