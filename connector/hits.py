"""Answers of a search, decoded at once into what is read of them.

    bytes ──msgspec──▶ Answer ─▶ Hit ─▶ source: typed, only fields that are looked at

Of `host.name` is made a type with the members `host.name` and `host`, that with `name`:
every shape in which shippers write it (fieldpaths.py). What else a document holds is
passed over and never becomes an object. A value of another shape than its path says (a
text for `host`) comes as it is; an answer that msgspec cannot read at all (an error, a
lone surrogate) is read by the client's own serializer, into dictionaries.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from operator import attrgetter
from typing import Any, Generic, TypeVar, cast

import msgspec
import orjson

from connector.fieldpaths import Getter, below, compile_path

Source = TypeVar("Source")
Segments = tuple[str, ...]
Reader = Callable[[bytes], Any]

KEPT_TYPES = 64
_OTHER_SHAPES = str | int | float | bool | list[Any] | None
_UNREADABLE = re.compile(r'[\\"\x00-\x1f]')  # msgspec refuses names with these
_reader: ContextVar[Reader | None] = ContextVar("_reader", default=None)


class Hit(msgspec.Struct, Generic[Source], gc=False):
    """One document as it was found. `source`: a dictionary, or of a DocumentType."""

    id: str = msgspec.field(name="_id", default="")
    index: str = msgspec.field(name="_index", default="")
    source: Source = msgspec.field(name="_source", default_factory=cast(Any, dict))
    sort: list[Any] = []
    fields: dict[str, Any] | None = None


class Hits(msgspec.Struct, Generic[Source]):
    """The hits of an answer."""

    hits: list[Hit[Source]]


class Answer(msgspec.Struct, Generic[Source]):
    """What is read of the answer to a search."""

    hits: Hits[Source]
    timed_out: bool
    shards: dict[str, Any] = msgspec.field(name="_shards")
    pit_id: str | None = None


def answer_of(body: Any) -> Answer[Any]:
    """The answer in a body, whoever has read it."""
    if isinstance(body, Answer):
        return body
    return msgspec.convert(dict(body), Answer[dict[str, Any]])


@contextmanager
def answers_read_by(reader: Reader | None) -> Iterator[None]:
    """Within it, answers to this thread's requests are read by `reader`, if it can."""
    token = _reader.set(reader)
    try:
        yield
    finally:
        _reader.reset(token)


def read_answer(data: bytes) -> Any:
    """What the reader of `answers_read_by` makes of it; None: it is another's."""
    reader = _reader.get()
    if reader is None:
        return None
    try:
        return reader(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def plain_json(data: bytes) -> Any:
    """The value in `data`. Raises ValueError where it is not JSON.

    orjson, and the standard library where orjson is too strict: Elasticsearch stores a
    lone surrogate as it came and gives it back escaped, which orjson refuses; one such
    log line would cost a whole page.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return json.loads(data.decode("utf-8", "replace"))


class DocumentType:
    """A type of documents of which only these paths are looked at."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.kind = _struct([tuple(path.split(".")) for path in paths])
        self.read: Reader = msgspec.json.Decoder(cast(Any, Answer)[self.kind]).decode

    def narrowed(self, source: Mapping[str, Any]) -> dict[str, Any]:
        """Of a document that was read whole, what is looked at."""
        try:
            kept: dict[str, Any] = msgspec.to_builtins(
                msgspec.convert(source, self.kind)
            )
        except msgspec.ValidationError:
            return {}
        return kept

    def compile(self, path: str) -> Getter:
        """As `compile_path`, for documents of this type. KeyError for other paths."""
        return _getter(self.kind, tuple(path.split(".")))

    def ways(self, paths: Sequence[str]) -> list[str]:
        """The members that hold the first value of these paths, in their order.

        Of a document in which something else than an object stands above one, getting
        them all raises AttributeError. KeyError for other paths.
        """
        unique = dict.fromkeys(paths)
        return [way for p in unique for way in _ways(self.kind, tuple(p.split(".")))]


def document_type(paths: Iterable[str]) -> DocumentType | None:
    """A type for these paths; None where a name is none that msgspec can look for."""
    return _document_type(tuple(paths))


@lru_cache(maxsize=KEPT_TYPES)
def _document_type(wanted: tuple[str, ...]) -> DocumentType | None:
    """Kept for the next round: `typing` would remember 128 of the same, one a turn."""
    if any(_UNREADABLE.search(path) for path in wanted):
        return None
    return DocumentType(wanted)


def plain_document(source: Any) -> Any:
    """A document as a dictionary, whatever it was read into."""
    if isinstance(source, Mapping):
        return source
    return msgspec.to_builtins(source)


def _struct(paths: Iterable[Segments]) -> type[msgspec.Struct]:
    """A struct with a member for every way to write these paths."""
    members: defaultdict[str, list[Segments]] = defaultdict(list)
    for path in dict.fromkeys(paths):
        for i in range(1, len(path) + 1):
            members[".".join(path[:i])].append(path[i:])
    return msgspec.defstruct(
        "Document",
        [
            (f"member_{number}", *_type_and_default(name, rests))
            for number, (name, rests) in enumerate(members.items())
        ],
        frozen=True,
        gc=False,
        omit_defaults=True,
    )


def _ways(kind: type[msgspec.Struct], path: Segments) -> Iterator[str]:
    """Every way to a value through members, in the order of `_getter`."""
    for i in range(1, len(path)):
        head = _member(kind, path[:i])
        for typed in _structs_below(kind, head):
            for way in _ways(typed, path[i:]):
                yield f"{head}.{way}"
    yield _member(kind, path)


def _structs_below(kind: type[msgspec.Struct], member: str) -> Iterator[Any]:
    for typed in getattr(kind.__annotations__[member], "__args__", ()):
        if isinstance(typed, type) and issubclass(typed, msgspec.Struct):
            yield typed


def _type_and_default(name: str, rests: list[Segments]) -> tuple[Any, Any]:
    """Anything for a value; for what has fields below it their struct, empty by
    default: then every way leads somewhere."""
    if () in rests:
        return Any, msgspec.field(name=name, default=None)
    typed = _struct(rests)
    return typed | _OTHER_SHAPES, msgspec.field(name=name, default=typed())


def _getter(kind: type[msgspec.Struct], path: Segments) -> Getter:
    """As fieldpaths._several: the nested shapes first, the whole dotted key last."""
    whole = attrgetter(_member(kind, path))
    if len(path) == 1:
        return whole
    ways = [_below_way(kind, path, i) for i in range(1, len(path))]

    def get(source: Any) -> Any:
        for head, typed, inner, plain in ways:
            found = head(source)
            if found is not None:
                value = inner(found) if type(found) is typed else below(found, plain)
                if value is not None:
                    return value
        return whole(source)

    return get


def _below_way(
    kind: type[msgspec.Struct], path: Segments, i: int
) -> tuple[Getter, type | None, Getter, Getter]:
    """One split of a path: head, the head's type, what to get of it, or of others."""
    name = _member(kind, path[:i])
    plain = compile_path(".".join(path[i:]))
    for typed in _structs_below(kind, name):
        return attrgetter(name), typed, _getter(typed, path[i:]), plain
    return attrgetter(name), None, plain, plain


def _member(kind: type[msgspec.Struct], path: Segments) -> str:
    names = dict(
        zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True)
    )
    return names[".".join(path)]
