"""A page decoded field by field: the same records, made of columns.

    sources ──one getter──▶ columns ──each as a whole──▶ records

Where all values of a column are what they usually are (texts in ASCII, whole numbers),
that is found out once for the page, and nothing is called for each document. Anything
else in a column is left to what reads a single value.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import repeat
from operator import attrgetter
from typing import Any

from connector.texts import as_int
from connector.timestamps import FIRST, LAST, read_time

Column = Sequence[Any]

_ENDS = {len(f"2026-11-22T19:53:28.985{end}"): end for end in ("Z", "+00:00")}


class Columns:
    """Gets several fields of documents at once, each by the first way that has it.

    `ways`: for each field the members of the documents' type that may hold it, the
    first that is not None counts.
    """

    def __init__(self, ways: Sequence[Sequence[str]]) -> None:
        """At least two fields, so that one getter gives a row."""
        self._first = attrgetter(*(first for first, *_ in ways))
        self._others = [[attrgetter(one) for one in others] for _, *others in ways]

    def of(self, sources: Sequence[Any]) -> list[Column] | None:
        """One column a field; None where a document is of another shape.

        Another way than the first is looked at only where that left something out.
        """
        try:
            columns: list[Column] = list(zip(*map(self._first, sources), strict=True))
            for place, others in enumerate(self._others):
                if others and None in columns[place]:
                    columns[place] = _first(columns[place], others, sources)
        except AttributeError:
            return None
        return columns


def _first(
    found: Column, others: Sequence[Callable[[Any], Any]], sources: Sequence[Any]
) -> Column:
    """Of each row the first value that is not None."""
    values = list(found)
    missing = [row for row, value in enumerate(values) if value is None]
    for get in others:
        for row in missing:
            values[row] = get(sources[row])
        missing = [row for row in missing if values[row] is None]
    return values


def all_texts(column: Column) -> bool:
    """Whether all are texts."""
    return set(map(type, column)) <= {str}


def plain_texts(column: Column, most_chars: int) -> bool:
    """Whether all are texts in ASCII, without NUL, and of at most so many characters.

    Nothing in them needs to be repaired, nor cut.
    """
    if not all_texts(column):
        return False
    together = "".join(column)
    return (
        together.isascii()
        and "\0" not in together
        and max(map(len, column), default=0) <= most_chars
    )


def whole_milliseconds(column: Column) -> bool:
    """Whether all are texts of a time in UTC with three digits after the second."""
    size, count = len(column[0]) if column and all_texts(column) else 0, len(column)
    end = _ENDS.get(size)
    if end is None or set(map(len, column)) != {size}:
        return False
    together = "".join(column)
    return all(
        together[place::size] == letter * count
        for place, letter in ((19, "."), *enumerate(end, start=size - len(end)))
    )


def known_times(stamps: Column, places: Column) -> Column | None:
    """Times as UTC, `places` being those by which the page was sorted.

    Equal times need not be read again; but a document without an indexed time has
    none, and stands at an end.
    """
    sorted_by = None not in places and FIRST < min(places) <= max(places) < LAST
    return places if sorted_by and whole_milliseconds(stamps) else times(stamps)


def times(column: Column) -> list[datetime] | None:
    """Times as UTC; None where one cannot be read."""
    try:
        return list(map(read_time, column))
    except ValueError:
        return None


def numbers(column: Column) -> Column:
    """Whole numbers; None where there is none."""
    if set(map(type, column)) <= {int, type(None)}:
        return column
    return [as_int(value) for value in column]


def labels(column: Column, label: Callable[[Any], str | None]) -> Iterable[str | None]:
    """Values that recur, each made a label once where they are texts."""
    kinds = set(map(type, column))
    if kinds == {type(None)}:
        return repeat(None, len(column))
    if kinds <= {str, type(None)}:
        made = {value: label(value) for value in set(column)}
        return map(made.__getitem__, column)
    return map(label, column)
