"""What may hold a session together: fields that look like keys, and keys in messages.

Pure: columns and messages in, candidates out. Which of them serves is measured after
(`fitness`); here only names and shapes are looked at, so that few need measuring.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from connector import Column, SessionRule
from elkwatch.proposals.roles import NUMBER_TYPES, SOME, TEXT_TYPES

MAX_FIELDS = 8
MAX_PATTERNS = 5
LEAST_TRUST = 0.2

_LEAST_SHARE = 0.2

# How far a word in a field's name promises a key that ends, the strongest first.
_TRUST = (
    (re.compile(r"(^|[._])span|parent"), 0.1),
    (re.compile(r"pod[._]?name$"), 0.85),
    (
        re.compile(
            r"(line|number|count|name|type|kind|status|state|size|duration|level|code"
            r"|version|message|text|reason)$"
        ),
        0.1,
    ),
    (re.compile(r"session"), 1.0),
    (re.compile(r"trace"), 0.95),
    (re.compile(r"request|req_?id|correlation|x_?id$"), 0.95),
    (re.compile(r"transaction|\btxn?_?id|txid"), 0.9),
    (re.compile(r"job|task|execution|invocation|build|order|batch|workflow"), 0.85),
    (re.compile(r"container[._]?id|pod[._]uid"), 0.85),
    (re.compile(r"conn(ection)?[._]?id|connection|block|application"), 0.75),
    (re.compile(r"pid$|thread|process"), 0.25),
    (re.compile(r"user|client|account|customer"), 0.25),
    (re.compile(r"(^|[._])(id|uuid|guid)$|_id$|id$"), 0.6),
)
_NEVER = re.compile(
    r"^(event\.(id|hash|sequence|original|dataset|module)|log\.offset|@version|_id"
    r"|(agent|ecs|data_stream|input|cloud|observer|elastic_agent|orchestrator)\b.*"
    r"|(host|user_agent|geo|url|tags)\b.*|.*\.ip|.*\.(mac|port))$"
)

_PREFIXED = re.compile(r"\b([A-Za-z]{2,20}[_-])(-?)\d{3,}((?:[_-]\d+)*)")
_LABELLED = re.compile(
    r"\b([A-Za-z][A-Za-z_]{0,20}?[_ -]?(?:id|Id|ID))(: ?|=| )\"?"
    r"([A-Za-z0-9][\w.-]{2,63})"
)
_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_UUID_FOUND = re.compile(_UUID)
_LOOKED_AT_CHARS = 1000
_UUID_TRUST = 0.7
_IS_LABEL = "\0"
_PREFIX_TRUST = 0.75


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way to tell sessions apart that is worth measuring.

    `trust`: how far its name promises a key that ends, 0 to 1.
    """

    rule: SessionRule
    trust: float

    @property
    def text(self) -> str:
        """The key as it is shown."""
        return self.rule.field or self.rule.pattern or " + ".join(self.rule.fields)


def trust(path: str) -> float:
    """How far a field's name promises a key that ends, 0 (never) to 1."""
    if _NEVER.match(path):
        return 0.0
    name = path.lower()
    own = name.rpartition(".")[2]
    for part in (own, name):
        for word, value in _TRUST:
            if word.search(part):
                # `session.id`: what `id` is of stands before it.
                if part is own and own in {"id", "uuid", "uid", "name", "key"}:
                    break
                return value
    return 0.1


def field_candidates(columns: Iterable[Column]) -> list[Candidate]:
    """Fields that may be keys, the most promising first; at most `MAX_FIELDS`."""
    found = [
        (trust(column.path) * column.share, column.path)
        for column in columns
        if _may_be_key(column)
    ]
    found.sort(key=lambda one: (-one[0], one[1]))
    return [
        Candidate(SessionRule(field=path), trust(path))
        for _, path in found[:MAX_FIELDS]
    ]


def pattern_candidates(messages: Sequence[str]) -> list[Candidate]:
    """Keys that stand in messages: `blk_123`, `request id=abc`, UUIDs.

    At most `MAX_PATTERNS`, those in most messages first.
    """
    seen: Counter[str] = Counter()
    trusted: dict[str, float] = {}
    shapes: dict[str, _Shape] = defaultdict(_Shape)
    for whole in messages:
        message = whole[:_LOOKED_AT_CHARS]
        here: dict[str, float] = {}
        for prefix, sign, more in _PREFIXED.findall(message):
            shapes[prefix].add(sign, more)
            here[prefix] = _PREFIX_TRUST
        for label, joint, value in _LABELLED.findall(message):
            if any(character.isdigit() for character in value):
                shapes[label + _IS_LABEL].joints[joint] += 1
                here[label + _IS_LABEL] = max(trust(label.replace(" ", "_")), SOME)
        if _UUID_FOUND.search(message):
            here[""] = _UUID_TRUST
        seen.update(here.keys())
        trusted |= here
    least = _LEAST_SHARE * len(messages)
    common = [name for name, count in seen.most_common(MAX_PATTERNS) if count >= least]
    return [
        Candidate(SessionRule(pattern=_pattern(name, shapes[name])), trusted[name])
        for name in common
    ]


@dataclass(slots=True)
class _Shape:
    """What followed a prefix: how often, with a sign ever, with more numbers.

    `joints`: what stood between a label and its value.
    """

    count: int = 0
    signed: bool = False
    continued: int = 0
    joints: Counter[str] = field(default_factory=Counter)

    def add(self, sign: str, more: str) -> None:
        self.count += 1
        self.signed = self.signed or bool(sign)
        self.continued += bool(more)


def _pattern(name: str, shape: _Shape) -> str:
    if not name:
        return _UUID
    if name.endswith(_IS_LABEL):
        label, joints = name.removesuffix(_IS_LABEL), "|".join(sorted(shape.joints))
        between = joints if len(shape.joints) == 1 else f"(?:{joints})"
        return rf'{label}{between}"?([\w.-]+)'
    more = r"(?:[_-]\d+)*" if 2 * shape.continued > shape.count else ""
    return rf"{name}{'-?' if shape.signed else ''}\d+{more}"


def _may_be_key(column: Column) -> bool:
    types = set(column.types)
    if not types or not types <= (TEXT_TYPES | NUMBER_TYPES):
        return False
    values = [value for value in column.values if value is not None]
    if column.share < _LEAST_SHARE or any(isinstance(v, bool | float) for v in values):
        return False
    if any(isinstance(value, str) and len(value) > 256 for value in values):
        return False
    promised = trust(column.path)
    if len(set(map(str, values))) < 2:
        return promised >= _PREFIX_TRUST  # the newest lines may all be of one session
    return promised >= LEAST_TRUST
